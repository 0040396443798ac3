import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import { ReportedErrors } from "../time/reported_errors.ts";
import { connectBytes } from "../../lib/socket/byte_client.ts";
import { listenStream } from "../../lib/net/stream/listener.ts";
import { pipeProgram, type PipeProgramOptions } from "../../lib/socket/pipe_program.ts";

const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Serves connections through a Deno program. */
function serve(program: string, options: PipeProgramOptions = {}) {
  const ended: Promise<void>[] = [];
  const listener = listenStream({
    port: 0,
    grace: 0,
    onConnection: (connection) => {
      const piped = pipeProgram(connection, [Deno.execPath(), "eval", program], options);
      ended.push(piped);
      return piped;
    },
  });
  return {
    listener,
    ended,
    connect: () => connectBytes({ port: listener.addr.port, timeout: 60 }),
  };
}

const CAT = "await Deno.stdin.readable.pipeTo(Deno.stdout.writable)";

Deno.test("pipeProgram() passes everything through the program, to the end", async () => {
  let input = 0;
  const { listener, connect } = serve(CAT, { onInput: (bytes) => void (input += bytes.length) });
  await using _ = listener;
  await using client = await connect();
  const message = new Uint8Array(3_000_000).map((_, i) => i >> 4);
  const sending = client.send(message).then(() => client.closeWrite());
  let at = 0;
  for await (const piece of client.receive({ sending, timeout: 60, quiet: 60 })) {
    assert(piece.every((byte, i) => byte === message[at + i]));
    at += piece.length;
  }
  assertEquals([at, input], [message.length, message.length]);
});

Deno.test("pipeProgram() ends the connection with the program", async () => {
  const { listener, connect, ended } = serve(`console.log("bye")`);
  await using _ = listener;
  await using client = await connect();
  assertEquals(
    text(await client.exchange(new Uint8Array(10), { quiet: 60, timeout: 60 })),
    "bye\n",
  );
  await ended[0];
});

Deno.test("pipeProgram() closes such that all of the answer arrives, although not all was read", async () => {
  const { listener, ended } = serve(
    `await Deno.stdin.read(new Uint8Array(1));
     for (let at = 0; at < 200_000;) at += Deno.stdout.writeSync(new Uint8Array(200_000 - at));`,
  );
  await using _ = listener;
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const sending = client.writable.getWriter().write(new Uint8Array(5_000_000)).catch(() => {});
  while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await ended[0];
  let count = 0;
  for await (const chunk of client.readable) count += chunk.length;
  assertEquals(count, 200_000);
  await sending;
});

Deno.test("pipeProgram() kills a program whose client is gone", async () => {
  const { listener, connect, ended } = serve(`setInterval(() => console.log("tick"), 10)`);
  await using _ = listener;
  const client = await connect();
  for await (const piece of client.receive({ timeout: 60 })) {
    assertEquals(text(piece).slice(0, 5), "tick\n");
    break;
  }
  await client.close();
  await ended[0];
  await listener.close();
});

Deno.test("pipeProgram() passes on what the program writes on stderr", async () => {
  const said = Promise.withResolvers<string>();
  const { listener, connect } = serve(`console.error("out of range")`, {
    onStderr: (bytes) => said.resolve(text(bytes)),
  });
  await using _ = listener;
  await using _client = await connect();
  assertEquals(await said.promise, "out of range\n");
});

Deno.test("pipeProgram() rejects with what onInput throws, and kills the program", async () => {
  const { listener, connect, ended } = serve(
    "await new Promise(() => setInterval(() => {}, 1e6))",
    {
      onInput: () => Promise.reject(new Error("disk is full")),
    },
  );
  await using _ = listener;
  await using client = await connect();
  await client.send(new Uint8Array(1));
  await assertRejects(() => client.exchange(new Uint8Array(1), { timeout: 60 }), ConnectError);
  await assertRejects(() => ended[0]!, Error, "disk is full");
});

Deno.test("pipeProgram() passes on what the program prints though onOutput throws", async () => {
  using reported = new ReportedErrors();
  const { listener, connect } = serve(`console.log("bye")`, {
    onOutput() {
      throw new Error("onOutput");
    },
  });
  await using _ = listener;
  await using client = await connect();
  const answer = await client.exchange(new Uint8Array(10), { quiet: 60, timeout: 60 });
  assertEquals([text(answer), reported.messages], ["bye\n", ["onOutput"]]);
});
