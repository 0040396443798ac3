"""A threaded server for lines of JSON, as Python's library makes it easy: calls a function that returns a number. Prints its port."""

import json
import socketserver


def command(data):
    return 12.5


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        for line in self.rfile:
            answer = {"status": "success", "result": command(json.loads(line))}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
