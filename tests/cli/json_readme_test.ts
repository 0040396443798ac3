import { assertEquals } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { splitCommandLine } from "../../mod.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire, start } from "./run.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const section = readme.split(/^## /m).find((text) => text.startsWith("json-server"))!;

const python = needs(PYTHON);
const windows = Deno.build.os === "windows";

/** A file of the README by its name. */
function fileOf(name: string): string {
  const blocks = [...section.matchAll(/```\w+\n((?:\/\/|#) (\S+)\n[^]*?)```/g)];
  return blocks.find(([, , found]) => found === name)![1]!;
}

function argumentsOf(line: string): string[] {
  return splitCommandLine(line, { windows: false }).slice(1);
}

/** The commands of the README that are typed beside a server, each with what it prints. */
function dialogueWith(block: string): { args: string[]; output: string }[] {
  return [...block.matchAll(/^\$ (labwire json-client .*)\n((?:[^$].*\n)*)/gm)]
    .map(([, line, output]) => ({ args: argumentsOf(line!), output: output! }));
}

async function serve(args: string[], cwd: string) {
  const server = start([...args, "--port", "0"], { cwd });
  const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  return { server, port: port! };
}

/** Checks what the client shows on a terminal; where there is no pseudo-terminal, without the labels. */
async function assertShown(args: string[], output: string): Promise<void> {
  if (python.ignore || windows) {
    const { stdout, stderr } = await labwire(args);
    assertEquals(stdout + stderr, output.replace("Server reported success.\n", ""));
    return;
  }
  await using client = startOnTerminal(args);
  assertEquals(plainText((await client.result()).stdout), output);
}

const blocks = [...section.matchAll(/```console\n([^]*?)```/g)].map(([, block]) => block!);

for (const file of ["supply.js", "mean.py", "supply.py", "log.sh"]) {
  const { ignore, note } = file.endsWith(".js")
    ? { ignore: false, note: "" }
    : needs(file.endsWith(".py") ? "python3" : "sh");
  Deno.test({
    name: `README: ${file} and what json-client says to it are as they stand there${note}`,
    ignore,
    async fn() {
      const cwd = await Deno.makeTempDir({ prefix: "labwire-test-" });
      try {
        await Deno.writeTextFile(`${cwd}/${file}`, fileOf(file));
        const command = section.match(new RegExp(`labwire json-server .*\\b${file}'?`))![0];
        const { server, port } = await serve(argumentsOf(command), cwd);
        await using _ = server;
        const dialogue = dialogueWith(
          blocks.find((block) => block.includes(file)) ?? blocks[0]!,
        );
        assertEquals(dialogue.length > 0, true);
        for (const { args, output } of dialogue) {
          await assertShown([...args, "--port", port], output);
        }
      } finally {
        await Deno.remove(cwd, { recursive: true });
      }
    },
  });
}

Deno.test(`README: the first try of json-server and json-client works${python.note}`, {
  ignore: python.ignore || windows,
}, async () => {
  const lines = section.match(/```sh\n(labwire json-server\n)(.*)\n```/)!;
  await using server = startOnTerminal([...argumentsOf(lines[1]!.trim()), "--port", "0"]);
  const [, port] = await server.until("stdout", /Listening on 127\.0\.0\.1:(\d+)/);
  const args = [...argumentsOf(lines[2]!), "--port", port!];
  await assertShown(args, "Server reported success.\n");
  await server.until("stdout", /Data of param2 : {2}this is text\r?\n/);
});

Deno.test("README: a script gets the result and nothing else", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    await Deno.writeTextFile(`${cwd}/supply.js`, fileOf("supply.js"));
    const { server, port } = await serve(["json-server", "--handler", "supply.js"], cwd);
    await using _ = server;
    const line = section.match(/volts=\$\((labwire json-client .*?)\)/)![1]!;
    const { code, stdout, stderr } = await labwire([...argumentsOf(line), "--port", port]);
    assertEquals([code, stdout, stderr], [0, "0\n", ""]);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
