"""Sends each line of standard input, bytes in hex, over a loopback that cuts what is longer than 1,500 bytes, and captures it: HOST FILE.

To be run in a network namespace of its own. Exits with 3 where nothing can be captured.
"""

import os
import socket
import subprocess
import sys
import time

host, path = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
try:
    subprocess.run(["ip", "link", "set", "lo", "up", "mtu", "1500"], check=True)
    tcpdump = subprocess.Popen(["tcpdump", "-i", "lo", "-U", "-s", "0", "-w", path], stderr=subprocess.PIPE, text=True)
except (OSError, subprocess.CalledProcessError):
    sys.exit(3)
while "listening on" not in (line := tcpdump.stderr.readline()):
    if not line:
        sys.exit(3)
packets = 0
with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
    receiver.bind((host, 12001))
    for line in sys.stdin:
        datagram = bytes.fromhex(line)
        sender.sendto(datagram, (host, 12001))
        assert receiver.recv(65536) == datagram
        packets += 1
# tcpdump is behind what it captures.
size = -1
while os.path.getsize(path) > size or size < 4000 * packets:
    size = os.path.getsize(path)
    time.sleep(0.1)
tcpdump.terminate()
tcpdump.wait()
