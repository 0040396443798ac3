/** What could differ between the sources and an executable. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { labwire, start } from "./run.ts";

const isExecutable = Deno.env.get("LABWIRE_BIN") !== undefined;

/** One sample: the greatest sequence number, the least and the greatest integer. Written by hand. */
const EXTREMES = Uint8Array.fromHex(
  "0a28" + "0801" + "10ffffffffffffffffff01" + "a2060b1080808080808080808001" +
    "a2060a10ffffffffffffffff7f",
);

/** Runs villas-echo with a handler of these files, sends it a message, and returns what it printed and sent back. */
async function echoWith(files: Record<string, string>, message: Uint8Array) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const [handler] = Object.keys(files);
    await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    const remote = `127.0.0.1:${(node.addr as Deno.NetAddr).port}`;
    const ends = ["--listen", "127.0.0.1:0", "--remote", remote, "--count", "1"];
    await using echo = start(["villas-echo", ...ends, "--handler", `${folder}/${handler}`]);
    const [, port] = await echo.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
    await node.send(message, { hostname: "127.0.0.1", port: Number(port) });
    const reply = (await node.receive())!.bytes.slice();
    return { reply, ...await echo.result() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("64-bit integers are exact when decoded, printed, handled and encoded", async () => {
  const { reply, stdout, code } = await echoWith({
    "copy.js": "export default (sample) => ({ values: sample.values.map((value) => value + 0n) });",
  }, EXTREMES);
  assertEquals(code, 0);
  assertStringIncludes(stdout, '"sequence": 18446744073709551615');
  assertStringIncludes(stdout, "[-9223372036854775808, 9223372036854775807]");
  assertEquals(reply, EXTREMES);
});

Deno.test("a handler may import its neighbours, and modules of Node.js", async () => {
  const { reply } = await echoWith({
    "handler.js": 'import { negate } from "./my math.js";\n' +
      'import { deepStrictEqual } from "node:assert";\n' +
      "deepStrictEqual([1], [1]);\n" +
      "export default ({ values }) => ({ values: values.map(negate) });",
    "my math.js": "export const negate = (value) => -value - 1n;",
  }, EXTREMES);
  assertEquals(reply.toHex().slice(-54), "a2060a10ffffffffffffffff7fa2060b1080808080808080808001");
});

Deno.test("a handler in TypeScript runs from source, and an executable says to use .js", async () => {
  const files = { "typed.ts": "export default (sample: { values: unknown[] }) => sample;" };
  if (!isExecutable) {
    assertEquals((await echoWith(files, EXTREMES)).reply, EXTREMES);
    return;
  }
  const file = await Deno.makeTempFile({ suffix: "-typed.ts" });
  const { code, stderr } = await labwire(["villas-echo", "--handler", file]);
  await Deno.remove(file);
  assertEquals(code, 2);
  assertMatch(stderr, /typed\.ts": the compiled program runs JavaScript only; rename it to \.js/);
});
