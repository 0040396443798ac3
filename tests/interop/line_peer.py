"""The other end of a struct line, on ipcomm's class.

    line_peer.py server|client PORT FORMAT

Prints each record received as a JSON array, bytes as {"hex": "…"}, and sends each record that it reads from
standard input in the same form. A server with port 0 says on standard error where it listens.
"""

import json
import queue
import socket
import sys

from ipcomm import Line


def encode(value):
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def decode(value):
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def receive(data, jobs):
    jobs.put(data)
    print(json.dumps([encode(value) for value in data]), flush=True)


role, port, fmt = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if port == 0:
    port = free_port()
print(f"port {port}", file=sys.stderr, flush=True)
line = Line(fmt=fmt, server=role == "server", action=receive, actionargs=queue.Queue(), port=port)
print("connected", file=sys.stderr, flush=True)
for text in sys.stdin:
    line.send([decode(value) for value in json.loads(text)])
