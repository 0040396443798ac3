"""The other end of a VILLAS link, with Google's protobuf.

    villas_peer.py client [--listen HOST:PORT] [--remote HOST:PORT] [--unix OWN REMOTE] [--max-bytes N] [--count N]

Does what VILLASnode's Python client does, to the letter of its output: receives messages from the remote only, prints
each, serialises it again and sends it back. A message that does not parse ends it. Says on standard error where
it is bound, as a line of JSON. With unix sockets, the remote must be there already.

    villas_peer.py generator [--listen HOST:PORT] [--unix OWN] [--timeout SECONDS]

Sends messages as VILLASnode would, one after another, and compares what comes back. It is told what to send by lines of
JSON on standard input: {"to": "HOST:PORT"} (or a path) first, then samples as villas_message.build() takes them, a datagram
{"hex": "…", "answer": false} that must not be answered (or must, without "answer"), or {"builtin": true} for the
messages of builtin_messages(). It says what happened in lines of JSON on standard output:

    {"event": "ready", "port": 54321} (or "path": "OWN")
    {"event": "returned", "index": 0, "bytes": 80, "same": true, "text": "samples {…"}
    {"event": "lost", "index": 1, "bytes": 80}
    {"event": "sent", "index": 2, "bytes": 5}
    {"event": "summary", "sent": 3, "returned": 1, "same": 1, "lost": 1, "unexpected": 0}

Exits with 1 when something was lost, changed or unexpected.
"""

import argparse
import json
import math
import os
import socket
import struct
import sys

from villas_message import Message, build

LARGEST = 65507


def host_port(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def report(event, stream=sys.stdout, **details):
    print(json.dumps({"event": event, **details}), file=stream, flush=True)


def open_link(listen, unix, ready):
    """Binds a UDP or a unix datagram socket, and says where."""
    if unix:
        if os.path.exists(unix):
            os.unlink(unix)
        link = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        link.bind(unix)
        report("ready", ready, path=unix)
    else:
        link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        link.bind(host_port(listen))
        report("ready", ready, port=link.getsockname()[1])
    return link


# The client


def run_client(options):
    print("Start client...", flush=True)
    own, remote = options.unix or (None, host_port(options.remote))
    link = open_link(options.listen, own, sys.stderr)
    link.connect(remote)
    print("Ready. Ctrl-C to quit.", flush=True)
    try:
        seen = 0
        while options.count is None or seen < options.count:
            message = Message()
            message.ParseFromString(link.recv(options.max_bytes))
            print(message, flush=True)
            link.send(message.SerializeToString())
            seen += 1
    except KeyboardInterrupt:
        pass
    print("Bye.", flush=True)


# The generator


def bits(*doubles):
    return [["f", struct.pack(">d", value).hex()] for value in doubles]


def complex_bits(real, imag):
    return ["z", struct.pack(">d", real).hex(), struct.pack(">d", imag).hex()]


def builtin_messages():
    """Messages that VILLASnode may send, of every shape, their sequence numbers in order; as datagrams."""
    stamp = {"origin": [1795198430, 257657076]}
    kinds = bits(0.25) + [["i", "-7"], ["b", True], ["b", False], complex_bits(1.5, -2.5)]
    odd = bits(math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1)
    odd += [["f", "7ff8000000000123"], ["f", "fff8000000000000"]]
    odd += [complex_bits(math.nan, -0.0), complex_bits(math.inf, 0.1)]
    limits = [["i", str(n)] for n in (-(2**63), 2**63 - 1, 0, -1, 2**53 + 1, -(2**53) - 1)]
    messages = [
        [{"sequence": "0", **stamp, "values": kinds}],
        [{"sequence": "1", "origin": [2**32 - 1, 999999999], "values": limits}],
        [{"sequence": "2", "origin": [0, 0], "values": odd}],
        [{"values": bits(1)}],
        [{"sequence": "3", **stamp, "received": [1, 2], "newFrame": True, "values": kinds}],
        [{"sequence": "4", **stamp, "newFrame": False, "values": []}],
        [{"sequence": str(n), **stamp, "values": kinds + odd} for n in range(5, 45)],
        [{"sequence": "45", **stamp, "values": bits(*(n / 7 for n in range(5000)))}],
        [{"sequence": str(n), **stamp, "values": kinds * 5} for n in range(46, 246)],
        [{"sequence": str(2**53 + n), "values": limits} for n in range(3)],
        [{"sequence": str(2**64 - 1), **stamp, "values": kinds}],
    ]
    datagrams = [build(samples).SerializeToString() for samples in messages]
    # Fields that the schema does not have: in the message (a string), and in a sample (a number).
    datagrams.append(bytes.fromhex("0a100801a2060909000000000000f83f3805" + "7a0568656c6c6f"))
    datagrams.append(largest_datagram())
    return datagrams


def largest_datagram():
    """A message as large as UDP over IPv4 takes, filled up with bytes of an unknown field."""
    message = build([{"values": bits(*range(5000))}]).SerializeToString()
    room = LARGEST - len(message) - 4
    return message + b"\x7a" + bytes([room & 127 | 128, room >> 7 & 127 | 128, room >> 14]) + b"x" * room


class Generator:
    def __init__(self, link, timeout):
        self.link = link
        self.link.settimeout(timeout)
        self.index = self.sent = self.returned = self.same = self.lost = self.unexpected = 0

    def tell(self, line):
        """Does what a line of standard input says."""
        if isinstance(line, list):
            self.send(build(line).SerializeToString())
        elif "to" in line:
            unix = self.link.family == socket.AF_UNIX
            self.link.connect(line["to"] if unix else host_port(line["to"]))
        elif "builtin" in line:
            for datagram in builtin_messages():
                self.send(datagram)
        else:
            self.send(bytes.fromhex(line["hex"]), line.get("answer", True))

    def send(self, datagram, answer=True):
        index, self.index = self.index, self.index + 1
        self.link.send(datagram)
        self.sent += 1
        if not answer:
            report("sent", index=index, bytes=len(datagram))
            return
        try:
            returned = self.link.recv(LARGEST + 1)
        except (TimeoutError, ConnectionRefusedError):
            self.lost += 1
            report("lost", index=index, bytes=len(datagram))
            return
        self.returned += 1
        same = returned == datagram
        self.same += same
        text = str(Message.FromString(datagram)) + "\n"
        report("returned", index=index, bytes=len(returned), same=same, text=text)

    def summary(self):
        """Looks for answers that nobody asked for, and sums up."""
        self.link.setblocking(False)
        try:
            while self.link.recv(LARGEST + 1) is not None:
                self.unexpected += 1
        except (BlockingIOError, ConnectionRefusedError):
            pass
        names = ("sent", "returned", "same", "lost", "unexpected")
        report("summary", **{name: getattr(self, name) for name in names})
        return self.returned == self.same and self.lost == 0 and self.unexpected == 0


def run_generator(options):
    with open_link(options.listen, options.unix, sys.stdout) as link:
        generator = Generator(link, options.timeout)
        for line in sys.stdin:
            generator.tell(json.loads(line))
        return 0 if generator.summary() else 1


def main():
    parser = argparse.ArgumentParser()
    modes = parser.add_subparsers(dest="mode", required=True)
    client = modes.add_parser("client")
    client.add_argument("--listen", default="0.0.0.0:12001")
    client.add_argument("--remote", default="127.0.0.1:12000")
    client.add_argument("--unix", nargs=2, metavar=("OWN", "REMOTE"))
    client.add_argument("--max-bytes", type=int, default=1024)
    client.add_argument("--count", type=int)
    generator = modes.add_parser("generator")
    generator.add_argument("--listen", default="127.0.0.1:0")
    generator.add_argument("--unix", metavar="OWN")
    generator.add_argument("--timeout", type=float, default=30)
    options = parser.parse_args()
    return run_client(options) if options.mode == "client" else run_generator(options)


if __name__ == "__main__":
    sys.exit(main())
