"""A client that behaves as the documented template's: one message per connection, 1,024 bytes, 5 seconds.

Usage: template_client.py HOST PORT < JSON. Prints which callback was called, and with what.
"""

import json
import socket
import sys


def server_success(response):
    print("success", json.dumps(response, sort_keys=True))


def server_fail(response):
    print("fail", response.get("error"))


def fail_connect():
    print("fail_connect")


def send_data(data, host, port):
    try:
        with socket.create_connection((host, port), timeout=5) as sock:
            sock.sendall(json.dumps(data).encode() + b"\n")
            response = json.loads(sock.recv(1024).decode())
    except (OSError, TimeoutError):
        return fail_connect()
    if response["status"] == "success":
        server_success(response)
    elif response["status"] == "error":
        server_fail(response)


for line in sys.stdin:
    send_data(json.loads(line), sys.argv[1], int(sys.argv[2]))
