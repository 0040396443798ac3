"""Measures programs from start to exit, one after the other and over again, so that all of them meet the same load.

Usage: start_to_exit.py ROUNDS < commands.json     A JSON object of command lines by name.
Prints a JSON object by name: the median time and the lower quartile in ms, and the median of the peaks of
resident memory in KiB.
"""

import json
import os
import statistics
import sys
import time

WARM_UP = 3


def run(argv):
    """Runs a program to its end; returns milliseconds and KiB."""
    start = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1)])
    _, status, usage = os.wait4(pid, 0)
    elapsed = (time.perf_counter() - start) * 1000
    os.close(quiet)
    if status != 0:
        sys.exit(f"{argv} ended with {status}")
    return elapsed, usage.ru_maxrss


commands = json.load(sys.stdin)
times = {name: [] for name in commands}
memory = {name: [] for name in commands}
for round in range(WARM_UP + int(sys.argv[1])):
    for name, argv in commands.items():
        elapsed, peak = run(argv)
        if round >= WARM_UP:
            times[name].append(elapsed)
            memory[name].append(peak)
print(json.dumps({
    name: {
        "median": statistics.median(taken),
        "quartile": sorted(taken)[len(taken) // 4],
        "memory": statistics.median(memory[name]),
    }
    for name, taken in times.items()
}))
