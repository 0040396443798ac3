"""A server that behaves as the documented template's: one connection at a time, one message each.

Usage: template_server.py [--quiet]. Prints its port, then what it received unless that is to be quiet. A message's "raise" makes interact() fail, "silent" makes it
keep the client waiting, "hang_up" makes it close without an answer, "raw" is sent as the answer, in "pieces" parts.
"""

import json
import socket
import sys
import time


def interact(data):
    if "--quiet" not in sys.argv:
        print(json.dumps(data), flush=True)
    if "raise" in data:
        raise ValueError(data["raise"])


def answer_to(text):
    try:
        data = json.loads(text)
        interact(data)
    except Exception as error:
        return {}, {"status": "failed", "error": str(error)}
    return data, {"status": "success"}


def serve(conn):
    text = b""
    while b"\n" not in text:
        part = conn.recv(1024)
        if not part:
            return
        text += part
    data, answer = answer_to(text[: text.index(b"\n")])
    if "hang_up" in data:
        return
    if "silent" in data:
        conn.recv(1)
        return
    line = data["raw"].encode() if "raw" in data else json.dumps(answer).encode()
    line += b"\n"
    size = -(-len(line) // data.get("pieces", 1))
    for at in range(0, len(line), size):
        conn.sendall(line[at : at + size])
        if size < len(line):
            time.sleep(0.01)


with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen()
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        with connection:
            serve(connection)
