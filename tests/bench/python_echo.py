"""What the Python client does for each datagram, without printing: parse, serialise, send back.

Prints its port, then echoes until it is killed.
"""

import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from villas_message import Message  # noqa: E402

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", 0))
    print(udp.getsockname()[1], flush=True)
    message = Message()
    while True:
        data, sender = udp.recvfrom(65536)
        message.ParseFromString(data)
        udp.sendto(message.SerializeToString(), sender)
