"""Answers questions about Python's struct module.

Reads a JSON object on each line, {"format", "values", "bytes"}, and prints what Python makes of it:
{"size", "packed", "unpacked"}, each null where Python refuses. Numbers that JSON would change are
written as {"int": digits} and {"float": hex of the big-endian double}, bytes as {"bytes": hex}.
The first line printed is Python's version.
"""

import json
import struct
import sys


def decode(value):
    if isinstance(value, dict):
        if "int" in value:
            return int(value["int"])
        if "float" in value:
            return struct.unpack(">d", bytes.fromhex(value["float"]))[0]
        if "bytes" in value:
            return bytes.fromhex(value["bytes"])
    return value


def encode(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return "nan" if value != value else {"float": struct.pack(">d", value).hex()}
    return {"bytes": value.hex()}


def attempt(function):
    try:
        return function()
    except (struct.error, OverflowError, TypeError, ValueError):
        return None


def answer(question):
    form = question["format"]
    values = [decode(value) for value in question["values"]]
    data = bytes.fromhex(question["bytes"])
    packed = attempt(lambda: struct.pack(form, *values))
    unpacked = attempt(lambda: struct.unpack(form, data))
    return {
        "size": attempt(lambda: struct.calcsize(form)),
        "packed": None if packed is None else packed.hex(),
        "unpacked": None if unpacked is None else [encode(value) for value in unpacked],
    }


print(json.dumps(sys.version_info[:2]))
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
