import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { start } from "../cli/run.ts";
import { needs } from "../interop/peer.ts";
import { PYTHON, pythonLines } from "../interop/python.ts";

const { ignore, note } = needs(PYTHON);
const script = fileURLToPath(new URL("json_crowd.py", import.meta.url));
const linux = Deno.build.os === "linux";

/** Resident memory of a process, in MiB. */
async function memory(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]) / 1024;
}

/** How many sockets a process has open. */
function sockets(pid: number): number {
  const links = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

Deno.test({
  name: `json-server answers 1,000 clients with 100 messages each, and keeps nothing${note}`,
  ignore,
  async fn() {
    const handler = await Deno.makeTempFile({ suffix: ".js" });
    const source = "export const interact = (data) => [data.from, data.text.length];\n";
    await Deno.writeTextFile(handler, source);
    try {
      await using server = start([
        ...["json-server", "--port", "0", "--max-connections", "1000", "--handler", handler],
      ]);
      const [, port] = await server.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
      const { pid } = server.process;
      const before = linux ? sockets(pid) : 0;
      const crowd = (messages: number) =>
        pythonLines([script, port!, "1000", String(messages)], []).then(Number);
      assertEquals(await crowd(20), 20_000);
      const early = linux ? await memory(pid) : 0;
      assertEquals(await crowd(100), 100_000);
      if (linux) {
        // The heap still grows to its working size; a kilobyte kept per message would be 100 MiB more.
        assertLess(await memory(pid), early * 1.4 + 20);
        while (sockets(pid) > before) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      if (Deno.build.os === "windows") return;
      server.interrupt();
      const { code, stderr } = await server.result();
      assertEquals(code, 0);
      assertMatch(stderr, /120000 messages, 120000 successes, 0 failures, .* 2000 connections\n/);
    } finally {
      await Deno.remove(handler);
    }
  },
});
