import { assertEquals, assertStringIncludes } from "@std/assert";
import { listenDatagrams, listenStream } from "../../mod.ts";
import { labwire, programCommand, startServer } from "./run.ts";

Deno.test("socket-client --interactive sends over UDP exactly the lines that are piped in", async () => {
  const received: string[] = [];
  await using server = await listenDatagrams({
    port: 0,
    answer: (message) => {
      received.push(new TextDecoder().decode(message));
      return message;
    },
  });
  const args = ["socket-client", "--udp", "--port", String(server.addr.port), "--interactive"];
  await labwire(args, { input: "one\r\n\ntwo" });
  assertEquals(received, ["one\r\n", "\n", "two"]);
  received.length = 0;
  await labwire([...args, "--escape"], { input: "\\x41\r\n\\n" });
  assertEquals(received, ["A\r\n", "\n"]);
});

Deno.test("socket-client sends piped input and recordings to a server that has ended its side, or says that it has gone", async () => {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  const lines = [1, 2, 3, 4].map((i) => `${i}\n`);
  const times = lines.map((_, i) => `2026-01-01T00:00:00.${i}00Z`);
  const records = lines.map((text, i) => JSON.stringify({ time: times[i], peer: "a:1", text }));
  await Deno.writeTextFile(path, records.join("\n") + "\n");
  for (const isGone of [false, true]) {
    const received: string[] = [];
    const all = Promise.withResolvers<void>();
    await using listener = listenStream({
      port: 0,
      async onConnection(connection) {
        if (isGone) return;
        await connection.closeWrite();
        let text = "";
        for await (const chunk of connection) text += new TextDecoder().decode(chunk);
        if (received.push(text) === 2) all.resolve();
      },
    });
    const args = ["socket-client", "--port", String(listener.addr.port)];
    const replay = await labwire([...args, "--replay", path]);
    await using piped = startServer([...args, "--interactive"], { stdin: "piped" });
    await piped.until("stderr", /Starting/);
    if (!isGone) {
      for (const line of lines) await piped.write(line);
      await piped.closeInput();
      assertEquals([replay.code, (await piped.result()).code], [0, 0]);
      await all.promise;
      assertEquals(received, [lines.join(""), lines.join("")]);
      continue;
    }
    assertEquals(replay.code, 4);
    assertStringIncludes(replay.stderr, "before all of the input was sent");
    assertStringIncludes(
      (await piped.result()).stderr,
      "The server closed before the end of the input",
    );
  }
  await Deno.remove(path);
});

Deno.test("socket-client --interactive loses nothing when its output is read slowly", async () => {
  const size = 1 << 25;
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      while (await connection.read() !== null);
      await connection.write(new Uint8Array(size));
    },
  });
  const [program, before] = programCommand();
  const timeout = 0.3;
  await using child = new Deno.Command(program, {
    args: [
      ...before,
      ...["socket-client", "--port", String(listener.addr.port), "--interactive"],
      ...["--timeout", String(timeout)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let total = 0;
  for await (const chunk of child.stdout) {
    // Longer than the silence that ends the conversation.
    if (total === 0) await new Promise((resolve) => setTimeout(resolve, 4000 * timeout));
    total += chunk.length;
  }
  assertEquals([(await child.status).code, total], [0, size]);
});
