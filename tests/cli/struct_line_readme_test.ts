import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire, start } from "./run.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const section = readme.split(/^## /m).find((text) => text.startsWith("struct-line"))!;

// Windows has no pseudo-terminals that Python could make.
const python = Deno.build.os === "windows"
  ? { ignore: true, note: " (needs a POSIX system)" }
  : needs("python3");

/** The arguments of a command line of the README: words, some in single quotes, and no comment. */
function argumentsOf(line: string): string[] {
  return [...line.replace(/\s# .*/, "").matchAll(/'([^']*)'|[^\s']+/g)]
    .map(([word, quoted]) => quoted ?? word)
    .slice(1);
}

function commandLine(start: string): string[] {
  return argumentsOf(section.split("\n").find((line) => line.startsWith(`labwire ${start}`))!);
}

Deno.test({
  name: `README: the example of struct-line runs as it stands there${python.note}`,
  ignore: python.ignore,
  async fn() {
    const cwd = await Deno.makeTempDir({ prefix: "labwire-test-" });
    try {
      const module = /```js\n(\/\/ repeat\.js\n[^]*?)```/.exec(section)![1]!;
      await Deno.writeTextFile(`${cwd}/repeat.js`, module);
      await using server = start([...commandLine("struct-line server"), "--port", "0"], { cwd });
      const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
      await using client = startOnTerminal([...commandLine("struct-line client"), "--port", port!]);
      const dialogue = /```console\n(Connected[^]*?)```/.exec(section)![1]!;
      for (const [, question, answer] of dialogue.matchAll(/^(.+: )(.+)$/gm)) {
        const escaped = question!.replace(/[()]/g, "\\$&");
        for (let seen = 0; !new RegExp(`${escaped}$`).test(plainText(client.stdout));) {
          seen = client.stdout.length;
          await client.until("stdout", new RegExp(`^[^]{${seen + 1}}`));
        }
        await client.write(`${answer}\r`);
      }
      await server.until("stdout", /^0: hello\n1: hello\n2: hello\n$/);
      await client.write("\x04");
      assertEquals((await client.result()).code, 0);
      assertMatch(plainText(client.stdout), /Sent\./);
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});

Deno.test("README: struct-line pack and unpack print what it says", async () => {
  const packed = section.split("\n").find((line) => line.startsWith("labwire struct-line pack"))!;
  const { stdout } = await labwire(argumentsOf(packed));
  assertEquals(stdout.trim(), packed.split("# ")[1]);
  assertEquals((await labwire(commandLine("struct-line unpack"))).stdout, '[3,"hello",0.5]\n');
});
