import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bindDatagram, formatAddress, startVillasEcho, villasProtobuf } from "../../mod.ts";
import { plainText, startOnTerminal } from "./pty.ts";
import { labwire, startServer } from "./run.ts";
import { freePort } from "../net/free_port.ts";

/** An echo for whoever sends, and the address to send to. */
async function echoFor(onSample: (values: readonly unknown[]) => void = () => {}) {
  const echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    onMessage: ({ samples }) => samples.forEach(({ values }) => onSample(values)),
  });
  return {
    echo,
    to: `127.0.0.1:${(echo.addr as Deno.NetAddr).port}`,
    [Symbol.asyncDispose]: () => echo.close(),
  };
}

const fast = ["--listen", "127.0.0.1:0", "--rate", "1000"];

Deno.test("villas-signal prints what comes back as VILLASnode's print hook does, and sums up", async () => {
  await using it = await echoFor();
  const { code, stdout, stderr } = await labwire([
    "villas-signal",
    ...fast,
    ...["--to", it.to, "--values", "5", "--limit", "3", "--check"],
  ]);
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, 3);
  for (const [i, line] of lines.entries()) {
    assertMatch(
      line,
      new RegExp(`^\\d+\\.\\d{9}[+-]\\d\\.\\d{6}e[+-]\\d\\d\\(${i}\\)(\\t-?\\d+\\.\\d{17}){5}$`),
    );
  }
  assertStringIncludes(stderr, "3 sent, 3 returned, 0 lost, 0 changed");
  assertMatch(stderr, /round trip: min [\d.]+ µs, median [\d.]+ µs, p99 [\d.]+ µs, max [\d.]+ µs/);
});

Deno.test("villas-signal generates each type with the options given", async () => {
  const seen: unknown[] = [];
  await using it = await echoFor((values) => seen.push(...values));
  const values = async (args: string[]) => {
    seen.length = 0;
    const { code, stderr } = await labwire([
      "villas-signal",
      ...args,
      ...fast,
      "--to",
      it.to,
      "--output",
      "none",
    ]);
    assertEquals(code, 0, stderr);
    return seen.map(Number);
  };
  assertEquals(await values(["counter", "--limit", "3", "--offset", "-1", "--amplitude", "2"]), [
    -1,
    1,
    3,
  ]);
  assertEquals(await values(["constant", "--values", "2", "--limit", "1", "--amplitude", "1,5"]), [
    1,
    5,
  ]);
  assertEquals(await values(["square", "--limit", "2", "--frequency", "500"]), [-1, 1]);
  const walk = ["random", "--limit", "4", "--seed", "7", "--stddev", "0.5"];
  assertEquals(await values(walk), await values(walk));
  const pulse = await values([
    "pulse",
    "--limit",
    "4",
    "--frequency",
    "250",
    "--pulse-low=-1",
    "--pulse-high",
    "9",
  ]);
  assertEquals(pulse.length, 4);
  assert(pulse.every((value) => value === -1 || value === 9));
});

Deno.test("villas-signal --check exits with 4 when samples are lost or changed", async () => {
  await using silent = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const to = `127.0.0.1:${(silent.addr as Deno.NetAddr).port}`;
  const args = ["villas-signal", ...fast, "--to", to, "--limit", "2", "--wait", "0.05"];
  const { code, stderr } = await labwire([...args, "--check"]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, "2 sent, 0 returned");

  await using dropping = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    handler: (sample) => sample.sequence === 0n ? null : sample,
  });
  const dropped = ["--to", formatAddress(dropping.addr), "--limit", "2", "--wait", "0.5"];
  assertEquals((await labwire(["villas-signal", ...fast, ...dropped])).code, 0);
  const lost = await labwire(["villas-signal", ...fast, ...dropped, "--check"]);
  assertEquals(lost.code, 4);
  assertStringIncludes(lost.stderr, "2 sent, 1 returned");

  await using changing = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    constant: [99],
  });
  const port = (changing.addr as Deno.NetAddr).port;
  const changed = await labwire([
    "villas-signal",
    ...fast,
    "--to",
    `127.0.0.1:${port}`,
    "--limit",
    "2",
    "--check",
  ]);
  assertEquals(changed.code, 4);
  assertStringIncludes(changed.stderr, "2 of them changed");
});

Deno.test("villas-signal --vectorize and --no-realtime", async () => {
  await using it = await echoFor();
  const { code, stderr } = await labwire([
    "villas-signal",
    ...[
      "--listen",
      "127.0.0.1:0",
      "--to",
      it.to,
      "--no-realtime",
      "--limit",
      "2000",
      "--vectorize",
      "10",
    ],
    ...["--output", "none", "--check"],
  ]);
  assertEquals(code, 0, stderr);
  assertEquals([it.echo.stats.messages, it.echo.stats.samples], [200, 2000]);
});

Deno.test("villas-signal without a limit goes on until Ctrl-C, and waits for what is on the way", async () => {
  await using it = await echoFor();
  await using program = startServer(["villas-signal", ...fast, "--to", it.to]);
  await program.until("stdout", /(.*\n){5}/);
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(stderr, /(\d+) sent, \1 returned, 0 lost/);
});

Deno.test("villas-signal says what is wrong with its options", async () => {
  const wrong: [string[], string][] = [
    [["sinus"], 'did you mean "sine"?'],
    [["--values", "0"], "expected a whole number from 1 to 4096"],
    [["--values", "2", "--offset", "1,2,3"], "offset"],
    [["--rate", "0"], "expected a number from"],
    [["--frequency", "1,x"], "expected a number"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await labwire(["villas-signal", "--listen", "127.0.0.1:0", ...args]);
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, message);
  }
});

Deno.test("lab19 shows both ends and that all samples came back", async () => {
  const { code, stdout, stderr } = await labwire([
    "lab19",
    "--port-base",
    String(freePort("udp", 2)),
    "--rate",
    "100",
  ]);
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.length, 6);
  assertEquals(lines.filter((line) => /^client {2}\{"ts"/.test(line)).length, 3);
  assertEquals(lines.filter((line) => /^node {4}\d+\.\d{9}/.test(line)).length, 3);
  assertMatch(stderr, /^Node on .*\n3 of 3 samples came back\n$/);
});

Deno.test("lab19 --output json prints a record for each sample at each end, and none nothing", async () => {
  const show = (form: string) => {
    const ports = ["--port-base", String(freePort("udp", 2))];
    return labwire(["lab19", ...ports, "--rate", "100", "--output", form]);
  };
  const { code, stdout } = await show("json");
  assertEquals(code, 0);
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const end of ["client", "node"]) {
    const own = records.filter((record) => record.end === end);
    assertEquals(own.map(({ sequence }) => sequence), [0, 1, 2]);
    for (const { ts, data } of own) assertEquals([ts.origin.length, data.length], [2, 5]);
  }
  assertEquals(records.length, 6);
  const silent = await show("none");
  assertEquals([silent.code, silent.stdout], [0, ""], silent.stderr);
  assertStringIncludes(silent.stderr, "3 of 3 samples came back");
});

Deno.test("lab19 names --port-base when a port is taken", async () => {
  await using taken = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stderr } = await labwire(["lab19", "--port-base", String(port)]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "use --port-base for other ports");
});

Deno.test("villas-signal survives garbage that comes back", async () => {
  await using client = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const to = `127.0.0.1:${(client.addr as Deno.NetAddr).port}`;
  await using program = startServer([
    "villas-signal",
    ...fast,
    "--to",
    to,
    "--limit",
    "1",
    "--output",
    "json",
  ]);
  const { bytes, from } = (await client.receive())!;
  const sample = bytes.slice();
  await client.send(new Uint8Array([1]), from);
  await client.send(sample, from);
  const { code, stdout, stderr } = await program.result();
  assertEquals([code, JSON.parse(stdout).sequence], [0, 0]);
  assertStringIncludes(stderr, "1 invalid");
  assertEquals(villasProtobuf.decode(sample).length, 1);
});

/** Somebody who sends nothing back, and the address to send to. */
async function silent() {
  const socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  return { socket, to: formatAddress(socket.addr), [Symbol.asyncDispose]: () => socket.close() };
}

Deno.test("villas-signal exits with 4 when nothing comes back at all, and says what to do", async () => {
  await using it = await silent();
  for (const wait of ["0.05", "0"]) {
    const { code, stdout, stderr } = await labwire([
      ...["villas-signal", ...fast, "--to", it.to, "--limit", "2", "--wait", wait],
    ]);
    assertEquals([code, stdout], [4, ""]);
    assertStringIncludes(stderr, "2 sent, 0 returned, 2 lost, 0 changed");
    assertStringIncludes(
      stderr,
      `error: No sample came back from ${it.to}: start a client there that sends samples back, or only send with --no-return`,
    );
  }
  const none = ["villas-signal", ...fast, "--to", it.to, "--limit", "0"];
  assertEquals((await labwire(none)).code, 0);
});

Deno.test("villas-signal --no-return only sends, waits for nothing, and exits with 0", async () => {
  await using it = await silent();
  const args = ["villas-signal", ...fast, "--to", it.to, "--limit", "2", "--no-return"];
  const { code, stdout, stderr } = await labwire([...args, "--wait", "1000"]);
  assertEquals([code, stdout], [0, ""]);
  assertMatch(
    stderr,
    /^Listening on .*, sending to .*\nEnds after 2 samples\. Ctrl-C to quit\.\n2 sent\n$/,
  );
  const both = await labwire([...args, "--check"]);
  assertEquals(both.code, 2);
  assertStringIncludes(both.stderr, "Cannot use --check with --no-return");
  const twice = await labwire([...args, "--record", "a.dat", "--record-sent", "b.dat"]);
  assertEquals(twice.code, 2);
  assertStringIncludes(
    twice.stderr,
    "Cannot use --record and --record-sent together with --no-return",
  );
});

Deno.test("villas-signal exits with 0 on Ctrl-C, although nothing has come back", async () => {
  await using it = await silent();
  await using program = startServer(["villas-signal", ...fast, "--to", it.to]);
  await it.socket.receive();
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(stderr, /\d+ sent, 0 returned/);
});

Deno.test("villas-signal ignores what comes from elsewhere, and --any-source takes it", async () => {
  for (const options of [[], ["--any-source"]]) {
    await using it = await silent();
    await using other = await silent();
    await using program = startServer([
      ...["villas-signal", ...fast, "--to", it.to, "--limit", "2", "--wait", "0.5", ...options],
    ]);
    for (let i = 0; i < 2; i++) {
      const { bytes, from } = (await it.socket.receive())!;
      await other.socket.send(bytes.slice(), from);
    }
    const { code, stdout, stderr } = await program.result();
    if (options.length > 0) {
      assertEquals([code, stdout.split("\n").length], [0, 3]);
      continue;
    }
    assertEquals([code, stdout], [4, ""]);
    assertStringIncludes(
      stderr,
      `warning: Ignored datagrams from ${other.to}: samples are sent to ${it.to}; --any-source takes them too`,
    );
    assertStringIncludes(stderr, "2 sent, 0 returned, 2 lost, 0 changed, 2 ignored");
    assertStringIncludes(stderr, "2 datagrams came from elsewhere, which --any-source takes too");
  }
});

Deno.test({
  name: "villas-signal shows on a terminal how far it is where no samples are printed there",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using it = await echoFor();
    await using program = startOnTerminal([
      ...["villas-signal", "counter", "--listen", "127.0.0.1:0", "--to", it.to],
      ...["--output", "none", "--rate", "100", "--limit", "100000"],
    ], { NO_COLOR: "" });
    await program.until("stdout", /\d+ of 100000 sent, \d+ returned/);
    await program.write("\x03");
    const { stdout } = await program.result();
    assertMatch(plainText(stdout), /\d+ sent, \d+ returned, 0 lost, 0 changed/);
  },
});

Deno.test("villas-signal and villas-replay offer no unix socket, and say what can be used", async () => {
  for (const command of [["villas-signal"], ["villas-replay", "run.dat"]]) {
    const help = await labwire([...command, "--help"]);
    assertEquals(/\bunix\b/.test(help.stdout), false);
    const { code, stderr } = await labwire([...command, "--layer", "unix"]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "expected one of udp, tcp-client, tcp-server");
  }
});

Deno.test("villas-signal ends in order while nobody is connected", async () => {
  for (
    const args of [["tcp-client", "--to", "127.0.0.1:1"], ["tcp-server", "--listen", "127.0.0.1:0"]]
  ) {
    await using program = startServer(["villas-signal", "--layer", ...args]);
    await program.until("stderr", /Ready\./);
    program.interrupt();
    const { code, stderr } = await program.result();
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "0 sent, 0 returned, 0 lost");
  }
});
