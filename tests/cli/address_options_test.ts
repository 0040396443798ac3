/** The notations of addresses, which are the same in every command. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { registry } from "../../lib/commands/registry.ts";
import { UsageError } from "../../lib/errors.ts";
import { parseAddress } from "../../lib/net/address/address.ts";
import { labwire, startServer } from "./run.ts";

Deno.test("every option with an address takes each part that is missing from its default", async () => {
  const seen: string[] = [];
  for (const load of Object.values(registry)) {
    const { name, options } = await load();
    for (const [key, option] of Object.entries(options)) {
      if (option.placeholder !== "ADDR") continue;
      seen.push(`${name} ${key}`);
      const { hostname, port } = parseAddress(option.defaultText!);
      const forms: [string, string, number][] = [
        ["192.168.0.10", "192.168.0.10", port],
        ["lab-pc", "lab-pc", port],
        [":7", hostname, 7],
        ["7", hostname, 7],
        ["::1", "::1", port],
        ["[::1]", "::1", port],
        ["[::1]:7", "::1", 7],
        ["lab-pc:7", "lab-pc", 7],
      ];
      for (const [text, hostname, port] of forms) {
        assertEquals(option.parse(text), { hostname, port }, `${name} --${key} ${text}`);
      }
    }
  }
  for (
    const one of ["villas-echo listen", "villas-echo remote", "villas-signal to", "doctor listen"]
  ) assert(seen.includes(one), one);
});

Deno.test("every --host takes IPv6 with and without brackets, and says where a port belongs", async () => {
  let seen = 0;
  for (const load of Object.values(registry)) {
    const { options: { host } } = await load();
    if (!host) continue;
    seen++;
    assertEquals(["::1", "[::1]", "*"].map((text) => host.parse(text)), ["::1", "::1", "0.0.0.0"]);
    assertThrows(() => host.parse("lab-pc:80"), UsageError, "without a port, which --port takes");
  }
  assert(seen >= 6);
  const { code, stderr } = await labwire(["json-client", "--host", "lab-pc:65432", "x"]);
  assertEquals(code, 2);
  assertStringIncludes(
    stderr,
    'Cannot read --host "lab-pc:65432": expected a host without a port, which --port takes',
  );
});

Deno.test("doctor --peer takes the same notations", async () => {
  const { options } = await registry["doctor"]!();
  for (
    const [text, hostname, port] of [
      ["192.168.0.10", "192.168.0.10", 12002],
      ["lab-pc:7", "lab-pc", 7],
      ["fd77::2", "fd77::2", 12002],
      ["[fd77::2]", "fd77::2", 12002],
      ["[fd77::2]:7", "fd77::2", 7],
    ] as const
  ) assertEquals(options.peer!.parse(text), { hostname, port });
});

Deno.test("villas-signal and villas-echo reach one another by ports alone", async () => {
  await using signal = startServer([
    ...["villas-signal", "--listen", ":0", "--to", "127.0.0.1:9", "--rate", "1"],
  ]);
  const [, port] = await signal.until("stderr", /Listening on 0\.0\.0\.0:(\d+), sending to /);
  await using echo = startServer(["villas-echo", "--listen", "0", "--remote", port!]);
  await echo.until(
    "stderr",
    new RegExp(`Listening on 0\\.0\\.0\\.0:\\d+, remote 127\\.0\\.0\\.1:${port}\n`),
  );
});
