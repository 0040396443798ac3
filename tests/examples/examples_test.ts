/** Runs the programs of this folder, which users might have written, with the permissions that they name. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Child } from "../cli/run.ts";

const folder = new URL("./", import.meta.url);

/** Starts one of the programs. */
function start(name: string, args: string[], permissions = ["--allow-net"]): Child {
  const script = new URL(name, folder).href;
  return new Child(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-code-cache", ...permissions, script, ...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn(),
  );
}

/** Starts one that listens, and returns its port too. */
async function serve(name: string, args: string[], permissions?: string[]) {
  const child = start(name, args, permissions);
  const [, port] = await child.until("stdout", /listening on port (\d+)\n/);
  return { child, port: port! };
}

/** Runs one to its end, and returns what it printed. */
async function printed(name: string, args: string[]): Promise<string> {
  await using child = start(name, args);
  const { code, stdout, stderr } = await child.result();
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

Deno.test("examples: there are ten programs of at most 30 lines", async () => {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name !== "examples_test.ts");
  assertEquals(names.length, 10);
  for (const name of names) {
    const lines = (await Deno.readTextFile(new URL(name, folder))).trimEnd().split("\n").length;
    assert(lines <= 30, `${name} has ${lines} lines`);
  }
});

Deno.test("examples: ramp_voltage.ts asks power_supply.ts until it refuses", async () => {
  const { child, port } = await serve("power_supply.ts", ["0"]);
  await using _ = child;
  assertEquals(
    await printed("ramp_voltage.ts", [port]),
    "5 V: reads 5\n10 V: reads 10\n20 V: reads 20\n40 V: volts must be 0 to 30\n",
  );
});

Deno.test("examples: average_echo.ts answers sine_source.ts", async () => {
  const { child, port } = await serve("average_echo.ts", ["127.0.0.1:0"]);
  await using _ = child;
  assertMatch(
    await printed("sine_source.ts", [`127.0.0.1:${port}`]),
    /^100 sent, 100 returned, 0 lost\nmedian round trip \d+ µs\n$/,
  );
});

Deno.test("examples: struct_logger.ts writes what waveform_sender.ts sends", async () => {
  const file = await Deno.makeTempFile({ prefix: "labwire-test-" });
  try {
    const { child, port } = await serve("struct_logger.ts", [file, "0"], [
      "--allow-net",
      "--allow-write",
    ]);
    await using _ = child;
    assertEquals(await printed("waveform_sender.ts", [port]), "4 records sent\n");
    await child.until("stdout", /disconnected: 127\.0\.0\.1\n|disconnected: ::1\n/);
    assertEquals(
      await Deno.readTextFile(file),
      "n,volts,channel\n0,0,ch-1\n1,0.5,ch-1\n2,0.866,ch-1\n3,1,ch-1\n",
    );
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("examples: scan_ranges.ts measures with instrument.ts", async () => {
  const { child, port } = await serve("instrument.ts", ["0"]);
  await using _ = child;
  assertEquals(
    await printed("scan_ranges.ts", [port]),
    "range,reading\n1,6.250E-1\n10,6.250E+0\n100,6.250E+1\n",
  );
});

Deno.test("examples: signal_to_supply.ts sets power_supply.ts to what sine_source.ts sends", async () => {
  const supply = await serve("power_supply.ts", ["0"]);
  await using _supply = supply.child;
  const bridge = await serve("signal_to_supply.ts", ["127.0.0.1:0", supply.port]);
  await using _bridge = bridge.child;
  assertMatch(
    await printed("sine_source.ts", [`127.0.0.1:${bridge.port}`]),
    /^100 sent, 0 returned/,
  );
  await bridge.child.until("stdout", /success\n/);
});
