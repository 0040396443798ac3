"""What VILLASnode's Python client does for each datagram: parse, print, serialise, send back to VILLASnode.

Usage: python_client.py OWN_PORT REMOTE_PORT. Says "Ready" on standard error; at SIGTERM it says there how many it has sent.
"""

import pathlib
import signal
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "interop"))

from villas_message import Message  # noqa: E402


def end(*_):
    print(echoed, file=sys.stderr, flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
echoed = 0
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.bind(("127.0.0.1", int(sys.argv[1])))
    udp.connect(("127.0.0.1", int(sys.argv[2])))
    print("Ready", file=sys.stderr, flush=True)
    while True:
        try:
            data = udp.recv(1024)
        except ConnectionRefusedError:
            continue  # the load generator was not there when the last echo arrived
        message = Message()
        message.ParseFromString(data)
        print(message)
        udp.send(message.SerializeToString())
        echoed += 1
