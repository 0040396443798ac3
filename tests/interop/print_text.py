"""Prints messages with Python's protobuf: one JSON line in, one JSON string out, for each message.

A message is a list of samples {"type": n, "sequence": "n", "origin": [sec, nsec], "received": …, "newFrame": b,
"values": [["f", HEX], ["i", "n"], ["b", true], ["z", HEX, HEX], []]}, HEX being the big-endian bits of a double.
"""

import contextlib
import io
import json
import struct
import sys

from villas_message import Message


def double(bits):
    return struct.unpack(">d", bytes.fromhex(bits))[0]


def fill(sample, wanted):
    sample.type = wanted["type"]
    if "sequence" in wanted:
        sample.sequence = int(wanted["sequence"])
    for name in ("origin", "received"):
        if name in wanted:
            stamp = getattr(sample, "ts_" + name)
            stamp.sec, stamp.nsec = wanted[name]
    if "newFrame" in wanted:
        sample.new_frame = wanted["newFrame"]
    for kind, *parts in ((value or [None]) for value in wanted["values"]):
        value = sample.values.add()
        if kind == "f":
            value.f = double(parts[0])
        elif kind == "i":
            value.i = int(parts[0])
        elif kind == "b":
            value.b = parts[0]
        elif kind == "z":
            value.z.real, value.z.imag = double(parts[0]), double(parts[1])


for line in sys.stdin:
    message = Message()
    for wanted in json.loads(line):
        fill(message.samples.add(), wanted)
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print(message)
    print(json.dumps(text.getvalue()))
