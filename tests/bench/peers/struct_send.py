"""Sends COUNT records of "!I30sd" to PORT as fast as they are taken, and waits for the end of the connection.

Prints the seconds from the first byte sent to that end.
"""

import socket
import struct
import sys
import time

BLOCK = 50_000

port, count = int(sys.argv[1]), int(sys.argv[2])
pack = struct.Struct("!I30sd").pack
link = socket.create_connection(("127.0.0.1", port))
block = b"".join(pack(i, b"hello", 0.5) for i in range(BLOCK))
start = time.monotonic()
for _ in range(count // BLOCK):
    link.sendall(block)
link.sendall(block[: count % BLOCK * 42])
while link.recv(1 << 16):
    pass
print(time.monotonic() - start)
