"""Tries out the client for Python: against labwire's servers, and against servers that go wrong in every way.

Arguments: the port of a JSON server that runs client_py_equipment.py, that of a struct line that echoes "<Id", and the port of a JSON server
that speaks TLS with its certificate. Samples are on standard input.
"""

import contextlib
import errno
import io
import json
import socket
import ssl
import struct
import sys
import threading
import unittest
import unittest.mock

from labwire_client import (
    BadAnswer,
    Disconnected,
    Equipment,
    EquipmentError,
    Failed,
    Line,
    Refused,
    Sample,
    TimedOut,
    samples,
)

JSON_PORT, LINE_PORT, TLS_PORT, CERTIFICATE = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


@contextlib.contextmanager
def server(serve):
    """A server whose connections are handled by `serve(connection, number)`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = threading.Semaphore(0)

        def run():
            number = 0
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    serve(connection, number)
                closed.release()
                number += 1

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1], closed
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def answer(connection, text=b'{"status":"success","result":1}\n'):
    line = connection.makefile("rb").readline()
    connection.sendall(text)
    return line


class EquipmentTest(unittest.TestCase):
    def setUp(self):
        self.supply = Equipment("127.0.0.1", JSON_PORT)
        self.addCleanup(self.supply.close)

    def test_commands_are_methods(self):
        with Equipment("127.0.0.1", JSON_PORT) as supply:
            self.assertIsNone(supply.set_voltage(volts=12.5))
            self.assertEqual(supply.get_voltage(), 12.5)
            self.assertEqual(supply.call("get_voltage"), 12.5)
            self.assertEqual(supply.send({"command_id": "get_voltage"}), 12.5)

    def test_every_kind_of_value_comes_back(self):
        for value in [None, True, 0, 1.0, -0.0, 2**53 + 1, -(2**200), 1e300, "Gr\u00f6\u00dfe \U0001f50c \x00", [1, [2.5]], {"a b": None}]:
            with self.subTest(value):
                back = self.supply.echo(value=value)
                self.assertEqual(back, value)
                self.assertIs(type(back), type(value))

    def test_failures_have_the_message_of_the_server(self):
        with self.assertRaises(Failed) as caught:
            self.supply.explode(at="dawn")
        self.assertEqual(str(caught.exception), "It exploded at dawn")
        self.assertEqual(caught.exception.answer["status"], "error")
        self.assertIsInstance(caught.exception, EquipmentError)
        with self.assertRaisesRegex(Failed, "Unknown command get_volt$"):
            self.supply.get_volt()

    def test_nan_is_refused_where_it_is(self):
        for value, where in [(float("nan"), "volts is nan"), ({"a": [0, float("-inf")]}, r"volts\.a\[1\] is -inf")]:
            with self.assertRaisesRegex(ValueError, "Cannot send set_voltage: " + where):
                self.supply.set_voltage(volts=value)
        with self.assertRaisesRegex(TypeError, "set"):
            self.supply.set_voltage(volts={1})
        with self.assertRaisesRegex(ValueError, "Unicode"):
            self.supply.set_voltage(volts="\ud800")
        cycle = []
        cycle.append(cycle)
        with self.assertRaisesRegex(ValueError, "(?i)circular"):
            self.supply.set_voltage(volts=cycle)
        self.assertEqual(self.supply.echo(value=1), 1)

    def test_numpy(self):
        try:
            import numpy
        except ImportError:
            self.skipTest("needs numpy")
        self.assertEqual(self.supply.echo(value=numpy.float32(0.5)), 0.5)
        self.assertEqual(self.supply.echo(value=numpy.int64(2**62)), 2**62)
        self.assertEqual(self.supply.echo(value=numpy.longdouble(0.5)), 0.5)
        self.assertEqual(self.supply.echo(value=numpy.arange(4).reshape(2, 2)), [[0, 1], [2, 3]])
        with self.assertRaisesRegex(ValueError, r"value\[1\] is nan"):
            self.supply.echo(value=numpy.array([1, numpy.nan]))

    def test_tab_offers_the_commands_and_help_shows_them(self):
        import pydoc

        found = dir(self.supply)
        self.assertEqual([name for name in found if name in ("get_voltage", "mode", "call", "self test", "explode")], ["call", "get_voltage", "mode"])

        def shown(command):
            return pydoc.plain(pydoc.render_doc(command))

        self.assertIn("get_voltage() -> float\n    The output, in V.", shown(self.supply.get_voltage))
        self.assertIn("set_voltage(volts: float, /, *rest, on: 'bool' = True, **more)", shown(self.supply.set_voltage))
        self.assertIn("mode(to=<Mode.A: 1>)\n    \n    Another mode.", shown(self.supply.mode).replace("\n\n", "\n    \n"))
        self.assertIn("get_volts(", shown(self.supply.get_volts))  # of which nothing is known
        self.assertEqual(self.supply.get_voltage.__name__, "get_voltage")

    def test_tab_does_not_disturb(self):
        asked = []

        def serve(connection, number):
            for line in connection.makefile("rb"):
                asked.append(json.loads(line)["command_id"])
                connection.sendall(b'{"status":"error","error":"what?"}\n')

        with server(serve) as (port, closed):
            with Equipment("127.0.0.1", port) as supply:
                self.assertEqual(asked, [])  # nothing is sent that nobody has asked for
                self.assertIn("call", dir(supply))
                self.assertIn("call", dir(supply))
                self.assertEqual(supply.get.__doc__, "")
            self.assertIn("call", dir(supply))  # closed
            closed.acquire(timeout=10)
        self.assertEqual(asked, ["list_commands"])

    def test_arguments_have_names(self):
        with self.assertRaisesRegex(TypeError, r"set_voltage\(name=12.5\)"):
            self.supply.set_voltage(12.5)
        with self.assertRaisesRegex(TypeError, "command_id"):
            self.supply.call("echo", **{"command_id": "off"})
        self.assertEqual(self.supply.call("echo", value=1, self=2), 1)
        self.assertFalse(hasattr(self.supply, "_repr_html_"))
        self.assertEqual(repr(self.supply), "<Equipment at 127.0.0.1:%d>" % JSON_PORT)

    def test_threads_may_share_it(self):
        found = {}

        def ask(number):
            found[number] = [self.supply.echo(value=number) for _ in range(50)]

        threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, {number: [number] * 50 for number in range(8)})

    def test_another_thread_may_close_it_meanwhile(self):
        connection = self.supply._connection
        with unittest.mock.patch.object(connection, "unsolicited", lambda: self.supply.close()):
            with self.assertRaisesRegex(Disconnected, "echo is not sent as a whole"):
                self.supply.echo(value=1)
        self.assertEqual(self.supply.echo(value=2), 2)

    def test_large_messages(self):
        text = "x" * 900000
        self.assertEqual(self.supply.echo(value=text), text)

    def test_tls(self):
        with Equipment("localhost", TLS_PORT, tls=ssl.create_default_context(cafile=CERTIFICATE)) as supply:
            for value in (1, "x" * 300000):
                self.assertEqual(supply.echo(value=value), value)
        with self.assertRaisesRegex(Refused, "Cannot speak TLS"):
            Equipment("localhost", TLS_PORT, tls=ssl.create_default_context())

    def test_refused(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            with self.assertRaisesRegex(Refused, r"Cannot connect to 127\.0\.0\.1:%d: .*is the server running\?" % port) as caught:
                Equipment("127.0.0.1", port)
            self.assertIsInstance(caught.exception, ConnectionError)
        with self.assertRaises(Refused):
            Equipment("no.such.host.invalid")

    def test_another_port_is_not_taken_for_it(self):
        for port in (JSON_PORT + 65536, 0, -1):
            with self.assertRaisesRegex(ValueError, "expected a port from 1 to 65535"):
                Equipment("127.0.0.1", port)

    def test_the_system_gives_up(self):
        # As after two minutes, where a firewall drops what is sent.
        given_up = unittest.mock.patch("socket.create_connection", side_effect=socket.timeout(errno.ETIMEDOUT, "Connection timed out"))
        for timeout in (None, float("inf")):
            with given_up, self.assertRaisesRegex(Refused, "nobody answers there"):
                Equipment("127.0.0.1", JSON_PORT, timeout=timeout)

    def test_no_limit(self):
        for timeout in (None, float("inf"), 1e10):
            with Equipment("127.0.0.1", JSON_PORT, timeout=timeout) as supply:
                self.assertEqual(supply.echo(value=1), 1)

    def test_refused_with_a_word(self):
        with server(lambda connection, _: connection.sendall(b'{"status":"error","error":"Too many"}\n')) as (port, closed):
            supply = Equipment("127.0.0.1", port)
            closed.acquire()
            with self.assertRaisesRegex(Refused, "Too many"):
                supply.off()

    def test_timed_out(self):
        over = threading.Event()

        def serve(connection, number):
            if number == 1:
                return answer(connection)
            connection.makefile("rb").readline()
            over.wait()
            connection.sendall(b'{"status":"success","result":"late"}\n')

        with server(serve) as (port, _):
            with Equipment("127.0.0.1", port, timeout=0.05) as supply:
                with self.assertRaisesRegex(TimedOut, "within 0.05 s: off was sent, and may still be carried out") as caught:
                    supply.off()
                self.assertIsInstance(caught.exception, TimeoutError)
                # The late answer is not taken for that of the next command.
                over.set()
                supply.timeout = 10
                self.assertEqual(supply.on(), 1)

    def test_timed_out_while_sending(self):
        over = threading.Event()
        with server(lambda connection, _: over.wait()) as (port, _):
            with Equipment("127.0.0.1", port, timeout=0.05) as supply:
                with self.assertRaisesRegex(TimedOut, "off is not sent as a whole"):
                    supply.off(text="x" * 50000000)
                over.set()

    def test_disconnected(self):
        with server(lambda connection, _: connection.makefile("rb").readline()) as (port, _):
            with Equipment("127.0.0.1", port) as supply:
                with self.assertRaisesRegex(Disconnected, "closed the connection without an answer: off was sent, and may still be"):
                    supply.off()

    def test_connects_again_after_a_silence(self):
        with server(lambda connection, _: answer(connection)) as (port, closed):
            with Equipment("127.0.0.1", port) as supply:
                for _ in range(3):
                    self.assertEqual(supply.off(), 1)
                    closed.acquire()

    def test_bad_answers(self):
        for text, why in [
            (b"hello\n", "'hello'"),
            (b"[1]\n", "expected a"),
            (b'{"status":"ok"}\n', "expected a"),
            (b'{"status":"success","result":NaN}\n', "NaN is not JSON"),
            (b'{"status":"success","result":1e400}\n', "1e400"),
            (b"\xff\n", "utf-8"),
            (b"[" * 100000 + b"\n", "recursion"),
        ]:
            with self.subTest(why), server(lambda connection, _: answer(connection, text)) as (port, _):
                with Equipment("127.0.0.1", port) as supply:
                    with self.assertRaisesRegex(BadAnswer, "Cannot read the answer to off(.|\n)*" + why):
                        supply.off()
        with server(lambda connection, _: answer(connection, b"x" * 2000000)) as (port, _):
            with Equipment("127.0.0.1", port, max_bytes=1000) as supply:
                with self.assertRaisesRegex(BadAnswer, "longer than 1000 bytes"):
                    supply.off()

    def test_answers_without_a_newline(self):
        answered = b'{"status":"success","result":1}'

        def serve(connection, number):
            for _ in range(3 if number == 0 else 1):
                answer(connection, answered[:9])
                connection.sendall(answered[9:])

        with server(serve) as (port, closed), Equipment("127.0.0.1", port, timeout=2) as supply:
            for _ in range(3):
                self.assertEqual(supply.off(), 1)
            self.assertEqual(supply.off(), 1)  # the server closes after it
        with server(lambda connection, _: answer(connection, answered[:9])) as (port, _), Equipment("127.0.0.1", port) as supply:
            with self.assertRaises(Disconnected):
                supply.off()

    def test_blank_lines_are_no_answers(self):
        numbers, answered, blank = [], threading.Semaphore(0), threading.Semaphore(0)

        def serve(connection, number):
            while answer(connection, b'\n{"status":"success"}\r\n \n'):
                numbers.append(number)
                answered.acquire()
                connection.sendall(b"\n\r\n")
                blank.release()

        with server(serve) as (port, _), Equipment("127.0.0.1", port) as supply:
            for _ in range(3):
                supply.off()
                answered.release()
                blank.acquire()
        self.assertEqual(numbers, [0, 0, 0])

    def test_no_answer_of_another_command(self):
        success = b'{"status":"success","result":1}\n'
        for more in (success, success[:9], b"moving\n"):
            more_came = threading.Event()

            def serve(connection, number):
                answer(connection, success + more)
                more_came.wait()
                connection.sendall(success[9:])

            with self.subTest(more), server(serve) as (port, _), Equipment("127.0.0.1", port) as supply:
                for _ in range(2):
                    self.assertEqual(supply.off(), 1)
                    more_came.set()

    def test_what_came_before_a_command_is_no_answer_to_it(self):
        def serve(connection, number):
            if number == 0:
                return connection.sendall(b"moving\n")
            answer(connection)

        with server(serve) as (port, closed), Equipment("127.0.0.1", port) as supply:
            closed.acquire()
            self.assertEqual(supply.off(), 1)

    def test_answers_to_other_messages(self):
        for wanted, found, is_same in [(1, "2", False), ("a", '"b"', False), (1, '"1.0"', True), (7, "null", True), ([1], "[2]", True), (None, "3", True)]:
            text = ('{"status":"success","id":%s}\n' % found).encode()
            with self.subTest((wanted, found)), server(lambda connection, _: answer(connection, text)) as (port, _), Equipment("127.0.0.1", port) as supply:
                if is_same:
                    supply.off(id=wanted)
                    continue
                with self.assertRaisesRegex(BadAnswer, "another message: expected the id %s, found %s" % (json.dumps(wanted), found)):
                    supply.off(id=wanted)

    def test_answers_in_pieces(self):
        def serve(connection, _):
            connection.makefile("rb").readline()
            for byte in b'\n\r\n{"status":"success",\t"result":[1]}\r\n':
                connection.sendall(bytes([byte]))

        with server(serve) as (port, _), Equipment("127.0.0.1", port) as supply:
            self.assertEqual(supply.off(), [1])


class LineTest(unittest.TestCase):
    def test_records_come_back(self):
        with Line("127.0.0.1", LINE_PORT, "<Id") as line:
            line.send(1, 0.75)
            line.send((2, 1.5))
            self.assertEqual(line.receive(), (1, 0.75))
            self.assertEqual(line.receive(10), (2, 1.5))
            with self.assertRaises(struct.error):
                line.send(-1, 0)
            line.close_write()
            self.assertEqual(list(line), [])
            with self.assertRaisesRegex(Disconnected, "has ended the line"):
                line.receive()

    def test_names(self):
        for fields in ("n, volts", ["n", "volts"]):
            with Line("127.0.0.1", LINE_PORT, "<Id", fields) as line:
                line.send(1, 0.75)
                record = line.receive()
                self.assertEqual((record.n, record.volts), (1, 0.75))
                line.send(record._replace(n=7))
                self.assertEqual(line.receive(), (7, 0.75))
        with self.assertRaisesRegex(ValueError, "it has 2, and there are 1 names"):
            Line("127.0.0.1", LINE_PORT, "<Id", "n")

    def test_many_records_both_ways(self):
        with Line("127.0.0.1", LINE_PORT, "<Id") as line:
            def send():
                for n in range(20000):
                    line.send(n, n / 2)
                line.close_write()

            thread = threading.Thread(target=send)
            thread.start()
            self.assertEqual(list(line), [(n, n / 2) for n in range(20000)])
            thread.join()

    def test_text(self):
        with server(lambda connection, _: connection.sendall(connection.recv(12))) as (port, _):
            with Line("127.0.0.1", port, "!I8s") as line:
                line.send(1, "\u00b5V")
                self.assertEqual(line.receive(), (1, b"\xc2\xb5V\0\0\0\0\0"))

    def test_nothing_in_time(self):
        go = threading.Event()

        def serve(connection, _):
            connection.sendall(b"\0\0")
            go.wait()
            connection.sendall(b"\1\2")

        with server(serve) as (port, _), Line("127.0.0.1", port, "!I") as line:
            with self.assertRaisesRegex(TimedOut, "No record from .* within 0.02 s"):
                line.receive(0.02)
            go.set()
            self.assertEqual(line.receive(), (0x102,))

    def test_ends_inside_a_record(self):
        with server(lambda connection, _: connection.sendall(b"12345678123")) as (port, _), Line("127.0.0.1", port, "8s") as line:
            self.assertEqual(line.receive(), (b"12345678",))
            with self.assertRaisesRegex(Disconnected, "inside a record: 3 of 8 bytes"):
                next(iter(line))

    def test_a_reset(self):
        def serve(connection, _):
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with server(serve) as (port, _), Line("127.0.0.1", port, "!I") as line:
            line.send(1)
            with self.assertRaisesRegex(Disconnected, "Lost the line"):
                line.receive()

    def test_no_record_follows_part_of_one(self):
        over = threading.Event()

        def interrupt(*_):
            raise KeyboardInterrupt

        with server(lambda connection, _: over.wait()) as (port, _), Line("127.0.0.1", port, "1000000s") as line:
            line._connection._wait = interrupt  # Ctrl-C while the other side reads nothing
            with self.assertRaises(KeyboardInterrupt):
                for _ in range(100):
                    line.send(b"")
            with self.assertRaisesRegex(Disconnected, "Cannot send a record"):
                line.send(b"")
            over.set()

    def test_nobody_reads(self):
        over = threading.Event()
        with server(lambda connection, _: over.wait()) as (port, _), Line("127.0.0.1", port, "1000000s", timeout=0.05) as line:
            with self.assertRaisesRegex(TimedOut, "has read nothing for 0.05 s: the line is closed"):
                for _ in range(100):
                    line.send(b"")
            over.set()
            with self.assertRaises(Disconnected):
                line.receive()

    def test_closing_ends_the_wait_of_another_thread(self):
        over = threading.Event()
        with server(lambda connection, _: over.wait()) as (port, _):
            line = Line("127.0.0.1", port)
            found = []
            thread = threading.Thread(target=lambda: found.append(list(line)))
            thread.start()
            line.close()
            thread.join(10)
            over.set()
            self.assertEqual(found, [[]])


class SamplesTest(unittest.TestCase):
    def test_of_labwire(self):
        read = list(samples(sys.stdin))
        self.assertEqual(len(read), 3)
        self.assertEqual([sample.sequence for sample in read], [0, 1, 2])
        for sample in read:
            self.assertEqual(sample.values, [float(sample.sequence)])
            self.assertEqual(sample.origin, sample.origin_ts[0] + sample.origin_ts[1] / 1e9)
            self.assertLessEqual(sample.origin, sample.received)

    def test_kinds(self):
        line = '{"ts": {"origin": [1, 500000000]}, "sequence": 18446744073709551615, "data": [1.0, 1, true, null, {"real": 1.0, "imag": -2.0}]}'
        for stream in (io.StringIO(line), io.BytesIO(line.encode()), ["\n", "[" + line + "]\n"]):
            (sample,) = samples(stream)
            self.assertEqual(sample, Sample([1.0, 1, True, None, 1 - 2j], 2**64 - 1, (1, 500000000)))
            self.assertEqual([type(value) for value in sample.values], [float, int, bool, type(None), complex])
            self.assertEqual((sample.origin, sample.received), (1.5, None))

    def test_bad_lines(self):
        good = json.dumps({"data": [1.0]})
        for line in ["hello", "3", "null", '{"data": ["x"]}', '{"data": 1}', "{}", '{"data": [NaN]}', '{"data": [1', "[" * 100000]:
            with self.subTest(line[:20]), self.assertRaisesRegex(ValueError, "Cannot read a sample in line 2"):
                list(samples([good, line]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
