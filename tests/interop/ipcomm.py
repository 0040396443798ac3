"""A line as laboratory programs have it: structs over TCP, nothing between them.

It behaves as the class of that name does that labwire stands in for, its faults included: a server takes one
connection and never another, a client tries five times and then goes on without a connection, what is received is unpacked
as if no read were ever short, the end of the stream is not noticed, and nothing is ever closed.
"""

import socket
import struct
import threading
import time


class Line:
    ATTEMPTS = 5

    def __init__(self, fmt="!I2sd", server=True, action=None, actionargs=(), ip="localhost", port=10000):
        self.s = struct.Struct(fmt)
        self.action = action
        self.actionargs = actionargs if isinstance(actionargs, (list, tuple)) else (actionargs,)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if server:
            self.sock.bind((ip, port))
            self.sock.listen(1)
            self.connection, _ = self.sock.accept()
        else:
            self.connection = self.sock
            self._connect((ip, port))
        if action:
            threading.Thread(target=self.listener, daemon=True).start()

    def _connect(self, address):
        for attempt in range(1, self.ATTEMPTS + 1):
            try:
                self.sock.connect(address)
                print("Connected with server.", flush=True)
                return
            except OSError:
                print(f"Connection attempt {attempt} of {self.ATTEMPTS} failed.", flush=True)
                time.sleep(1)

    def listener(self):
        while True:
            data = self.connection.recv(self.s.size)
            if data:
                self.action(self.s.unpack(data), *self.actionargs)

    def send(self, message):
        self.connection.sendall(self.s.pack(*message))
