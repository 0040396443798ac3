import { assertEquals } from "@std/assert";
import { splitCommandLine } from "../../mod.ts";
import { labwire, start } from "./run.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const section = readme.split(/^## /m).find((text) => text.startsWith("socket-client"))!;

/** The arguments of the first command line in the README that contains a text. */
function argumentsWith(text: string): string[] {
  const line = section.split("\n").find((line) =>
    line.startsWith("labwire") && line.includes(text)
  );
  return splitCommandLine(line!.replace(/ +# .*$/, ""), { windows: false }).slice(1);
}

/** Starts a server on a free port. */
async function serve(args: string[], cwd: string) {
  const server = start([
    ...args.filter((arg) => !/^\d+$/.test(arg) && arg !== "--port"),
    "--port",
    "0",
  ], {
    cwd,
  });
  const [, port] = await server.until("stderr", /(?: port |:)(\d+)\b/);
  return { server, port: port! };
}

Deno.test("README: the first try of socket-server and socket-client works", async () => {
  const { server, port } = await serve(argumentsWith("socket-server "), ".");
  await using _ = server;
  const args = [...argumentsWith("'Hello, world'"), "--port", port];
  assertEquals((await labwire(args)).stdout, "Hello, world");
  await server.until("stdout", /^b'Hello, world'\n/);
});

Deno.test("README: socket-server stands in for an instrument as it says", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    await Deno.writeTextFile(
      `${cwd}/psu.txt`,
      /```text\n(# psu\.txt\n[^]*?)```/.exec(section)![1]!,
    );
    const tables: [string, [string, string][]][] = [
      ["--reply '*IDN?", [["*IDN?\nMEAS?\n", "ACME,1\n+1.25E+00\n"]]],
      ["--replies psu.txt", [["#SN\r\n", "4711\r\n"], ["VOLT 3\nVOLT?\nx\n", "3.000\nERROR\n"]]],
    ];
    for (const [text, dialogue] of tables) {
      const { server, port } = await serve(argumentsWith(text), cwd);
      await using _ = server;
      for (const [input, answer] of dialogue) {
        const args = ["socket-client", "--port", port, "--count", String(answer.length)];
        const { code, stdout } = await labwire([...args, "--timeout", "60"], { input });
        assertEquals([code, stdout], [0, answer]);
      }
    }
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
