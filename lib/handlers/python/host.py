"""Runs a user's module in Python for labwire, which starts this program and keeps it running.

It keeps its standard streams for itself and speaks frames over them: in both directions the length of what follows the header, a letter
for its kind and a number; see `Channel`. What the module prints goes to standard error, and there is nothing for it to read. It needs
Python 3.8 and its standard library; numpy is used where the module has imported it.

Answers are written one by one, each before the next call begins: so labwire knows which call was at hand when this process dies.
"""

import sys

sys.path[:] = [folder for folder in sys.path if folder]  # not the one that labwire runs in, where a json.py may be

import atexit
import builtins
import errno
import io
import json
import marshal
import os
import select
import signal
import struct
import threading
import time
import types

WINDOWS = os.name == "nt"
#: Header of a frame from labwire: length of the payload, kind, number.
FRAME = struct.Struct("<IBI")
#: Header of a frame to labwire: the same, µs in the user's code, µs since the call was read.
ANSWER = struct.Struct("<IBIII")
#: What is known of a sample beside its values: flags, message, sequence, origin and received in s, both in ns.
META = struct.Struct("<IIQqqII")
HAS_SEQUENCE, HAS_ORIGIN, HAS_RECEIVED, HAS_FRAME, NEW_FRAME, START, STOP = 1, 2, 4, 8, 16, 32, 64
#: What the system says where labwire has gone; Windows says that a pipe is invalid.
CLOSED = (errno.EPIPE, errno.ECONNRESET, errno.EINVAL)
#: Seconds that everything may take at the end.
LAST_SECONDS = 5
#: Seconds between two looks whether a peer that is being sent to is still there.
LOOK_SECONDS = 0.05
#: Windows: milliseconds between two looks whether labwire is still there, and the right to wait for its end.
LOOK_MILLISECONDS, SYNCHRONIZE = 500, 0x100000
#: Seconds for which the next call is looked for before this process sleeps.
SPIN_SECONDS = 200e-6
#: After how many such calls it is.
MANY = 16
#: Where this program is in tracebacks.
HOST = "<labwire>"
NOT_COMMANDS = ("setup", "close", "interact", "handle", "handle_batch")

clock = time.perf_counter


class Ended(BaseException):
    """Labwire wants the end, whatever the user's code is doing."""


class Refused(Exception):
    """Something that cannot be called, or passed on, as it is; nobody's code has failed."""


# ---------------------------------------------------------------------------------------------------------------------------------
# The channel to labwire


class Channel:
    """Frames over the standard streams that this process was started with."""

    def __init__(self):
        self.input, self.output = os.dup(0), os.dup(1)
        if WINDOWS:
            import msvcrt

            msvcrt.setmode(self.input, os.O_BINARY)
            msvcrt.setmode(self.output, os.O_BINARY)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdin = sys.__stdin__ = NoInput()
        builtins.input = no_input
        for fd, name in ((1, "stdout"), (2, "stderr")):
            text = open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, text)
            setattr(sys, "__%s__" % name, text)
        self.lock = threading.Lock()
        #: Set when the module's `close()` is about to run.
        self.closing = threading.Event()
        #: Whether labwire wants the end of what does not return, on Windows.
        self.interrupted = False
        self.buffer = bytearray()
        #: Where the next frame begins in it.
        self.at = 0
        self.read_at = 0.0
        #: How many calls came one by one, each soon after the one before. Where they do, it pays to look for the next one rather than to
        #: sleep until it comes; where many come together, it costs the others a processor.
        self.single = 0
        self.may_spin = hasattr(os, "sched_yield") and processors() > 1
        if self.may_spin:
            os.set_blocking(self.input, False)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=hold_end, after_in_parent=release_end, after_in_child=self.forked)

    def forked(self):
        """The other process of a fork has nothing to say to labwire, which does not interrupt it: it ends as it would elsewhere."""
        if isinstance(getattr(signal.getsignal(signal.SIGTERM), "__self__", None), Host):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        release_end()
        os.close(self.input)
        os.close(self.output)
        self.input = self.output = -1

    def frames(self):
        """The frames from labwire, to the end: kind, number, payload."""
        buffer = self.buffer
        while self.input >= 0:
            at = 0
            while len(buffer) - at >= FRAME.size:
                length, kind, number = FRAME.unpack_from(buffer, at)
                end = at + FRAME.size + length
                if len(buffer) < end:
                    break
                payload = bytes(buffer[at + FRAME.size : end])
                self.at = at = end
                yield kind, number, payload
                if self.input < 0:
                    os._exit(0)  # a fork that has come back from the user's code
            del buffer[:at]
            self.at = 0
            chunk = self.read()
            if not chunk:
                return
            self.read_at = clock()
            buffer += chunk

    def read(self):
        """What comes next, nothing at the end. To be woken costs more than to look for a moment."""
        if not self.may_spin:
            return os.read(self.input, 65536)
        begun = clock()
        chunk = None
        while chunk is None and self.single >= MANY and clock() - begun < SPIN_SECONDS:
            try:
                chunk = os.read(self.input, 65536)
            except BlockingIOError:
                os.sched_yield()
        if chunk is None:
            self.poll_input(None)
            chunk = os.read(self.input, 65536)
        alone = len(chunk) >= FRAME.size and len(chunk) == FRAME.size + FRAME.unpack_from(chunk)[0]
        self.single = self.single + 1 if alone and clock() - begun < SPIN_SECONDS else 0
        return chunk

    def sleep_only(self):
        """Looks for nothing: others of this process need the interpreter."""
        if self.may_spin:
            self.may_spin = False
            os.set_blocking(self.input, True)

    def look(self):
        """Reads ahead while a call is being handled: the peers that have gone, None where all have because this is the end."""
        while self.input >= 0 and self.has_input():
            chunk = os.read(self.input, 65536)
            if not chunk:
                return None
            self.buffer += chunk
        gone = []
        at = self.at
        while len(self.buffer) - at >= FRAME.size:
            length, kind, number = FRAME.unpack_from(self.buffer, at)
            at += FRAME.size + length
            if kind == ord("C"):
                return None
            if kind == ord("Q"):
                gone.append(number)
        return gone

    def has_input(self):
        if WINDOWS:
            import _winapi
            import msvcrt

            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(self.input), 0)[0] > 0
        return self.poll_input(0)

    def poll_input(self, timeout):
        """Waits until there is something to read."""
        poll = select.poll()
        poll.register(self.input, select.POLLIN)
        return bool(poll.poll(timeout))

    def send(self, kind, number, payload=b"", micros=0, waited=0):
        """Writes a frame; from any thread."""
        if self.output < 0:
            os._exit(0)
        data = ANSWER.pack(len(payload), ord(kind), number, min(micros, 0xFFFFFFFF), min(waited, 0xFFFFFFFF)) + payload
        with self.lock:
            written = os.write(self.output, data)
            if written < len(data):
                rest = memoryview(data)[written:]
                while len(rest):
                    rest = rest[os.write(self.output, rest) :]

    def send_json(self, kind, number, value, micros=0, waited=0):
        self.send(kind, number, json.dumps(value).encode(), micros, waited)


def hold_end():
    """Has SIGTERM wait: of one that comes too soon the other process of a fork would not know."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def release_end():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def processors():
    """On how many processors this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


NO_INPUT = "Cannot read standard input: a handler has none; what it needs comes in messages, or by --handler-arg to setup(options)"


def no_input(*_):
    raise OSError(NO_INPUT)


class NoInput(io.TextIOBase):
    """Standard input of a module: there is none."""

    encoding = "utf-8"
    read = readline = readlines = no_input

    def __next__(self):
        raise OSError(NO_INPUT)

    def fileno(self):
        return 0

    def isatty(self):
        return False


def watch_input(channel, labwire):
    """Ends this process when labwire has gone, or has asked for the end, and the main thread does not get there in time.

    The user's code is interrupted first, so that its `close()` can run.
    """
    if WINDOWS:
        watch_pipe(channel, labwire)
    else:
        poll = select.poll()
        poll.register(channel.input, 0)
        poll.poll()
        if not channel.closing.wait(LAST_SECONDS) and signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_SECONDS)
    kill_group()
    os._exit(1)


def watch_pipe(channel, labwire):
    """Waits on Windows until labwire has gone, or its last frame waits in the pipe because the user's code does not return."""
    import _thread
    import _winapi
    import msvcrt

    pipe = msvcrt.get_osfhandle(channel.input)
    try:
        process = _winapi.OpenProcess(SYNCHRONIZE, False, labwire)
        while not channel.closing.is_set():
            gone = _winapi.WaitForSingleObject(process, LOOK_MILLISECONDS) == _winapi.WAIT_OBJECT_0
            waiting = _winapi.PeekNamedPipe(pipe, 0)[0]
            if gone or waiting and _winapi.PeekNamedPipe(pipe, waiting)[0].endswith(FRAME.pack(0, ord("C"), 0)):
                break
    except OSError:
        pass  # its other end is closed
    if not channel.closing.wait(LOOK_SECONDS):
        channel.interrupted = True
        _thread.interrupt_main()


def show_nothing():
    """Lets what is printed go nowhere, as whoever showed it has gone."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)


def kill_group():
    """Ends what the module has started: nobody else will, as labwire itself has gone."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        sys.stderr.flush()
        os.killpg(0, signal.SIGKILL)


# ---------------------------------------------------------------------------------------------------------------------------------
# The user's module


def load(path):
    """Loads the module as `python FILE` would, but under its own name and without a compiled copy on disk."""
    path = os.path.abspath(path)
    folder, file = os.path.split(path)
    name = os.path.splitext(file)[0]
    package = name == "__init__"
    if package:
        folder, name = os.path.split(folder)
    elif not WINDOWS:
        folder = os.path.dirname(os.path.realpath(path))
    with open(path, "rb") as file:
        source = file.read()
    if b"\0" in source:
        raise Refused("it is no text in UTF-8: save it as UTF-8, not as UTF-16 or Unicode")
    code = compile(source, path, "exec", dont_inherit=True)
    keep_library(folder, name)
    if b"async" in source:
        Tasks.start()
    if name in sys.modules or name in sys.builtin_module_names:
        name = "handler_" + name
    sys.path.insert(0, folder)
    sys.argv = [path]
    module = types.ModuleType(name)
    module.__file__ = path
    if package:
        module.__package__, module.__path__ = name, [os.path.dirname(path)]
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module


#: What this program imports when it needs it.
LATER = "asyncio base64 collections.abc dataclasses datetime decimal difflib inspect logging pathlib queue traceback typing uuid".split()


def keep_library(folder, name):
    """Imports what this program needs of Python's library while files of the user's with the same names do not hide it."""
    import importlib

    if is_of_library(name):
        importlib.import_module(name)  # or the module would be what it imports
    for file in os.listdir(folder):
        other, ending = os.path.splitext(file)
        if is_of_library(other) and (ending == ".py" or os.path.exists(os.path.join(folder, file, "__init__.py"))):
            for each in LATER:
                importlib.import_module(each)
            return


def is_of_library(name):
    names = getattr(sys, "stdlib_module_names", ())
    if names:
        return name in names
    path = os.path.join(os.path.dirname(os.__file__), name)
    return os.path.exists(path + ".py") or os.path.exists(os.path.join(path, "__init__.py"))


def functions_of(module):
    """The functions that are commands, by name: what `__all__` names, else the module's own."""
    names = getattr(module, "__all__", None)
    found = {}
    for name, value in vars(module).items():
        if name.startswith("_") or name in NOT_COMMANDS or isinstance(value, type) or not callable(value):
            continue
        if is_own(value, module) if names is None else name in names:
            found[name] = value
    return found


def is_own(value, module):
    """Whether a module has made a function, and has not only imported it."""
    import functools

    if isinstance(value, functools.partial):
        return True
    if isinstance(value, types.MethodType) and any(value.__self__ is other for other in vars(module).values()):
        return True  # of an object of the module, whatever that is
    if getattr(value, "__module__", None) != module.__name__:
        return False
    return isinstance(value, (types.FunctionType, types.MethodType)) or hasattr(value, "__wrapped__")


def files_of(module):
    """The files that the module consists of: its own, and those in its folder that it has imported."""
    folder = os.path.join(os.path.dirname(module.__file__), "")
    files = {module.__file__}
    for other in list(sys.modules.values()):
        file = getattr(other, "__file__", None)
        if isinstance(file, str) and file.startswith(folder) and file.endswith(".py") and "site-packages" not in file:
            files.add(file)
    return sorted(files)


class LaterImports:
    """Tells labwire of files that the module imports when it is running already, so that it watches them too."""

    def __init__(self, host):
        self.host = host
        self.timer = None
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if self.timer is None and self.host.channel.output >= 0:  # not in the other process of a fork
            self.timer = threading.Timer(0.1, self.tell)
            self.timer.daemon = True
            self.timer.start()

    def tell(self):
        self.timer = None
        self.host.channel.send_json("M", 0, files_of(self.host.module))


class Tasks:
    """The event loop for `async def`, in a thread of its own, so that it goes on between calls."""

    loop = None
    ended = False

    @classmethod
    def start(cls):
        if cls.loop is not None:
            return
        import asyncio

        cls.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(cls.loop)

        def run():
            asyncio.set_event_loop(cls.loop)
            while not cls.ended:
                try:
                    cls.loop.run_forever()
                except (SystemExit, KeyboardInterrupt):
                    pass  # of a task in the background: the others go on

        threading.Thread(target=run, name="labwire-tasks", daemon=True).start()

    @classmethod
    def submit(cls, awaitable):
        import asyncio

        async def wait():
            try:
                return await awaitable
            except BaseException as error:  # some end the loop, and of some it would be lost where they come from
                raise Raised(error)

        cls.start()
        return asyncio.run_coroutine_threadsafe(wait(), cls.loop)

    @classmethod
    def end(cls):
        """Cancels what is still running, so that its `finally` is carried out."""
        if cls.loop is None:
            return
        import asyncio

        async def cancel():
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await cls.loop.shutdown_asyncgens()

        try:
            asyncio.run_coroutine_threadsafe(cancel(), cls.loop).result(LAST_SECONDS)
        except BaseException:
            pass  # it does not end
        cls.ended = True
        cls.loop.call_soon_threadsafe(cls.loop.stop)


class Raised(Exception):
    """What a task has raised."""


def is_awaitable(value):
    return isinstance(value, types.CoroutineType) or hasattr(value, "__await__")


def settled(value):
    """What a function has returned, once it is there."""
    return result_of(Tasks.submit(value)) if is_awaitable(value) else value


def result_of(task):
    try:
        return task.result()
    except Raised as raised:
        (error,) = raised.args
    raise error


def fault_of(error):
    """What is told of something that was raised: message, place in the user's code, traceback."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    library = os.path.dirname(os.__file__)
    inside = [frame for frame in frames if frame.filename != HOST]
    own = [frame for frame in inside if not frame.filename.startswith((library, "<")) and "site-packages" not in frame.filename]
    if isinstance(error, Refused) and not own:
        return {"message": str(error)}  # nobody's code has failed
    place = None
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        place = "%s:%d" % (shown_path(error.filename), error.lineno)
    elif own or inside:
        frame = (own or inside)[-1]
        place = "%s:%d" % (shown_path(frame.filename), frame.lineno)
    return {
        "message": message_of(error),
        "place": place,
        "trace": "".join(traceback.format_list(inside)[-20:] + traceback.format_exception_only(type(error), error))[-8000:],
    }


def message_of(error):
    try:
        name = type(error).__name__
        if isinstance(error, SyntaxError):
            return str(error.msg)
        if isinstance(error, SystemExit):
            return error.code if isinstance(error.code, str) else "The handler called sys.exit(%s)" % (
                "" if error.code is None else error.code
            )
        text = str(error).encode("utf-8", "backslashreplace").decode()
        if text == "" or isinstance(error, (KeyError, StopIteration, AssertionError, NotImplementedError)):
            return "%s: %s" % (name, text) if text else name
        return text
    except BaseException:
        return type(error).__name__


def shown_path(path):
    """A path as the user would write it."""
    folder = os.path.join(FOLDER, "")
    return path[len(folder) :] if path.startswith(folder) else path


try:
    FOLDER = os.getcwd()
except OSError:
    FOLDER = ""


# ---------------------------------------------------------------------------------------------------------------------------------
# Arguments: what a message has, checked by the annotations of a function


class Mistake(Exception):
    """A value that does not fit: what it is, what was expected, where in the argument."""

    def __init__(self, value, expected, path="", why=None):
        self.value, self.expected, self.path = value, expected, path
        self.why = why or "is %s: expected %s" % (json_text(value), expected)


class Check:
    """Checks a value by an annotation, and makes of it what the function takes."""

    def __init__(self, text, convert):
        self.text, self.convert = text, convert

    def __call__(self, value):
        return self.convert(value, self.text)


def exactly(kind):
    def convert(value, text):
        if type(value) is kind:
            return value
        raise Mistake(value, text)

    return Check(kind.__name__, convert)


def to_float(value, text):
    if type(value) is float:
        return value
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            pass
    raise Mistake(value, text)


def to_bytes(value, text):
    import base64

    if type(value) is str:
        try:
            return base64.b64decode(value, validate=True)
        except ValueError:
            pass
    raise Mistake(value, text)


def any_value(value, _):
    return value


def no_value(value, text):
    if value is None:
        return value
    raise Mistake(value, text)


PLAIN = {
    int: exactly(int),
    str: exactly(str),
    bool: exactly(bool),
    float: Check("float", to_float),
    bytes: Check("bytes (a string in base64)", to_bytes),
    type(None): Check("null", no_value),
}


def within(part, step):
    """Says at which part of a value it does not fit."""
    try:
        return part()
    except Mistake as mistake:
        raise Mistake(mistake.value, mistake.expected, step + mistake.path, mistake.why) from None


def check_for(hint):
    """The check that belongs to an annotation; None where everything fits."""
    try:
        return known_check(hint)
    except Exception:
        return None  # it is nothing of Python's, such as an array or a unit


def known_check(hint):
    import collections.abc as abc
    import dataclasses
    import enum
    import typing

    if isinstance(hint, typing.Hashable) and hint in PLAIN:
        return PLAIN[hint]
    if hint is None:
        return PLAIN[type(None)]
    if hasattr(hint, "__supertype__"):
        return check_for(hint.__supertype__)
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return check_literal(parts)
    if origin is typing.Union or type(hint).__name__ == "UnionType":
        return check_union(parts)
    kind = origin or hint
    if kind in (list, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection, abc.MutableSequence, abc.Set):
        return check_list(kind if kind in (set, frozenset) else list, parts)
    if kind is tuple:
        return check_tuple(parts)
    if kind in (dict, abc.Mapping, abc.MutableMapping):
        return check_dict(parts)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return check_enum(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        fields = [field for field in dataclasses.fields(hint) if field.init]
        given = [field.name for field in fields if (field.default, field.default_factory) != 2 * (dataclasses.MISSING,)]
        return check_object(hint, [field.name for field in fields], given)
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_field_defaults"):
        return check_object(hint, hint._fields, hint._field_defaults)
    if isinstance(hint, type) and hasattr(hint, "__total__"):  # a TypedDict
        names = list(hint.__annotations__)
        return check_object(hint, names, getattr(hint, "__optional_keys__", () if hint.__total__ else names))
    return check_other(hint)


def check_other(hint):
    """The check of a class whose values are written as text or numbers where they are a result."""
    import datetime
    import decimal
    import pathlib
    import uuid

    if hint in (datetime.datetime, datetime.date, datetime.time):
        return made_of(hint.__name__ + " (a string, as in %s)" % shown_time(hint), hint.fromisoformat, str)
    if hint is datetime.timedelta:
        return made_of("timedelta (a number of seconds)", lambda seconds: hint(seconds=seconds), int, float)
    if isinstance(hint, type) and issubclass(hint, (pathlib.PurePath, uuid.UUID)):
        return made_of(hint.__name__ + " (a string)", hint, str)
    if hint is decimal.Decimal:
        return made_of("Decimal (a number or a string)", lambda number: hint(str(number)), int, float, str)
    if getattr(hint, "__module__", None) == "numpy" and getattr(hint, "__name__", None) == "ndarray":
        return made_of("list of numbers", sys.modules["numpy"].array, list)
    return None


def shown_time(kind):
    import datetime

    example = datetime.datetime(2024, 1, 31, 12, 30)
    return (example if kind is datetime.datetime else example.date() if kind is datetime.date else example.time()).isoformat()


def made_of(text, make, *kinds):
    def convert(value, text):
        if type(value) in kinds:
            try:
                return make(value)
            except (ValueError, ArithmeticError):
                pass
        raise Mistake(value, text)

    return Check(text, convert)


def check_literal(choices):
    text = "one of " + ", ".join(json_text(choice) for choice in choices)

    def convert(value, text):
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        raise Mistake(value, text)

    return Check(text, convert)


def check_union(parts):
    checks = [check_for(part) for part in parts]
    if None in checks:
        return None
    checks.sort(key=lambda check: check is PLAIN[float])  # an int stays one where it may
    text = " or ".join(check.text for check in checks)

    def convert(value, text):
        deepest = None
        for check in checks:
            try:
                return check(value)
            except Mistake as mistake:
                if mistake.path and (deepest is None or len(mistake.path) > len(deepest.path)):
                    deepest = mistake
        raise deepest or Mistake(value, text)

    return Check(text, convert)


def check_list(kind, parts):
    item = check_for(parts[0]) if parts else None
    text = "list" if item is None else "list of " + item.text

    def convert(value, text):
        if type(value) is not list:
            raise Mistake(value, text)
        if item is not None:
            value = [within(lambda: item(part), "[%d]" % i) for i, part in enumerate(value)]
        return value if kind is list else kind(value)

    return Check(text, convert)


def check_tuple(parts):
    if not parts or parts == ((),):
        return check_list(tuple, ())
    if len(parts) == 2 and parts[1] is Ellipsis:
        return check_list(tuple, parts[:1])
    items = [check_for(part) for part in parts]
    text = "list of %d: %s" % (len(items), ", ".join("any" if item is None else item.text for item in items))

    def convert(value, text):
        if type(value) is not list or len(value) != len(items):
            raise Mistake(value, text)
        return tuple(
            part if item is None else within(lambda: item(part), "[%d]" % i)
            for i, (item, part) in enumerate(zip(items, value))
        )

    return Check(text, convert)


def check_dict(parts):
    item = check_for(parts[1]) if len(parts) == 2 else None
    key = check_for(parts[0]) if len(parts) == 2 and parts[0] is not str else None
    text = "dict" if item is None else "dict of " + item.text

    def convert(value, text):
        if type(value) is not dict:
            raise Mistake(value, text)
        if item is not None:
            value = {name: within(lambda: item(part), "[%s]" % json_text(name)) for name, part in value.items()}
        if key is PLAIN[int]:
            try:
                value = {int(name): part for name, part in value.items()}
            except ValueError:
                raise Mistake(value, text + " with whole numbers as names") from None
        return value

    return Check(text, convert)


def check_enum(kind):
    choices = {}
    for member in kind:
        choices.setdefault(json_text(member.value), member)
    text = "one of " + ", ".join(choices)

    def convert(value, text):
        member = choices.get(json_text(value))
        if member is not None:
            return member
        if isinstance(value, str) and value in kind.__members__:
            return kind[value]
        raise Mistake(value, text)

    return Check(text, convert)


def check_object(kind, names, optional):
    """The check of a class with fields."""
    hints = hints_of(kind)
    checks = {}
    known = "%s has %s" % (kind.__name__, ", ".join(names))
    text = "%s (an object with %s)" % (kind.__name__, ", ".join(names))

    def convert(value, text):
        if not checks:  # made when it is needed: a dataclass may contain itself
            checks.update((name, check_for(hints.get(name, object))) for name in names)
        if type(value) is not dict:
            raise Mistake(value, text)
        for name in names:
            if name not in value and name not in optional:
                raise Mistake(None, None, "." + name, "is missing: " + known)
        made = {}
        for name, part in value.items():
            if name not in checks:
                raise Mistake(None, None, "." + name, "is not known: " + known)
            check = checks[name]
            made[name] = part if check is None else within(lambda: check(part), "." + name)
        return kind(**made)

    return Check(text, convert)


def hints_of(thing):
    """The annotations of a function or class, those that can be made sense of."""
    import typing

    try:
        return typing.get_type_hints(thing)
    except Exception:
        pass
    hints = {}
    space = getattr(thing, "__globals__", None) or vars(sys.modules.get(thing.__module__, builtins))
    for name, hint in getattr(thing, "__annotations__", {}).items():
        try:
            hints[name] = eval(hint, space) if isinstance(hint, str) else hint
        except Exception:
            pass  # a name that is there for type checkers only
    return hints


def inner_of(function):
    """The function inside a method or a partial one."""
    import functools

    while True:
        if isinstance(function, types.MethodType):
            function = function.__func__
        elif isinstance(function, functools.partial):
            function = function.func
        else:
            return function


def json_text(value, length=60):
    """A value as it is in a message, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=plain)
    except Exception:
        text = repr(value)
    return text if len(text) <= length else text[: length - 1] + "…"


class Command:
    """A function that is called with the fields of a message."""

    def __init__(self, name, function):
        import inspect

        self.name, self.function = name, function
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        self.signature = "%s(%s)" % (name, ", ".join(signature_parts(parameters)))
        self.returns = ""
        if signature.return_annotation is not signature.empty:
            self.returns = " -> " + annotation_text(signature.return_annotation)
        inner = inner_of(function)
        self.doc = inspect.getdoc(inner) or ""
        hints = hints_of(inner)
        self.rest = next((part.name for part in parameters if part.kind is part.VAR_KEYWORD), None)
        self.rest_check = check_for(hints[self.rest]) if self.rest in hints else None
        self.first = [(part.name, part.default) for part in parameters if part.kind is part.POSITIONAL_ONLY]
        named = [part for part in parameters if part.kind not in (part.VAR_KEYWORD, part.VAR_POSITIONAL)]
        self.names = {part.name for part in named}
        self.needed = [part.name for part in named if part.default is part.empty]
        self.checks = []
        for part in named:
            check = check_for(hints[part.name]) if part.name in hints else None
            if check is not None:
                if part.default is None and not fits(check, None):
                    check = or_null(check)
                self.checks.append((part.name, check))
        self.own = tuple(name for name in ("command_id", "id") if name not in self.names)

    def describe(self):
        return {"name": self.name, "signature": self.signature + self.returns, "doc": self.doc}

    def call(self, message):
        for name in self.own:
            message.pop(name, None)
        if self.rest is None and not self.names.issuperset(message):
            name = next(name for name in message if name not in self.names)
            raise self.refused('argument "%s" is not known' % name, name)
        for name in self.needed:
            if name not in message:
                raise self.refused('argument "%s" is missing' % name)
        checks = self.checks
        if self.rest_check is not None:
            checks = checks + [(name, self.rest_check) for name in message if name not in self.names]
        for name, check in checks:
            if name in message:
                try:
                    message[name] = check(message[name])
                except Mistake as mistake:
                    raise self.refused('argument "%s" %s' % (name + mistake.path, mistake.why)) from None
        if self.first:
            first = [message.pop(name, default) for name, default in self.first]
            return self.function(*first, **message)
        return self.function(**message)

    def refused(self, why, name=None):
        import difflib

        near = difflib.get_close_matches(name, self.names, 1) if name else []
        hint = '; did you mean "%s"?' % near[0] if near else ""
        return Refused("Cannot call %s: %s%s" % (self.signature, why, hint))


def fits(check, value):
    try:
        check(value)
        return True
    except Mistake:
        return False


def or_null(check):
    def convert(value, text):
        if value is None:
            return None
        try:
            return check(value)
        except Mistake as mistake:
            raise mistake if mistake.path else Mistake(value, text)

    return Check(check.text + " or null", convert)


def signature_parts(parameters):
    """The parameters as they are written in the source, with the signs between them."""
    kinds = [part.kind for part in parameters]
    star = any(part.kind is part.VAR_POSITIONAL for part in parameters)
    for i, part in enumerate(parameters):
        if part.kind is part.KEYWORD_ONLY and not star:
            star = True
            yield "*"
        yield signature_part(part)
        if part.kind is part.POSITIONAL_ONLY and part.POSITIONAL_ONLY not in kinds[i + 1 :]:
            yield "/"


def signature_part(part):
    """A parameter as it is written in the source."""
    text = {part.VAR_POSITIONAL: "*", part.VAR_KEYWORD: "**"}.get(part.kind, "") + part.name
    if part.annotation is not part.empty:
        text += ": " + annotation_text(part.annotation)
    if part.default is not part.empty:
        text += (" = " if part.annotation is not part.empty else "=") + default_text(part.default)
    return text


def default_text(value):
    import enum

    return "%s.%s" % (type(value).__name__, value.name) if isinstance(value, enum.Enum) else repr(value)


def annotation_text(hint):
    if isinstance(hint, str):
        return hint
    if isinstance(hint, type) and not getattr(hint, "__args__", None):
        return hint.__name__
    return str(hint).replace("typing.", "")


# ---------------------------------------------------------------------------------------------------------------------------------
# Results: what a function returns, as JSON


def plain(value):
    """What JSON has in place of a value that it does not know."""
    import base64
    import collections.abc
    import dataclasses
    import datetime
    import decimal
    import enum
    import pathlib
    import uuid

    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, (set, frozenset, range, collections.deque, collections.abc.MappingView)):
        return list(value)
    if hasattr(value, "tolist"):  # of numpy
        simple = value.tolist()
        return float(simple) if type(simple) is type(value) else simple
    if isinstance(value, complex):
        return {"real": value.real, "imag": value.imag}
    if isinstance(value, (pathlib.PurePath, uuid.UUID)):
        return str(value)
    way = ""
    if hasattr(value, "__next__") or hasattr(value, "__anext__"):
        way = ": return a list"
    elif isinstance(value, decimal.Decimal):
        way = ": return float() or str() of it"
    raise TypeError("%s, which JSON does not have%s" % (article(type(value).__name__), way))


def article(name):
    return ("an " if name[:1] in "AEIOUaeiou" else "a ") + name


def make_encoder():
    """Writes JSON in one line, with as little work for each value as Python's library allows."""
    options = {"ensure_ascii": False, "allow_nan": False, "separators": (",", ":"), "default": plain}
    try:
        from json.encoder import c_make_encoder, encode_basestring

        write = c_make_encoder(None, plain, encode_basestring, None, ":", ",", False, False, False)
        if "".join(write({"a": [1, None]}, 0)) == '{"a":[1,null]}':
            return lambda value: "".join(write(value, 0))
    except Exception:
        pass
    return json.JSONEncoder(**options).encode


encode = make_encoder()


def result_bytes(value, limit):
    """A result as JSON."""
    try:
        data = encode(value).encode()
    except MemoryError:
        raise
    except Exception as error:
        raise Refused("Cannot write result as JSON: %s" % why_not(value, "result", error)) from None
    if len(data) > limit:
        raise Refused("Cannot send result of %d bytes: expected at most %d" % (len(data), limit))
    return data


def why_not(value, name, error):
    """What keeps a value from being JSON, and where."""
    try:
        return unfit(value, name, {}, 0) or str(error)
    except RecursionError:
        return "it nests too deep"
    except Exception:
        return str(error)


def unfit(value, path, inside, depth):
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, float):
        if value - value == 0:
            return None
        return "%s is %s, which JSON does not have" % (path, "NaN" if value != value else "Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            found = "U+%04X" % ord(value[error.start])
            return "%s has half a character (%s, a lone surrogate), which UTF-8 does not have" % (path, found)
        return None
    if id(value) in inside:
        return "%s contains itself" % inside[id(value)]
    inside[id(value)] = path
    if depth > 900:
        return "it nests too deep"
    if isinstance(value, (list, tuple)):
        parts = ((part, "%s[%d]" % (path, i)) for i, part in enumerate(value))
    elif isinstance(value, dict):
        for name in value:
            if not isinstance(name, (str, int, float, type(None))):
                return "%s has %s as a key: expected a string" % (path, article(type(name).__name__))
            if isinstance(name, str):
                bad = unfit(name, "a key of " + path, inside, depth + 1)
                if bad:
                    return bad
        parts = ((part, path + step_to(name)) for name, part in value.items())
    else:
        try:
            parts = ((plain(value), path),)
        except TypeError as error:
            return "%s is %s" % (path, error)
    for part, at in parts:
        bad = unfit(part, at, inside, depth + 1)
        if bad:
            return bad
    del inside[id(value)]
    return None


def step_to(name):
    if isinstance(name, str) and name.isidentifier():
        return "." + name
    return "[%s]" % json_text(name)


# ---------------------------------------------------------------------------------------------------------------------------------
# Samples of VILLASnode


class Sample:
    """The values of all signals at one instant."""

    __slots__ = ("values", "sequence", "origin_ts", "received_ts", "new_frame", "type", "_index")

    def __init__(self, values=(), sequence=None, origin=None, received=None, new_frame=None):
        self.values = values
        self.sequence = sequence
        self.origin_ts = time_pair(origin)
        self.received_ts = time_pair(received)
        self.new_frame = new_frame
        self.type = "data"
        self._index = None

    @property
    def origin(self):
        "When the values were made, in s since 1970; `origin_ts` is the same as (s, ns)."
        return seconds_of(self.origin_ts)

    @origin.setter
    def origin(self, value):
        self.origin_ts = time_pair(value)

    @property
    def received(self):
        "When the sample was received, in s since 1970; `received_ts` is the same as (s, ns)."
        return seconds_of(self.received_ts)

    @received.setter
    def received(self, value):
        self.received_ts = time_pair(value)

    def replace(self, **changes):
        "A copy with some of its parts changed."
        other = Sample.__new__(type(self))
        for name in Sample.__slots__:
            setattr(other, name, getattr(self, name))
        other.values = list(self.values) if "values" not in changes else None
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    __copy__ = replace

    def __repr__(self):
        return "Sample(sequence=%r, values=%r, origin=%r)" % (self.sequence, self.values, self.origin)


def seconds_of(pair):
    return None if pair is None else pair[0] + pair[1] * 1e-9


def time_pair(value):
    """A time as (s, ns), from that or from a float of s."""
    if value is None or isinstance(value, tuple):
        return value
    try:
        whole = int(value // 1)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("Cannot take %r for a time: expected s since 1970, or (s, ns)" % (value,)) from None
    nanos = int(round((value - whole) * 1e9))
    return (whole + 1, 0) if nanos >= 1000000000 else (whole, nanos)


class Samples(list):
    """The samples of a batch: a list, whose values are also a table with a row for each."""

    _table = None
    #: The table as it was made; None where it was only assigned.
    _before = None
    #: The samples of its rows; None where that is all of them, which have not been made.
    _rows = None
    #: The first sample of the batch, whatever becomes of the list.
    _first = None

    def __init__(self, begin, count):
        super().__init__()
        self._begin, self._count = begin, count

    @property
    def values(self):
        "The values as a table, of numpy where that is installed: a row for each sample, a column for each signal."
        if self._table is None:
            self._table, self._before = self._make_table(numpy_there())
            self._rows = self._made_rows()
        return self._table

    @values.setter
    def values(self, table):
        rows = self._made_rows()
        if rows != self._rows:
            self._before = None
        self._table, self._rows = table, rows

    def _make_table(self, numpy):
        """The table, and what it looks like before it is changed."""
        table = [sample.values for sample in self]
        if numpy is None:
            return table, [list(row) for row in table]
        table = numpy.array(table)
        return table, table.copy()

    def _made_rows(self):
        return list(self)

    def _has(self, part):
        """Whether something is a sample of this batch, rather than one that was kept from an earlier one."""
        return isinstance(part, Sample) and part._index is not None and 0 <= part._index - self._begin < self._count

    def _put_back(self):
        """Gives the samples what has changed in the table; all else stays as exact as it came."""
        table, before = self._table, self._before
        if table is None or is_same_table(table, before):
            return
        rows = list(self) if self._rows is None else self._rows
        check_table(table, len(rows))
        for i, sample in enumerate(rows):
            if table[i] is sample.values:
                continue  # without numpy, what was changed is in the sample
            row, values = as_list(table[i]), sample.values
            old = [] if before is None else as_list(before[i])
            if not len(old) == len(row) == len(values):
                sample.values = like(row, values)
            elif not all(map(is_same, row, old)):
                sample.values = [kept if is_same(a, b) else new for kept, new, a, b in zip(values, like(row, values), row, old)]


def is_same_table(table, before):
    """Whether a table of numpy is as it was; of a list that is not known."""
    if not hasattr(table, "tobytes") or before is None:
        return False
    return table.dtype == before.dtype and table.shape == before.shape and table.tobytes() == before.tobytes()


def is_same(value, other):
    """Whether two values are the same, with NaN and the sign of zero."""
    return value == other and (value != 0 or str(value) == str(other)) or value != value and other != other


def as_list(row):
    return row.tolist() if hasattr(row, "tolist") else list(row)


def check_table(table, count):
    if getattr(table, "ndim", 2) == 2 and len(table) == count:
        return
    shape = "an array of shape %s" % (table.shape,) if hasattr(table, "shape") else "a table of %d rows" % len(table)
    raise Refused("Refused %s that the handler returned: expected a row for each of %d samples" % (shape, count))


class FloatSamples(Samples):
    """Samples of floats only, as many in each: the table is there first, and the samples when they are asked for."""

    def __init__(self, begin, count, width, payload):
        super().__init__(begin, count)
        self._payload, self._width = payload, width
        self._made = False

    def _make_table(self, numpy):
        if self._made or numpy is None:
            return super()._make_table(numpy)
        start = 9 + self._count * META.size
        before = numpy.frombuffer(self._payload, "<f8", self._count * self._width, start).reshape(self._count, self._width)
        return before.copy(), before

    def _made_rows(self):
        return list(self) if self._made else None

    def _make(self):
        if self._made:
            return
        self._made = True
        payload, count, width = self._payload, self._count, self._width
        flat = struct.unpack_from("<%dd" % (count * width), payload, 9 + count * META.size)
        values = (list(flat[i * width : i * width + width]) for i in range(count))
        super().extend(samples_from(payload, self._begin, count, values))
        self._first = list.__getitem__(self, 0)
        if self._table is not None:
            self._rows = list(self)

    def __len__(self):
        return self._count if not self._made else super().__len__()

    def __bool__(self):
        return len(self) > 0


def _late(name):
    method = getattr(list, name)

    def call(self, *args, **named):
        self._make()
        return method(self, *args, **named)

    call.__name__ = name
    return call


for _name in (
    "__getitem__ __setitem__ __delitem__ __iter__ __contains__ __reversed__ __eq__ __ne__ __add__ __iadd__ __mul__ __repr__ "
    "append clear copy count extend index insert pop remove reverse sort"
).split():
    setattr(FloatSamples, _name, _late(_name))


def numpy_there():
    """numpy, where it is installed; it is loaded when it is asked for the first time."""
    global _numpy
    if _numpy is ...:
        try:
            import numpy as _numpy
        except Exception:
            _numpy = None
    return _numpy


_numpy = ...


def sample_of(meta, values, index):
    flags, _, sequence, origin, received, origin_ns, received_ns = meta
    sample = Sample.__new__(Sample)
    sample.values = values
    sample.sequence = sequence if flags & HAS_SEQUENCE else None
    sample.origin_ts = (origin, origin_ns) if flags & HAS_ORIGIN else None
    sample.received_ts = (received, received_ns) if flags & HAS_RECEIVED else None
    sample.new_frame = bool(flags & NEW_FRAME) if flags & HAS_FRAME else None
    sample.type = "start" if flags & START else "stop" if flags & STOP else "data"
    sample._index = index
    return sample


def samples_from(payload, begin, count, values):
    metas = META.iter_unpack(memoryview(payload)[9 : 9 + count * META.size])
    return [sample_of(meta, row, begin + i) for i, (meta, row) in enumerate(zip(metas, values))]


#: How many samples there were: their numbers tell those of a call from those of an earlier one.
_samples_made = 0


def samples_of(payload):
    """The samples of a call."""
    global _samples_made
    form, count, width = struct.unpack_from("<BII", payload)
    begin, _samples_made = _samples_made, _samples_made + count
    if form == 1:
        return FloatSamples(begin, count, width, payload)
    samples = Samples(begin, count)
    samples += samples_from(payload, begin, count, marshal.loads(memoryview(payload)[9 + count * META.size :]))
    samples._first = samples[0]
    return samples


def message_number(payload, index):
    """In which message a sample came."""
    return struct.unpack_from("<I", payload, 9 + index * META.size + 4)[0]


def plain_values(values):
    """Values as a list of what marshal knows."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    made = []
    for value in values:
        kind = type(value)
        if kind is float or kind is int or kind is bool or kind is complex or value is None:
            made.append(value)
        elif hasattr(value, "tolist"):
            made.append(value.tolist())
        elif isinstance(value, float):
            made.append(float(value))
        elif isinstance(value, bool):
            made.append(bool(value))
        elif isinstance(value, int):
            made.append(int(value))
        else:
            raise Refused("Refused a value of what the handler returned: expected a number, got %s" % article(kind.__name__))
    return made


def reply_of(part, source, index):
    """A reply as labwire takes it; what it leaves out is as in the sample that it answers, whose place in the call is given."""
    if isinstance(part, Sample):
        sample = part
    elif isinstance(part, dict) and "values" in part:
        sample = source.replace(values=part["values"])
        for name, value in part.items():
            setattr(sample, name, value)
    elif is_values(part):
        sample = source.replace(values=part)
    else:
        raise Refused(
            "Refused what the handler returned, %s: expected a sample, several, their values, or None" % article(type(part).__name__)
        )
    sequence, new_frame = sample.sequence, sample.new_frame
    if sequence is not None and not (type(sequence) is int and 0 <= sequence < 1 << 64):
        sequence = fit_sequence(sequence)
    if new_frame is not None and type(new_frame) is not bool:
        raise unfit_part("new_frame", "True or False", new_frame)
    return (
        index,
        sample.type,
        plain_values(sample.values),
        sequence,
        fit_time("origin", sample.origin_ts),
        fit_time("received", sample.received_ts),
        new_frame,
    )


def unfit_part(name, expected, value):
    return Refused("Refused %s of what the handler returned: expected %s, got %s" % (name, expected, shown_record(value)))


def fit_sequence(value):
    """A sequence number, which may be one of numpy's."""
    number = value.tolist() if hasattr(value, "tolist") else value
    if type(number) is int and 0 <= number < 1 << 64:
        return number
    raise unfit_part("sequence", "an integer from 0 to 2^64 - 1", value)


def fit_time(name, pair):
    """A time as (s, ns), which may be integers of numpy's."""
    if pair is None:
        return None
    if type(pair) is tuple and len(pair) == 2:
        s, ns = pair
        if type(s) is int and type(ns) is int:
            return pair
        s, ns = (part.tolist() if hasattr(part, "tolist") else part for part in pair)
        if type(s) is int and type(ns) is int:
            return s, ns
    raise unfit_part(name, "s since 1970, or (s, ns) in integers", pair)


def is_values(part):
    """Whether something is a row of values."""
    if hasattr(part, "tolist"):
        return getattr(part, "ndim", 0) == 1
    return isinstance(part, (list, tuple)) and all(isinstance(value, (int, float, complex)) or hasattr(value, "item") for value in part)


def replies_of(result, source, index):
    """The replies to one sample."""
    if result is None:
        return []
    one = isinstance(result, (Sample, dict)) or (is_values(result) and len(result) > 0)
    if not one and (isinstance(result, (list, tuple, types.GeneratorType)) or getattr(result, "ndim", 0) == 2):
        return [reply_of(part, source, index) for part in result]
    return [reply_of(result, source, index)]


def batch_replies(result, samples):
    """The replies to a batch: as bytes where they are a table of floats, else a list."""
    if result is None:
        return []
    if hasattr(result, "tolist"):
        samples.values = result
        result = samples
    table = samples._table
    if result is samples and samples._made_rows() is None and hasattr(table, "tolist") and table.dtype.kind in "fiu":
        check_table(table, samples._count)
        return struct.pack("<BII", 1, *table.shape) + table.astype("<f8").tobytes()
    samples._put_back()
    replies = []
    parts = [result] if isinstance(result, (Sample, dict)) else list(result)
    aligned = len(parts) == len(samples)
    now = list(samples)
    source = samples._first
    for i, part in enumerate(parts):
        if samples._has(part):
            source = part
        elif aligned and samples._has(now[i]):
            source = now[i]
        if part is None:
            continue
        if is_values(part):
            part = like(part, source.values)
        replies.append(reply_of(part, source, source._index - samples._begin))
    return replies


def like(row, values):
    """A row of a table, which has one kind for all, in the kinds of the values that it comes from."""
    row = row.tolist() if hasattr(row, "tolist") else list(row)
    made = []
    for i, value in enumerate(row):
        kind = type(values[i]) if i < len(values) else None
        if kind is bool and value in (0, 1):
            value = bool(value)
        elif kind is int and type(value) is not int and value == value.real and float(value.real).is_integer():
            value = int(value.real)
        elif kind is float and type(value) in (int, complex) and value == value.real:
            value = float(value.real)
        made.append(value)
    return made


# ---------------------------------------------------------------------------------------------------------------------------------
# Peers of a struct line or a socket


class Peer:
    """The other end of a connection."""

    def __init__(self, host, number, address):
        self._host, self._number = host, number
        #: As in `127.0.0.1:50000`.
        self.address = address
        #: Whether it is still connected.
        self.connected = True

    def send(self, *message):
        "Sends something to it, at any time and from any thread."
        self._host.look()
        if not self.connected:
            raise ConnectionError("Cannot send to %s: it has disconnected" % self.address)
        self._host.channel.send("Y", self._number, self._host.peer_bytes(message))

    def __repr__(self):
        return "<Peer %s>" % self.address


async def send_all(replies, peer):
    async for reply in replies:
        if not peer.connected:
            return await replies.aclose()
        if reply is not None:
            peer.send(reply)


def bytes_of(value):
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise Refused("Cannot send %s: expected bytes" % article(type(value).__name__))


class Records:
    """Records of a struct as tuples."""

    def __init__(self, form, fields):
        try:
            self.struct = struct.Struct(form)
        except struct.error:
            if not set("FD") & set(form):
                raise
            version = "%d.%d" % sys.version_info[:2]
            raise Refused("this is Python %s; complex numbers (F, D) in records need 3.14" % version) from None
        self.format = form
        self.make = None
        #: Where arrays begin and end among the values, from behind.
        self.arrays = []
        if fields:
            import collections

            at = 0
            for field in fields:
                count = field.get("count")
                if count is not None:
                    self.arrays.insert(0, (at, at + count))
                at += 1 if count is None else count
            names = [field["name"] for field in fields]
            self.make = collections.namedtuple("Record", names, rename=True)._make
            self.names = names

    def unpack(self, data):
        for values in self.struct.iter_unpack(data):
            if self.make is None:
                yield values
                continue
            if self.arrays:
                values = list(values)
                for begin, end in self.arrays:
                    values[begin:end] = [tuple(values[begin:end])]
            yield self.make(values)

    def pack(self, record):
        """One record as bytes."""
        shown = record
        if isinstance(record, dict) and self.make:
            missing = [name for name in self.names if name not in record]
            if missing or len(record) > len(self.names):
                raise Refused("Cannot pack %s: expected %s" % (json_text(record), ", ".join(self.names)))
            record = [record[name] for name in self.names]
        elif not isinstance(record, (tuple, list)):
            record = (record,)
        values = []
        for value in record:
            if hasattr(value, "tolist"):
                value = value.tolist()
            if isinstance(value, (tuple, list)) and self.arrays:
                values.extend(value)
            else:
                values.append(value.encode() if isinstance(value, str) else value)
        try:
            return self.struct.pack(*values)
        except struct.error as error:
            raise Refused("Cannot pack %s as %s: %s" % (shown_record(shown), self.format, error)) from None

    def pack_all(self, result):
        """What a handler has returned: a record, or several. A tuple is one record where records have arrays."""
        if result is None:
            return b""
        if hasattr(result, "tolist"):
            result = result.tolist()
        several = isinstance(result, list) or isinstance(result, tuple) and not self.arrays
        if several and all(isinstance(part, (tuple, list, dict)) for part in result):
            return b"".join(self.pack(record) for record in result)
        return self.pack(result)


def shown_record(record):
    text = repr(record)
    return text if len(text) <= 80 else text[:80] + "..."


# ---------------------------------------------------------------------------------------------------------------------------------
# The host


class Host:
    def __init__(self, channel, config):
        self.channel, self.config = channel, config
        self.use = config["use"]
        self.limit = config["limit"]
        self.concurrency = config["concurrency"]
        self.peers = {}
        self.jobs = None
        #: When it was looked which peers have gone, and by which thread.
        self.looked = 0.0
        self.thread = threading.get_ident()
        #: Whether labwire has gone without a word.
        self.orphan = False
        #: Whether the user's code was interrupted because it did not return.
        self.ending = False

    def start(self):
        """Loads the module; what it has is told to labwire."""
        self.module = module = load(self.config["file"])
        names_level()
        setup = getattr(module, "setup", None)
        options = dict(self.config["options"])
        takes = callable(setup) and takes_arguments(setup)
        if takes:
            settled(setup(options))
        elif options:
            raise Refused("it has no setup(options) that could take --handler-arg")
        elif callable(setup):
            settled(setup())
        functions = functions_of(module)
        self.commands = {name.encode(): Command(name, function) for name, function in functions.items()}
        self.interact = function_of(module, "interact")
        self.handle = function_of(module, "handle")
        self.handle_batch = function_of(module, "handle_batch")
        check_form(module, FORMS[self.use["kind"]])
        if self.use["kind"] == "records":
            self.records = Records(self.use["format"], self.use.get("fields"))
        kinds = ("interact", "handle", "handle_batch")
        self.channel.send_json(
            "H",
            0,
            {
                "commands": [command.describe() for command in self.commands.values()],
                "functions": [name for name in kinds if getattr(self, name) is not None],
                "files": files_of(module),
            },
        )
        if self.config["reload"]:
            LaterImports(self)

    def serve(self):
        """Handles calls until labwire asks for the end; tells whether it did."""
        if self.concurrency > 1:
            import queue

            self.channel.sleep_only()
            self.jobs = queue.SimpleQueue()
            for _ in range(self.concurrency):
                threading.Thread(target=self.work, name="labwire-call", daemon=True).start()
        kinds = {ord("J"): self.call_json, ord("S"): self.call_samples, ord("B"): self.call_bytes}
        channel = self.channel
        for kind, number, payload in channel.frames():
            call = kinds.get(kind)
            if call is not None:
                if kind == ord("B"):  # now, as its peer may have gone before its turn comes
                    payload = self.peers[int.from_bytes(payload[:4], "little")], payload[4:]
                if self.jobs is None:
                    self.answer(call, number, payload, channel.read_at)
                    if self.ending:
                        return True
                else:
                    self.jobs.put((call, number, payload, channel.read_at))
            elif kind == ord("P"):
                self.peers[number] = Peer(self, number, payload.decode())
            elif kind == ord("Q"):
                self.peers.pop(number).connected = False
            elif kind == ord("K"):
                self.check_source(number)
            elif kind == ord("C"):
                return True
        return False

    def work(self):
        while True:
            self.answer(*self.jobs.get())

    def answer(self, call, number, payload, read_at):
        """Calls the user's code and writes what came of it."""
        begun = clock()
        try:
            prepared = call(payload)
            if type(prepared) is Later:
                return self.later(prepared, number, begun, read_at)
            kind, data = prepared
        except BaseException as error:
            return self.fail(number, error, begun, read_at)
        ended = clock()
        self.channel.send(kind, number, data, int((ended - begun) * 1e6), int((ended - read_at) * 1e6))

    def later(self, task, number, begun, read_at):
        """Answers a call of an `async def` when it is done; without concurrency nothing else is called until then."""

        def done(future):
            try:
                kind, data = task.finish(result_of(future))
            except BaseException as error:
                return self.fail(number, error, begun, read_at)
            ended = clock()
            self.channel.send(kind, number, data, int((ended - begun) * 1e6), int((ended - read_at) * 1e6))

        future = Tasks.submit(task.awaitable)
        if self.jobs is None:
            try:
                future.exception()
            except BaseException:
                pass  # it was cancelled
            done(future)
        else:
            future.add_done_callback(done)

    def fail(self, number, error, begun, read_at):
        ended = clock()
        fault = fault_of(error)
        micros = int((ended - begun) * 1e6)
        self.channel.send_json("E", number, fault, micros, int((ended - read_at) * 1e6))

    def call_json(self, payload):
        """A message of json-server: the length of the command's name, its name (none for `interact`), then the text."""
        end = payload[0] + 1
        message = parse(payload[end:].decode())
        if end == 1:
            result = self.interact(message)
        else:
            result = self.commands[payload[1:end]].call(message)
        if is_awaitable(result):
            return Later(result, self.json_result)
        return self.json_result(result)

    def json_result(self, result):
        if result is None:
            return "N", b""
        return "R", result_bytes(result, self.limit)

    def call_bytes(self, call):
        """Bytes or records, and the peer that they come from."""
        peer, data = call
        if self.use["kind"] == "bytes":
            result = self.handle(data, peer)
            return Later(result, self.bytes_result) if is_awaitable(result) else self.bytes_result(result)
        replies = []
        for record in self.records.unpack(data):
            result = settled(self.handle(record, peer))
            if hasattr(result, "__next__"):
                for reply in result:
                    self.look()
                    if not peer.connected:
                        result.close()
                        break
                    if reply is not None:
                        peer.send(reply)
            elif hasattr(result, "__anext__"):
                self.wait_for(Tasks.submit(send_all(result, peer)))
            else:
                replies.append(self.records.pack_all(result))
        answer = b"".join(replies)
        self.check_length(answer)
        return "R", answer

    def look(self):
        """Notes which peers have gone, where labwire's word of it waits behind the call at hand."""
        now = clock()
        if self.jobs is not None or now - self.looked < LOOK_SECONDS or threading.get_ident() != self.thread:
            return
        self.looked = now
        gone = self.channel.look()
        for number in list(self.peers) if gone is None else gone:
            peer = self.peers.get(number)
            if peer is not None:
                peer.connected = False

    def wait_for(self, task):
        """Waits for a task of the event loop."""
        from concurrent import futures

        while not task.done():
            futures.wait((task,), LOOK_SECONDS)
            self.look()
        result_of(task)

    def check_length(self, data):
        if len(data) > self.limit:
            raise Refused("Cannot send %d bytes: expected at most %d" % (len(data), self.limit))

    def bytes_result(self, result):
        if result is None:
            return "N", b""
        data = bytes_of(result)
        self.check_length(data)
        return "R", data

    def peer_bytes(self, message):
        if self.use["kind"] == "records":
            data = self.records.pack_all(message[0] if len(message) == 1 else message)
        else:
            data = b"".join(bytes_of(part) for part in message)
        self.check_length(data)
        return data

    def call_samples(self, payload):
        """Samples, of one or more messages."""
        samples = samples_of(payload)
        if self.handle_batch is not None:
            replies = batch_replies(settled(self.handle_batch(samples)), samples)
            return "R", replies if type(replies) is bytes else b"\0" + marshal.dumps((replies, []), 2)
        replies, faults, failed = [], [], set()
        for i, sample in enumerate(samples):
            try:
                replies += replies_of(settled(self.handle(sample)), sample, i)
            except BaseException as error:
                if self.ending:
                    raise  # the others would take time that close() needs
                number = message_number(payload, i)
                if number not in failed:
                    failed.add(number)
                    fault = fault_of(error)
                    refused = isinstance(error, Refused)
                    faults.append((number, refused, fault["message"], fault.get("place"), fault.get("trace")))
        return "R", b"\0" + marshal.dumps((replies, faults), 2)

    def check_source(self, number):
        """Looks whether the module's files, as they are now, are Python."""
        fault = None
        for path in files_of(self.module):
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec", dont_inherit=True)
            except FileNotFoundError:
                pass
            except BaseException as error:
                fault = fault_of(error)
                break
        self.channel.send_json("K", number, fault)

    def end(self, *_):
        if self.channel.closing.is_set():
            return
        self.ending = True
        raise Ended("The handler was interrupted, as labwire ends")

    def close(self):
        """Runs what the module wants to happen at the end."""
        close = getattr(self.module, "close", None)
        if not callable(close):
            return
        try:
            settled(close())
        except BaseException as error:
            self.channel.send_json("W", 0, fault_of(error))


    def last(self):
        if self.orphan:
            kill_group()


class Later:
    """The result of an `async def`, and what is made of it."""

    def __init__(self, awaitable, finish):
        self.awaitable, self.finish = awaitable, finish


def takes_arguments(function):
    import inspect

    return bool(inspect.signature(function).parameters)


def function_of(module, name):
    function = getattr(module, name, None)
    return function if callable(function) else None


#: How the functions look that are called for what is exchanged; the first one that is there counts.
FORMS = {
    "commands": ("interact(message)",),
    "samples": ("handle_batch(samples)", "handle(sample)"),
    "records": ("handle(record, peer)",),
    "bytes": ("handle(data, peer)",),
}


def check_form(module, forms):
    """Refuses a function that cannot be called as it is to be called, before the first message fails because of it."""
    import inspect

    form = next((form for form in forms if function_of(module, form.partition("(")[0])), None)
    if form is None:
        return
    name = form.partition("(")[0]
    try:
        signature = inspect.signature(function_of(module, name))
    except (TypeError, ValueError):
        return  # it does not say
    try:
        signature.bind(*[None] * (form.count(",") + 1))
    except TypeError:
        raise Refused('it has %s%s: expected "def %s: …"' % (name, signature, form)) from None


def names_level():
    """Lets what is logged without more ado say its level."""
    logging = sys.modules.get("logging")
    if logging is not None and logging.lastResort is not None:
        logging.lastResort.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))


def make_parser():
    """Parses JSON with as little work as Python's library allows; labwire has checked that it is JSON."""
    decoder = json.JSONDecoder()
    scan = decoder.scan_once

    def parse(text):
        try:
            return scan(text, 0)[0]
        except StopIteration:
            return decoder.decode(text.strip())

    return parse


parse = make_parser()


def main():
    channel = Channel()
    frames = channel.frames()
    first = next(frames, None)
    if first is None:
        return
    config = json.loads(first[2])
    channel.send("I", 0)
    threading.Thread(target=watch_input, args=(channel, config["labwire"]), name="labwire-watch", daemon=True).start()
    if WINDOWS:  # elsewhere Ctrl-C does not reach this process
        for name in ("SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
    import faulthandler

    faulthandler.enable(file=2, all_threads=False)  # says where it crashes
    host = Host(channel, config)
    atexit.register(host.last)  # what is registered first runs last
    try:
        import logging

        logging.lastResort.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
        host.start()
    except BaseException as error:
        fault = {"message": str(error)} if isinstance(error, Refused) else load_fault(error)
        channel.send_json("F", 0, fault)
        sys.exit(1)
    if WINDOWS:  # where nobody sends SIGTERM, and Ctrl-C looks like the interruption by `watch_pipe`
        ends, handler = signal.SIGINT, lambda *_: channel.interrupted and host.end()
    else:
        ends, handler = signal.SIGTERM, host.end
    signal.signal(ends, handler)
    try:
        asked = host.serve()
    except Ended:
        asked = True
    except OSError as error:
        if error.errno not in CLOSED:
            raise
        asked = False
    channel.closing.set()
    host.orphan = not asked
    if host.orphan:
        show_nothing()  # or the first print() of close() would end it
    try:
        host.close()
    except OSError:
        pass  # labwire has gone
    Tasks.end()


def load_fault(error):
    """What keeps a module from loading."""
    fault = fault_of(error)
    if isinstance(error, ModuleNotFoundError):
        fault["message"] = '%s; "%s -m pip install %s" may install it' % (
            fault["message"],
            sys.executable,
            (error.name or "it").split(".")[0],
        )
    elif not isinstance(error, (SyntaxError, SystemExit)):
        fault["message"] = "%s: %s" % (type(error).__name__, error)
    return fault


if __name__ == "__main__":
    main()
