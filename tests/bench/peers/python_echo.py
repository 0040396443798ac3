"""What the Python client does for each datagram, without printing: parse, serialise, send back.

Usage: python_echo.py [OWN_PORT]. Prints its port, then echoes; at SIGTERM it prints how many it has sent.
"""

import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "interop"))

from villas_message import Message  # noqa: E402


def end(*_):
    print(echoed, flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
echoed = 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    print(udp.getsockname()[1], flush=True)
    message = Message()
    while True:
        data, sender = udp.recvfrom(65536)
        message.ParseFromString(data)
        udp.sendto(message.SerializeToString(), sender)
        echoed += 1
