import { assertEquals, assertMatch } from "@std/assert";
import { connectJson } from "../../lib/json/client.ts";
import { type JsonServerProblem, startJsonServer } from "../../lib/json/server.ts";
import { needs, type Peer as Program, startPython } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { Gate, pending } from "./gate.ts";
import { Peer } from "./peer.ts";

const { ignore, note } = needs(PYTHON);

/** A client in Python that sends text, and then does what each line of its input says. */
async function client(port: number, text: string): Promise<Program> {
  const program = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
s.sendall(sys.argv[2].encode())
print("sent")
def reset():
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
for line in sys.stdin:
    if line == "reset\\n": reset()
    if line == "end\\n": s.shutdown(socket.SHUT_WR)
    if line == "read\\n": print(s.makefile().read())
    print("done", line, end="")
`,
    port,
    text,
  );
  await program.until("stdout", /sent/);
  return program;
}

async function tell(program: Program, what: string): Promise<void> {
  await program.write(`${what}\n`);
  await program.until("stdout", new RegExp(`done ${what}`));
}

/** A server that handles a first message until the gate opens. */
async function busyServer() {
  const gate = new Gate();
  const problems: JsonServerProblem[] = [];
  const wake: (() => void)[] = [];
  const server = startJsonServer({
    port: 0,
    interact: gate.interact,
    onProblem(problem) {
      problems.push(problem);
      for (const resolve of wake.splice(0)) resolve();
    },
  });
  const first = await connectJson({ port: server.addr.port, timeout: 60 });
  const answer = first.send({ n: 1 });
  await gate.running(1);
  return {
    gate,
    server,
    port: server.addr.port,
    problems,
    async problem(count: number) {
      while (problems.length < count) await new Promise<void>((resolve) => wake.push(resolve));
    },
    async release() {
      gate.release();
      assertEquals((await answer).outcome, "success");
    },
    async [Symbol.asyncDispose]() {
      await first.close();
      await server.close();
    },
  };
}

Deno.test(`startJsonServer() does not begin messages whose client has broken off${note}`, {
  ignore,
}, async () => {
  await using busy = await busyServer();
  await using broken = await client(busy.port, '{"n":2}\n{"n":3}\n{"n":4}');
  await pending(busy.server, 2);
  await tell(broken, "reset");
  await busy.problem(1);
  // Its place is free at once, while the first message is still being handled.
  while (busy.server.stats.open > 1) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(busy.server.stats.pending, 1);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: busy.port });
  await peer.write('{"n":5}\n');
  await pending(busy.server, 2);
  await busy.release();
  await busy.gate.running(1);
  busy.gate.release();
  assertEquals(await peer.line(), '{"status":"success","result":5}');
  assertEquals(busy.gate.order, [1, 5]);
  const { dropped, messages } = busy.server.stats;
  assertEquals([dropped, messages], [2, 2]);
  assertEquals(busy.problems.map(({ kind }) => kind), ["dropped", "dropped"]);
  assertMatch(
    busy.problems[0]!.message,
    /^Did not handle a message from 127\.0\.0\.1:\d+: it disconnected before its turn$/,
  );
});

Deno.test(
  `startJsonServer() does not begin a message whose client broke off behind its end${note}`,
  {
    ignore: ignore || Deno.build.os !== "linux", // others tell it differently
  },
  async () => {
    await using busy = await busyServer();
    await using broken = await client(busy.port, '{"n":2}\n');
    await pending(busy.server, 2);
    await tell(broken, "end");
    await tell(broken, "reset");
    await busy.release();
    await busy.problem(1);
    assertEquals([busy.gate.order, busy.server.stats.dropped], [[1], 1]);
  },
);

Deno.test(`startJsonServer() answers a client that has ended its half and still reads${note}`, {
  ignore,
}, async () => {
  await using busy = await busyServer();
  await using half = await client(busy.port, '{"n":2}\n{"n":3}');
  await pending(busy.server, 2);
  await tell(half, "end");
  await half.write("read\n");
  await busy.release();
  for (const _ of [2, 3]) {
    await busy.gate.running(1);
    busy.gate.release();
  }
  await half.until("stdout", /"result":2\}\n\{"status":"success","result":3\}\n/);
  assertEquals([busy.gate.order, busy.server.stats.dropped], [[1, 2, 3], 0]);
});

Deno.test(
  `startJsonServer() finishes a message that is being handled although its client has broken off${note}`,
  {
    ignore,
  },
  async () => {
    const gate = new Gate();
    await using server = startJsonServer({ port: 0, interact: gate.interact });
    await using broken = await client(server.addr.port, '{"n":1}\n');
    await gate.running(1);
    await tell(broken, "reset");
    gate.release();
    while (server.stats.open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals([server.stats.successes, server.stats.unanswered, server.stats.dropped], [
      1,
      1,
      0,
    ]);
  },
);
