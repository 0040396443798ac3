"""Equipment, records and samples behind the ports of labwire, for scripts and notebooks.

Written by `labwire client-py`. It needs Python 3.8 or later and nothing else: keep it beside your program.

    from labwire_client import Equipment, Failed, Line, samples

    with Equipment("127.0.0.1", 65432) as supply:
        supply.set_voltage(volts=12.5)
        print(supply.get_voltage())

    with Line("127.0.0.1", 10000, "<Id", fields="n,volts") as line:
        line.send(1, 0.75)
        print(line.receive().volts)

    for sample in samples(sys.stdin):  # labwire villas-echo | python3 watch.py
        print(sample.sequence, sample.values)

    EquipmentError
      Refused       nobody is there, or this computer is not let in: nothing was carried out
      Failed        the equipment answered with a failure
      TimedOut      no answer in time: the command may still be carried out
      Disconnected  the connection ended before the answer: the command may still be carried out
      BadAnswer     the answer is not in the protocol, or is to another message
"""

from __future__ import annotations

import collections
import json
import math
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    NoReturn,
    Optional,
    Sequence,
    Tuple,
    Union,
)

if TYPE_CHECKING:
    import inspect
    import ssl

__all__ = [
    "BadAnswer",
    "Disconnected",
    "Equipment",
    "EquipmentError",
    "Failed",
    "Line",
    "Refused",
    "Sample",
    "TimedOut",
    "samples",
]


#: Seconds that TAB waits for the list of a server's commands.
_PATIENCE = 1.0
#: Seconds of silence after which an answer that is complete needs no newline.
_SILENCE = 0.1
#: Seconds that every system can wait, more than three weeks; longer is no limit.
_LONGEST = 2e6


class EquipmentError(Exception):
    """What can go wrong between this program and the equipment."""


class Refused(EquipmentError, ConnectionError):
    """The server was not reached, or did not let this computer in. Nothing was carried out."""


class Failed(EquipmentError):
    """The equipment answered with a failure, which is the message.

    Attributes:
        answer: The whole answer.
    """

    def __init__(self, message: str, answer: Dict[str, Any]) -> None:
        super().__init__(message, answer)
        self.answer = answer

    def __str__(self) -> str:
        return str(self.args[0])


class TimedOut(EquipmentError, TimeoutError):
    """There was no answer in time. A command that was sent may still be carried out."""


class Disconnected(EquipmentError, ConnectionError):
    """The connection ended too early. A command that was sent may still be carried out."""


class BadAnswer(EquipmentError, ValueError):
    """What came is no answer of the protocol, or one to another message. The command may have been carried out."""


class Equipment:
    """The commands of a JSON server, such as `labwire json-server`, as methods.

    What a command returns is its result. Arguments are given by name, as the server gets them by name. A command with the name of a
    method here, or one that is no name in Python, is called by `supply.call("close", channel=1)`.

    It connects when it is made, and again before a command if the server has ended the connection, as servers do after a silence.
    A command is never sent twice. Threads may share it: their commands go one after another.

    For TAB, dir() and help() the server is asked to list its commands (`list_commands`), and for nothing else that was not written.

    Args:
        host: Name or address of the server.
        port: Its TCP port.
        timeout: Seconds that connecting, and then each answer, may take; None for no limit. May be changed at any time.
        tls: Speaks TLS, as with `ssl.create_default_context(cafile="ca.pem")`.
        max_bytes: Longest answer in bytes.

    Raises:
        Refused: If the server cannot be reached.
        ValueError: If there is no such port.
    """

    timeout: Optional[float]

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 65432,
        *,
        timeout: Optional[float] = 5.0,
        tls: Optional[ssl.SSLContext] = None,
        max_bytes: int = 1 << 26,
    ) -> None:
        self.timeout = timeout
        self._where = _address(host, port)
        self._connect: Callable[[], _Connection] = lambda: _Connection(host, port, self.timeout, tls)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._commands: Dict[str, Dict[str, Any]] = {}
        self._ask_after = 0.0
        self._connection: Optional[_Connection] = self._connect()

    def call(self, command_id: str, /, **fields: Any) -> Any:
        """Has a command carried out.

        Args:
            command_id: Its name.
            fields: Its arguments. Numpy's numbers and arrays are sent as numbers and lists, integers of any size exactly.

        Returns:
            Its result; None if it has none.

        Raises:
            Refused: If the server cannot be reached.
            Failed: If it reports a failure.
            TimedOut, Disconnected, BadAnswer: If there is no answer, or none that can be read; the command may be carried out.
            ValueError, TypeError: If an argument cannot be sent, such as NaN, which JSON does not have.
        """
        if "command_id" in fields:
            raise TypeError(f"Cannot send command_id as an argument of {command_id}: it is the command's name")
        return self._ask({"command_id": command_id, **fields}, command_id)

    def send(self, message: Any) -> Any:
        """Sends a message of any form, and returns the result; raises as `call` does. An answer with another `id` is a BadAnswer."""
        return self._ask(message, "the message")

    def close(self) -> None:
        """Ends the connection. A command after that makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Equipment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Equipment at {self._where}>"

    def __getattr__(self, command_id: str) -> Callable[..., Any]:
        # Notebooks and others look for methods such as _repr_html_, which are nothing that equipment has.
        if command_id.startswith("_"):
            raise AttributeError(f"Cannot find {command_id!r} in Equipment")
        return _Command(self, command_id)

    def __dir__(self) -> Iterable[str]:
        # For TAB in a notebook.
        return {*super().__dir__(), *(name for name in self._described() if name.isidentifier())}

    def _described(self) -> Dict[str, Dict[str, Any]]:
        """What the server says about its commands, by name: none unless it has a command for that."""
        if self._connection is None or time.monotonic() < self._ask_after or not self._lock.acquire(timeout=_PATIENCE):
            return self._commands
        self._ask_after = time.monotonic() + 30
        try:
            found = self._ask_now(_encode({"command_id": "list_commands"}, ""), None, "list_commands", _PATIENCE)
            self._commands = {str(item["name"]): item for item in found}
            self._ask_after = time.monotonic() + 1
        except (EquipmentError, TypeError, KeyError):
            pass  # it lists none
        finally:
            self._lock.release()
        return self._commands

    def _ask(self, message: Any, what: str) -> Any:
        line = _encode(message, what)
        id = message.get("id") if isinstance(message, dict) else None
        with self._lock:
            return self._ask_now(line, id, what, self.timeout)

    def _ask_now(self, line: bytes, id: Any, what: str, timeout: Optional[float]) -> Any:
        deadline = _Deadline(timeout)
        connection = self._open()
        fate = "is not sent as a whole"
        done = False
        try:
            connection.send(line, deadline)
            fate = "was sent, and may still be carried out"
            answer = self._read(connection, deadline)
            done = True
        except _Late:
            raise TimedOut(f"No answer from {self._where} within {timeout:g} s: {what} {fate}") from None
        except (OSError, _Ended) as error:
            how = "closed" if isinstance(error, _Ended) else "broke"
            raise Disconnected(f"{self._where} {how} the connection without an answer: {what} {fate}") from error
        finally:
            # A later answer would count as the answer to the next command. This is for Ctrl-C too.
            if not done:
                self.close()
        return self._result(answer, what, id)

    def _open(self) -> _Connection:
        """The connection, or a new one where the server has ended it."""
        connection = self._connection  # which another thread may close meanwhile
        unsolicited = b"" if connection is None else connection.unsolicited()
        if unsolicited is not None:
            self.close()
            if unsolicited:  # it says so where it lets nobody in
                try:
                    self._result(unsolicited.split(b"\n")[0], "the connection")
                except Failed as error:
                    raise Refused(f"{self._where} has ended the connection: {error}") from None
                except BadAnswer:
                    pass  # nothing was asked on it
            connection = self._connection = self._connect()
        assert connection is not None
        return connection

    def _read(self, connection: _Connection, deadline: _Deadline) -> bytes:
        held = bytearray()
        while True:
            try:
                chunk = connection.receive(deadline.within(_SILENCE) if held else deadline)
            except _Late:
                if _is_object(held):
                    break
                chunk = connection.receive(deadline)
            if not chunk:
                if _is_object(held):
                    break
                raise _Ended
            if not held:
                chunk = chunk.lstrip()  # blank lines
            held += chunk
            end = held.find(b"\n", len(held) - len(chunk))
            if end >= 0:
                if held[end:].strip():
                    self.close()  # more than an answer: what follows would count as that to the next command
                del held[end:]
                break
            if len(held) > self._max_bytes:
                raise BadAnswer(f"The answer from {self._where} is longer than {self._max_bytes} bytes: max_bytes=N lets it be longer")
        return bytes(held)

    def _result(self, line: bytes, what: str, id: Any = None) -> Any:
        try:
            answer = json.loads(line.decode(), parse_constant=_refuse_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise BadAnswer(f"Cannot read the answer to {what}, {_shown(line)}: {error}") from None
        found = answer.get("id") if isinstance(answer, dict) else None
        if not _is_same(id, found):
            self.close()
            raise BadAnswer(f"{self._where} answered another message: expected the id {json.dumps(id)}, found {json.dumps(found)}")
        status = answer.get("status") if isinstance(answer, dict) else None
        if status == "success":
            return answer.get("result")
        if status in ("error", "failed"):
            error = answer.get("error", line.decode())
            raise Failed(error if isinstance(error, str) else json.dumps(error), answer)
        raise BadAnswer(f'Cannot read the answer to {what}, {_shown(line)}: expected a "status" of "success", "error" or "failed"')


class _Command:
    # A command as a method. What help() shows of it is asked of the server when it is shown.

    def __init__(self, equipment: Equipment, name: str) -> None:
        self._equipment = equipment
        self.__name__ = self.__qualname__ = name

    def __call__(self, /, *values: Any, **fields: Any) -> Any:
        name = self.__name__
        if values:
            shown = ", ".join(f"name={value!r}" for value in values)
            raise TypeError(f"Cannot call {name}: expected arguments by name, as in {name}({shown})")
        return self._equipment.call(name, **fields)

    def __get__(self, *_: Any) -> _Command:
        return self  # with this, help() takes it for a function

    def __repr__(self) -> str:
        return f"<command {self.__name__} of {self._equipment!r}>"

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        said = self._said()
        doc = str(said.get("doc", ""))
        return doc if _signature(str(said.get("signature", ""))) else f"{said.get('signature', '')}\n\n{doc}".strip()

    @property
    def __signature__(self) -> inspect.Signature:
        found = _signature(str(self._said().get("signature", "")))
        if found is None:
            raise AttributeError("__signature__")
        return found

    def _said(self) -> Dict[str, Any]:
        return self._equipment._described().get(self.__name__, {})


def _signature(text: str) -> Optional[inspect.Signature]:
    """The signature in a text such as "f(volts: float = 0)", of which nothing is carried out; None if it is not Python's."""
    import ast
    import inspect

    source = f"def {text}: ..."
    try:
        (function,) = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(function, ast.FunctionDef):
        return None

    def words(node: Optional[ast.AST]) -> Any:
        return inspect.Parameter.empty if node is None else _Words(ast.get_source_segment(source, node) or "...")

    def parameter(part: ast.arg, kind: Any, default: Optional[ast.AST] = None) -> inspect.Parameter:
        return inspect.Parameter(part.arg, kind, default=words(default), annotation=words(part.annotation))

    found, kinds = function.args, inspect.Parameter
    first = [*found.posonlyargs, *found.args]
    defaults = [*[None] * (len(first) - len(found.defaults)), *found.defaults]
    parameters = [
        parameter(part, kinds.POSITIONAL_ONLY if part in found.posonlyargs else kinds.POSITIONAL_OR_KEYWORD, default)
        for part, default in zip(first, defaults)
    ]
    if found.vararg:
        parameters.append(parameter(found.vararg, kinds.VAR_POSITIONAL))
    parameters += [parameter(part, kinds.KEYWORD_ONLY, default) for part, default in zip(found.kwonlyargs, found.kw_defaults)]
    if found.kwarg:
        parameters.append(parameter(found.kwarg, kinds.VAR_KEYWORD))
    return inspect.Signature(parameters, return_annotation=words(function.returns))


class _Words(str):
    """Part of a signature, as it is written."""

    def __repr__(self) -> str:
        return str(self)


class Line:
    """A line of records to and from `labwire struct-line server`, or a device that speaks the same.

    The stream is nothing but records of one format. Iterating gives what arrives until the other side ends the line. One thread may
    receive while others send.

    Args:
        host: Name or address of the other side, which listens.
        port: Its TCP port.
        format: The format of a record, as of Python's `struct`; without `!`, `<`, `>` or `=` with this computer's padding.
        fields: Names of the values, as in `"n,volts"` or `["n", "volts"]`: a record is a named tuple then.
        timeout: Seconds that connecting may take, and sending while the other side reads nothing; None for no limit.
        tls: Speaks TLS, as with `ssl.create_default_context(cafile="ca.pem")`.

    Raises:
        Refused: If the other side cannot be reached.
        ValueError: If the names do not fit the format, or there is no such port.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 10000,
        format: str = "!I2sd",
        fields: Union[str, Sequence[str], None] = None,
        *,
        timeout: Optional[float] = 5.0,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        self._struct = struct.Struct(format)
        if self._struct.size == 0:
            raise ValueError(f"Cannot use {format!r} for the records of a stream: it has no bytes")
        self._record = _record_type(self._struct, format, fields)
        self._where = _address(host, port)
        self._timeout = timeout
        self._held = bytearray()
        self._ended = False
        self._sending = threading.Lock()
        self._connection = _Connection(host, port, timeout, tls)

    def send(self, *values: Any) -> None:
        """Sends a record: its values, or one tuple of them. Text is sent as UTF-8. Ctrl-C meanwhile closes the line.

        Raises:
            struct.error: If the values do not fit the format.
            TimedOut: If the other side reads nothing; the line is closed then, as part of a record may have been sent.
            Disconnected: If the other side has ended the line.
        """
        if len(values) == 1 and isinstance(values[0], (tuple, list)):
            values = tuple(values[0])
        record = self._struct.pack(*(value.encode() if isinstance(value, str) else value for value in values))
        with self._sending:
            try:
                self._connection.send(record, _Deadline(self._timeout))
            except OSError as error:
                raise Disconnected(f"Cannot send a record to {self._where}: {error}") from error
            except BaseException as error:
                # The next record would count as the rest of one of which part was sent. This is for Ctrl-C too.
                self.close()
                if isinstance(error, _Late):
                    raise TimedOut(f"{self._where} has read nothing for {self._timeout:g} s: the line is closed") from None
                raise

    def receive(self, timeout: Optional[float] = None) -> Tuple[Any, ...]:
        """Waits for the next record.

        Args:
            timeout: Seconds to wait; None for no limit.

        Returns:
            Its values as a tuple, a named one if there are names.

        Raises:
            TimedOut: If none has arrived in time; the next call waits for the same record.
            Disconnected: If the other side has ended the line.
        """
        record = self._next(timeout)
        if record is None:
            raise Disconnected(f"{self._where} has ended the line")
        return record

    def __iter__(self) -> Iterator[Tuple[Any, ...]]:
        while True:
            record = self._next(None)
            if record is None:
                return
            yield record

    def close_write(self) -> None:
        """Ends this side: the other one sees that no more records come, and may still send."""
        self._connection.close_write()

    def close(self) -> None:
        """Ends the line."""
        self._connection.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Line of {self._struct.format!r} with {self._where}>"

    def _next(self, timeout: Optional[float]) -> Optional[Tuple[Any, ...]]:
        """The next record; None at the end."""
        deadline = _Deadline(timeout)
        size = self._struct.size
        while len(self._held) < size and not self._ended:
            try:
                chunk = self._connection.receive(deadline)
            except _Late:
                raise TimedOut(f"No record from {self._where} within {timeout:g} s") from None
            except OSError as error:
                raise Disconnected(f"Lost the line with {self._where}: {error}") from error
            self._held += chunk
            self._ended = not chunk
        if len(self._held) >= size:
            values = self._struct.unpack_from(self._held)
            del self._held[:size]
            return self._record(values)
        if self._held:
            held = len(self._held)
            self._held.clear()
            raise Disconnected(f"{self._where} ended the line inside a record: {held} of {size} bytes")
        return None


Value = Union[float, int, bool, complex, None]


@dataclass(frozen=True)
class Sample:
    """A sample of VILLASnode.

    Attributes:
        values: A value for each signal: float, int, bool or complex as it was sent. None is one that was not measured or is NaN.
        sequence: Its number, if it has one.
        origin_ts: When it was made, as (seconds, nanoseconds) since 1970.
        received_ts: When it arrived, likewise.
    """

    values: List[Value]
    sequence: Optional[int] = None
    origin_ts: Optional[Tuple[int, int]] = None
    received_ts: Optional[Tuple[int, int]] = None

    @property
    def origin(self) -> Optional[float]:
        """When it was made, in seconds since 1970."""
        return _seconds(self.origin_ts)

    @property
    def received(self) -> Optional[float]:
        """When it arrived, in seconds since 1970."""
        return _seconds(self.received_ts)


def samples(stream: Iterable[Union[str, bytes]]) -> Iterator[Sample]:
    """Reads samples from lines of JSON, as `labwire villas-echo`, `labwire villas-pipe` and VILLASnode print them.

    Args:
        stream: The lines: `sys.stdin`, an open file, or the `stdout` of a `subprocess.Popen`.

    Returns:
        The samples, each as soon as its line is there.

    Raises:
        ValueError: If a line is not a sample; it says which.
    """
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_constant=_refuse_constant)
            read = [_sample(item) for item in (found if isinstance(found, list) else [found])]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"Cannot read a sample in line {number}, {_shown(line)}: {error!r}") from None
        yield from read


def _sample(item: Dict[str, Any]) -> Sample:
    times = item.get("ts") or {}
    return Sample(
        [_value(value) for value in item["data"]],
        item.get("sequence"),
        _time(times.get("origin")),
        _time(times.get("received")),
    )


def _value(value: Any) -> Value:
    if isinstance(value, dict):
        return complex(value["real"], value["imag"])
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise ValueError(f"expected a number, got {value!r}")


def _time(parts: Any) -> Optional[Tuple[int, int]]:
    if parts is None:
        return None
    seconds, nanoseconds = parts
    return int(seconds), int(nanoseconds)


def _seconds(parts: Optional[Tuple[int, int]]) -> Optional[float]:
    return None if parts is None else parts[0] + parts[1] / 1e9


class _Late(Exception):
    """A deadline has passed."""


class _Ended(Exception):
    """The other side has ended the connection."""


class _Deadline:
    """A point in time, or none."""

    def __init__(self, seconds: Optional[float]) -> None:
        seconds = _waitable(seconds)
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> Optional[float]:
        """Seconds until then; raises _Late if there are none."""
        if self._end is None:
            return None
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise _Late
        return seconds

    def within(self, seconds: float) -> _Deadline:
        """The same, or so many seconds from now where that is earlier."""
        left = self.left()
        return _Deadline(seconds if left is None else min(left, seconds))


def _waitable(seconds: Optional[float]) -> Optional[float]:
    return None if seconds is None or seconds > _LONGEST else seconds


class _Connection:
    """A TCP or TLS connection that never blocks longer than it is told, whatever other threads do with it."""

    def __init__(self, host: str, port: int, timeout: Optional[float], tls: Optional[ssl.SSLContext]) -> None:
        where = _address(host, port)
        if not 0 < int(port) < 65536:  # some systems would connect to another one
            raise ValueError(f"Cannot connect to {where}: expected a port from 1 to 65535")
        try:
            plain = socket.create_connection((host, int(port)), _waitable(timeout))
        except socket.timeout:
            # The system gives up after some minutes, whatever the limit is.
            limit = "" if timeout is None else f" within {timeout:g} s"
            raise Refused(f"Cannot connect to {where}{limit}: nobody answers there") from None
        except (OSError, UnicodeError) as error:
            raise Refused(f"Cannot connect to {where}: {error}; is the server running?") from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
            self._socket.settimeout(0)
        except (OSError, ValueError) as error:
            plain.close()
            raise Refused(f"Cannot speak TLS with {where}: {error}") from error
        except BaseException:
            plain.close()
            raise
        self._closed = False
        self._lock = threading.Lock()  # OpenSSL must not read and write at the same time
        self._again: Tuple[Any, ...] = (BlockingIOError,)
        if tls is not None:
            import ssl

            self._again = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def send(self, data: bytes, deadline: _Deadline) -> None:
        rest = memoryview(data)
        while rest:
            try:
                with self._lock:
                    sent = self._socket.send(rest)
                rest = rest[sent:]
            except self._again as error:
                self._wait("Read" not in type(error).__name__, deadline)

    def receive(self, deadline: _Deadline) -> bytes:
        """What arrives next; empty at the end."""
        while True:
            try:
                with self._lock:
                    return self._socket.recv(1 << 16)
            except self._again as error:
                self._wait("Write" in type(error).__name__, deadline)
            except OSError:
                if self._closed:
                    return b""
                raise

    def unsolicited(self) -> Optional[bytes]:
        """What has arrived although nothing was asked; empty where the other side has ended the connection, None while it is silent."""
        try:
            with self._lock:
                found = b"\n"
                while found.isspace():  # blank lines are nothing
                    found = self._socket.recv(1 << 16)
                return found
        except self._again:
            return None
        except OSError:
            return b""

    def close_write(self) -> None:
        with self._lock:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the other side is gone

    def close(self) -> None:
        self._closed = True
        try:
            # This ends the wait of another thread too.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _wait(self, writing: bool, deadline: _Deadline) -> None:
        """Waits until the system has bytes, or takes some."""
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return  # another thread has closed it
        seconds = deadline.left()
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT if writing else select.POLLIN)
            poll.poll(None if seconds is None else math.ceil(seconds * 1000))
        else:  # Windows, where Ctrl-C does not end this call
            wanted = [descriptor]
            seconds = 0.5 if seconds is None else min(seconds, 0.5)
            select.select([] if writing else wanted, wanted if writing else [], wanted, seconds)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _record_type(
    layout: struct.Struct, format: str, fields: Union[str, Sequence[str], None]
) -> Callable[[Tuple[Any, ...]], Tuple[Any, ...]]:
    if fields is None:
        return lambda values: values
    names = [name.strip() for name in fields.split(",")] if isinstance(fields, str) else list(fields)
    count = len(layout.unpack(bytes(layout.size)))
    if count != len(names):
        raise ValueError(f"Cannot name the values of {format!r}: it has {count}, and there are {len(names)} names")
    return collections.namedtuple("Record", names)._make


def _encode(message: Any, what: str) -> bytes:
    """A message as one line of JSON."""
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, default=_plain, separators=(",", ":"))
        return text.encode() + b"\n"
    except UnicodeEncodeError as error:
        raise ValueError(f"Cannot send {what}: a text in it is no valid Unicode ({error.reason})") from None
    except ValueError as error:
        where = _not_finite(message, "")
        if where is None:
            raise ValueError(f"Cannot send {what}: {error}") from None
        raise ValueError(f"Cannot send {what}: {where}, which JSON does not have; None says that there is no value") from None
    except TypeError as error:
        raise TypeError(f"Cannot send {what}: {error}") from None


def _plain(value: Any) -> Any:
    """Numpy's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        simple = value.tolist()
        return float(simple) if type(simple) is type(value) else simple  # Python has no longdouble
    raise TypeError(f"expected what JSON has, got {type(value).__name__}")


def _not_finite(value: Any, path: str) -> Optional[str]:
    """Says where NaN or an infinity is."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{path.lstrip('.') or 'it'} is {value!r}"
    try:
        if isinstance(value, dict):
            found = (_not_finite(item, f"{path}.{name}") for name, item in value.items())
        elif isinstance(value, (list, tuple)):
            found = (_not_finite(item, f"{path}[{index}]") for index, item in enumerate(value))
        else:
            return None
        return next((text for text in found if text is not None), None)
    except RecursionError:
        return None


def _is_object(line: bytearray) -> bool:
    """Whether it is all of a JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_same(wanted: Any, found: Any) -> bool:
    """Whether an answer's id may be that of a message: a server may write a number in another form."""
    plain = (str, int, float)
    if not isinstance(wanted, plain) or not isinstance(found, plain) or str(wanted) == str(found):
        return True
    try:
        return float(wanted) == float(found)
    except (ValueError, OverflowError):
        return False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond what a float can hold")
    return number


def _shown(line: Union[str, bytes]) -> str:
    text = line.decode(errors="replace") if isinstance(line, bytes) else line
    text = text.rstrip("\r\n")
    return repr(text if len(text) <= 200 else f"{text[:200]}...")
