"""The equipment that the client for Python asks: for `--exec-persistent`, a line for a line."""

import json
import sys

volts = 0
for line in sys.stdin:
    message = json.loads(line)
    command = message["command_id"]
    answer = None
    if command == "set_voltage":
        volts = message["volts"]
    elif command == "get_voltage":
        answer = volts
    elif command == "echo":
        answer = message["value"]
    elif command == "explode":
        answer = {"status": "error", "error": "It exploded at " + message["at"]}
    else:
        answer = {"status": "error", "error": "Unknown command " + command}
    print(json.dumps(answer), flush=True)
