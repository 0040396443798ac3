"""Prints messages with Python's protobuf: one line of JSON in, as villas_message.build() takes it, and one JSON string
out, for each message."""

import contextlib
import io
import json
import sys

from villas_message import build

for line in sys.stdin:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print(build(json.loads(line)))
    print(json.dumps(text.getvalue()))
