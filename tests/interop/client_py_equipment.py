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
    elif command == "list_commands":
        answer = [
            {"name": "get_voltage", "signature": "get_voltage() -> float", "doc": "The output, in V."},
            {"name": "set_voltage", "signature": "set_voltage(volts: float, /, *rest, on: 'bool' = True, **more)", "doc": ""},
            {"name": "mode", "signature": "mode(to=<Mode.A: 1>)", "doc": "Another mode."},
            {"name": "self test"},
        ]
    elif command == "explode":
        answer = {"status": "error", "error": "It exploded at " + message["at"]}
    else:
        answer = {"status": "error", "error": "Unknown command " + command}
    print(json.dumps(answer), flush=True)
