/** `json-client --list`, `json-client NAME --help` and what TAB offers: a server's commands. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { complete } from "../../lib/cli/complete.ts";
import { registry } from "../../lib/commands/registry.ts";
import { type JsonServerOptions, startJsonServer } from "../../lib/json/server.ts";
import { freePort } from "../net/free_port.ts";
import { folder, serve } from "./json_serve.ts";
import { labwire } from "./run.ts";

const supply = `
/**
 * Sets the output.
 *
 * 0 to 30 V.
 */
function set_voltage({ volts, channel = 1 }) {}

export const commands = { set_voltage, get_voltage: () => 0 };
`;
const listed = `set_voltage({ volts, channel = 1 })
    Sets the output.

    0 to 30 V.
`;

/** A server in this process, and the options by which a client finds it. */
function server(options: JsonServerOptions) {
  const it = startJsonServer({ ...options, port: 0 });
  return {
    port: ["--port", String(it.addr.port)],
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  };
}

Deno.test("json-client --list shows the commands of a module and their comments", async () => {
  await using files = await folder({ "supply.mjs": supply });
  await using it = await serve(["--handler", `${files.path}/supply.mjs`]);
  const port = ["--port", String(it.addr.port)];
  const list = await labwire(["json-client", "--list", ...port]);
  assertEquals(list, { code: 0, stdout: `${listed}get_voltage()\n`, stderr: "" });
  const json = await labwire(["json-client", "--list", "--output", "json", ...port]);
  assertEquals(JSON.parse(json.stdout).result, [
    {
      name: "set_voltage",
      signature: "set_voltage({ volts, channel = 1 })",
      doc: "Sets the output.\n\n0 to 30 V.",
    },
    { name: "get_voltage", signature: "get_voltage()", doc: "" },
  ]);
  const one = await labwire(["json-client", "set_voltage", "--help", ...port]);
  assertEquals(one, { code: 0, stdout: listed, stderr: "" });
  const none = await labwire(["json-client", "set_volt", "-h", ...port]);
  assertEquals(none.code, 2);
  assertStringIncludes(
    none.stderr,
    'Cannot find command "set_volt": expected one of set_voltage, get_voltage; did you mean',
  );
});

Deno.test("json-client --list: a server may list its commands by itself, in less words", async () => {
  const commands = { list_commands: () => ["on", { name: "off", more: 1 }], on: () => {} };
  await using it = server({ commands });
  const { code, stdout } = await labwire(["json-client", "--list", ...it.port]);
  assertEquals([code, stdout], [0, "on\noff\n"]);
});

Deno.test("json-client --list says what to do where a server does not list its commands", async () => {
  for (
    const [options, why] of [
      [{}, "the answer has no list of them"],
      [{ interact: () => [1] }, "the answer has no list of them"],
      [{ interact: () => Promise.reject(new Error("never")) }, 'the server answered "never"'],
    ] as const
  ) {
    await using it = server(options);
    for (const args of [["--list"], ["on", "--help"]]) {
      const { code, stdout, stderr } = await labwire(["json-client", ...args, ...it.port]);
      assertEquals([code, stdout], [3, ""]);
      assertStringIncludes(
        stderr,
        `error: Cannot list the commands of 127.0.0.1:${it.port[1]}: ${why}`,
      );
      assertStringIncludes(stderr, "--handler that has a function for each command");
    }
  }
  const port = ["--port", String(freePort())];
  const { code, stderr } = await labwire(["json-client", "--list", ...port]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "connection refused");
  const both = await labwire(["json-client", "--list", "on"]);
  assertEquals([both.code, both.stdout], [2, ""]);
});

Deno.test("TAB offers the commands of the server, and nothing where there is none", async () => {
  const hostile = [{ name: "off\x1b[2J" }, { name: "o k", signature: "ok()\n$(reboot)" }];
  const commands = { on: () => {}, set_voltage: ({ volts }: { volts: number }) => volts };
  await using good = server({ commands });
  await using bad = server({ commands: { list_commands: () => hostile } });
  const offered = (...words: string[]) =>
    complete([String(words.length), "json-client", ...words], registry);
  assertEquals(await offered(...good.port, ""), [
    "words",
    "on\ton()",
    "set_voltage\tset_voltage({ volts })",
  ]);
  assertEquals(await offered(...good.port, "on", ""), ["words"]);
  assertEquals(await offered(...bad.port, ""), ["words"]);
  assertEquals(await offered("--port", String(freePort()), ""), ["words"]);
  assertEquals(await offered("--port", "x", ""), ["words"]);
});
