import { assertEquals } from "@std/assert";
import { listenDatagrams, listenStream } from "../../mod.ts";
import { labwire, programCommand } from "./run.ts";

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
