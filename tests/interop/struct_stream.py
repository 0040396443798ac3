"""Sends records cut at random places, and checks that the same come back.

    struct_stream.py server|client PORT COUNT [--tls-ca FILE]

Record i of "!I30sd" is (i, "text i", i / 8). Ends its half of the connection after the last record, and exits with 1 if
what comes back is not the same, byte for byte. A server says on standard error where it listens.
"""

import random
import socket
import struct
import sys
import threading

role, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
record = struct.Struct("!I30sd")
stream = b"".join(record.pack(i, b"text %d" % i, i / 8) for i in range(count))

if role == "server":
    listener = socket.create_server(("127.0.0.1", port))
    print(f"port {listener.getsockname()[1]}", file=sys.stderr, flush=True)
    link, _ = listener.accept()
else:
    link = socket.create_connection(("127.0.0.1", port))
link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def send():
    cuts = random.Random(count)
    at = 0
    while at < len(stream):
        length = cuts.choice((1, 7, 41, 42, 43, 1000, 4096, 65536, cuts.randrange(1, 200000)))
        link.sendall(stream[at : at + length])
        at += length
    link.shutdown(socket.SHUT_WR)


sender = threading.Thread(target=send)
sender.start()
received = bytearray()
while len(received) < len(stream):
    data = link.recv(1 << 16)
    if not data:
        break
    received += data
sender.join()
rest = link.recv(1)
link.close()
if received != stream or rest:
    sys.exit(f"{len(received)} of {len(stream)} bytes came back, {'the same' if stream.startswith(received) else 'changed'}")
print(f"{count} records came back unchanged")
