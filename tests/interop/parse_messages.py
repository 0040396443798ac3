"""Parses messages with Python's protobuf: one datagram in hexadecimal in, and for each one line of JSON out, what it holds in the
words of villas_message.build(), or null where it does not parse, or something that is required is missing."""

import json
import struct
import sys

from villas_message import Message


def bits(value):
    return struct.pack(">d", value).hex()


def parts(value):
    kind = value.WhichOneof("value")
    if kind == "f":
        return ["f", bits(value.f)]
    if kind == "i":
        return ["i", str(value.i)]
    if kind == "b":
        return ["b", value.b]
    return ["z", bits(value.z.real), bits(value.z.imag)] if kind == "z" else []


def describe(sample):
    told = {"type": sample.type}
    if sample.HasField("sequence"):
        told["sequence"] = str(sample.sequence)
    for name in ("origin", "received"):
        if sample.HasField("ts_" + name):
            stamp = getattr(sample, "ts_" + name)
            told[name] = [stamp.sec, stamp.nsec]
    if sample.HasField("new_frame"):
        told["newFrame"] = sample.new_frame
    told["values"] = [parts(value) for value in sample.values]
    return told


for line in sys.stdin:
    try:
        message = Message.FromString(bytes.fromhex(line))
        print(json.dumps([describe(sample) for sample in message.samples]) if message.IsInitialized() else "null")
    except Exception:  # DecodeError, whatever the implementation calls it
        print("null")
