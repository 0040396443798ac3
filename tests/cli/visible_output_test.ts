import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PYTHON } from "../interop/python.ts";
import { type Running, startServer } from "./run.ts";

/** What can change a terminal or forge a line: ESC, BEL, DEL, C1, a carriage return, and bidirectional controls. */
const HOSTILE = "\x1b[2J\x07\x7f\x9b2J\r\u202e\u2066\u200f\u061c";
const VISIBLE = String.raw`\x1b[2J\x07\x7f\x9b2J\r\u202e\u2066\u200f\u061c`;
// deno-lint-ignore no-control-regex
const UNFIT = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Starts a server, sends it bytes, and waits for what is to be shown; nothing unfit may be shown beside it. */
async function shown(
  args: string[],
  bytes: Uint8Array | string,
  stream: "stdout" | "stderr",
  pattern: RegExp,
): Promise<Running> {
  const program = startServer([...args, "--host", "127.0.0.1", "--port", "0"]);
  const [, port] = await program.until(
    "stderr",
    /Listening on \S+:(\d+)\n/,
  );
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  await program.until(stream, pattern);
  assert(!UNFIT.test(program.stdout), Deno.inspect(program.stdout));
  assert(!UNFIT.test(program.stderr), Deno.inspect(program.stderr));
  return program;
}

async function withHandler(text: string, use: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, text);
    await use(file);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("What a handler throws is shown without effect on the terminal, and forges no line", async () => {
  const handler = `const fail = () => { throw new Error(${
    JSON.stringify(`${HOSTILE}\nerror: forged`)
  }); };\nexport default fail; export const interact = fail;\n`;
  await withHandler(handler, async (file) => {
    const message = JSON.stringify({ command_id: "x" }) + "\n";
    for (
      const [args, bytes] of [
        [["json-server", "--handler", file], message],
        [["struct-line", "server", "--format", "!B", "--handler", file], "x"],
        [["json-server", "--debug", "--handler", file], message],
      ] as const
    ) {
      await using program = await shown([...args], bytes, "stderr", /warning: .*failed[^]*forged/);
      assertStringIncludes(program.stderr, VISIBLE);
      assert(!/^error: forged/m.test(program.stderr), program.stderr);
    }
  });
});

Deno.test("What a client writes into a message is shown without effect on the terminal", async () => {
  const data = { command_id: `x${HOSTILE}\nerror: forged`, [HOSTILE]: HOSTILE };
  const message = JSON.stringify(data) + "\n";
  await using text = await shown(["json-server"], message, "stdout", /\n/);
  assertEquals(text.stdout.split("\n").length, 2);
  assertEquals(JSON.parse(text.stdout), data);
  await using json = await shown(["json-server", "--output", "json"], message, "stdout", /\n/);
  assertEquals(json.stdout.split("\n").length, 2);
  assertEquals(JSON.parse(json.stdout).data, data);
  await withHandler("export const commands = { x() {} };", async (file) => {
    await using program = await shown(
      ["json-server", "--handler", file],
      message,
      "stderr",
      /warning: Message from .* failed: [^]*\n/,
    );
    assert(!/^error: forged/m.test(program.stderr), program.stderr);
  });
});

Deno.test("What a program writes on stderr is passed on line by line, without effect on the terminal", async () => {
  const script = `import sys
for line in sys.stdin:
    sys.stderr.buffer.write(${JSON.stringify(HOSTILE)}.encode() + b"\\nerror: forged\\n")
    sys.stderr.flush()
    print("null", flush=True)
`;
  const file = await Deno.makeTempFile({ suffix: ".py" });
  try {
    await Deno.writeTextFile(file, script);
    const args = ["json-server", "--exec-persistent", `${PYTHON} ${file}`];
    await using program = await shown(args, '{"command_id":"x"}\n', "stderr", /forged\n/);
    assertStringIncludes(program.stderr, `| ${VISIBLE}\n| error: forged\n`);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("Text in records is shown without effect on the terminal, in every form but raw", async () => {
  const bytes = new TextEncoder().encode(HOSTILE);
  const args = ["struct-line", "server", "--format", `!${bytes.length}s`, "--bytes", "text"];
  await using csv = await shown([...args, "--output", "csv"], bytes, "stdout", /\n/);
  assertEquals(csv.stdout.split("\n").length, 2);
  await using json = await shown([...args, "--output", "json"], bytes, "stdout", /\n/);
  assertEquals(JSON.parse(json.stdout), [HOSTILE]);
});
