"""Many clients at once on kept-open connections, each checking its own answers.

Usage: json_crowd.py PORT CLIENTS MESSAGES. Connects all of them, then each sends its messages one after another, every tenth in
two parts, and checks the answer to each. Prints how many answers were right.
"""

import asyncio
import json
import sys

try:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
except ImportError:  # Windows has no such limit
    pass

port, clients, messages = map(int, sys.argv[1:])
right = 0


async def client(number, connected):
    global right
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connected.release()
    await everybody.wait()
    for n in range(messages):
        line = json.dumps({"id": n, "from": number, "text": "µ" * (n % 50)}, ensure_ascii=False)
        data = line.encode() + b"\n"
        cut = len(data) // 2 if n % 10 == 0 else 0
        if cut:
            writer.write(data[:cut])
            await asyncio.sleep(0)
        writer.write(data[cut:])
        answer = json.loads(await reader.readline())
        right += answer == {"status": "success", "id": n, "result": [number, n % 50]}
    writer.close()
    await writer.wait_closed()


async def main():
    global everybody
    everybody = asyncio.Event()
    connected = asyncio.Semaphore(0)
    tasks = []
    for number in range(clients):
        tasks.append(asyncio.create_task(client(number, connected)))
        await connected.acquire()
    everybody.set()
    await asyncio.gather(*tasks)
    print(right)


asyncio.run(main())
