"""Receives COUNT records of "!I30sd", one recv and one unpack for each, gives each to an action, and ends.

Says on standard error where it listens.
"""

import socket
import struct
import sys

received = 0


def action(data):
    global received
    received += 1


count = int(sys.argv[1])
record = struct.Struct("!I30sd")
listener = socket.create_server(("127.0.0.1", 0))
print(f"Listening on 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
link, _ = listener.accept()
while received < count:
    data = link.recv(42)
    while len(data) < 42:
        data += link.recv(42 - len(data))
    action(record.unpack(data))
link.close()
