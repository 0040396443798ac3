"""A threaded server for JSON messages as a Python user would write it: its functions are the commands.

Prints its port, then serves until it is killed.
"""

import json
import socketserver

_volts = 12.5


def test_command(param1, param2, param3, param4):
    return _volts


COMMANDS = {"test_command": test_command}


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        for line in self.rfile:
            message = json.loads(line)
            result = COMMANDS[message.pop("command_id")](**message)
            self.wfile.write((json.dumps({"status": "success", "result": result}) + "\n").encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
