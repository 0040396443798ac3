import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HostPort } from "../../lib/net/address/address.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { startOnTerminal } from "./pty.ts";
import { labwire, programCommand, startServer } from "./run.ts";

Deno.test("labwire doctor --output json records each finding, and exits with 1 if one is a problem", async () => {
  const { code, stdout, stderr } = await labwire(["doctor", "--output", "json"]);
  assertEquals(stderr, "");
  const findings = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const problems = findings.filter(({ status }) => status === "problem");
  assertEquals(code, problems.length > 0 ? 1 : 0);
  for (const { status, remedy } of findings) {
    assert(["ok", "note", "problem"].includes(status));
    if (status === "problem") assert(remedy, "a problem without a fix");
  }
  const checks = new Set(findings.map(({ check }) => check));
  for (const check of ["permissions", "addresses", "ports", "UDP 127.0.0.1", "TCP 127.0.0.1"]) {
    assert(checks.has(check), `${check} is missing`);
  }
  assertEquals(findings.find(({ check }) => check === "permissions").status, "ok");
});

Deno.test("labwire doctor --serve and --peer compare two clocks, and try both directions", async () => {
  await using server = startServer(["doctor", "--serve", "--listen", "127.0.0.1:0"]);
  const [, address] = await server.until(
    "stderr",
    /Listening on (\S+)\nReady\. Ctrl-C to quit\.\n/,
  );
  const { stdout } = await labwire(["doctor", "--peer", address!]);
  assertMatch(stdout, /^ok {7}peer {16}127\.0\.0\.1:\d+ answered 16 of 16 datagrams/m);
  assertMatch(stdout, /^ok {7}unsolicited UDP {5}/m);
  assertMatch(stdout, /^ok {7}clock {15}this clock is \d+\.\d{3} ms (ahead of|behind) /m);
  await server.until("stderr", /127\.0\.0\.1 asks\n/);
  server.interrupt();
  assertEquals((await server.result()).code, 0);
});

Deno.test("labwire doctor --serve --output json records each request", async () => {
  await using server = startServer([
    ...["doctor", "--serve", "--listen", "127.0.0.1:0", "--output", "json"],
  ]);
  const [, address] = await server.until("stderr", /Listening on (\d[\d.]*:\d+)/);
  await labwire(["doctor", "--peer", address!, "--output", "json"]);
  server.interrupt();
  const { code, stdout } = await server.result();
  const records = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals([code, records.length], [0, 16]);
  for (const { time, peer } of records) {
    assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assertMatch(peer, /^127\.0\.0\.1:\d+$/);
  }
});

Deno.test({
  name:
    "labwire doctor is coloured on a terminal, unless NO_COLOR is set (not on Windows: Python's pty)",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const colour of [true, false]) {
      await using terminal = startOnTerminal(["doctor"], { NO_COLOR: colour ? "" : "1" });
      await terminal.until("stdout", /peer {16}not checked/);
      const shown = terminal.stdout;
      assertEquals(shown.includes("\x1b[32;1mok\x1b[0m       permissions"), colour, shown);
    }
  },
});

Deno.test("labwire doctor --peer tells when nobody answers", async () => {
  // A port that is bound, so that nobody else has it, and silent.
  await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = socket.addr as HostPort;
  const { code, stdout } = await labwire(["doctor", "--peer", `127.0.0.1:${port}`]);
  assertEquals(code, 1);
  assertMatch(stdout, /^problem {2}peer {16}127\.0\.0\.1:\d+ did not answer any of 3 datagrams$/m);
  assertMatch(stdout, /fix: start "labwire doctor --serve" there/);
});

Deno.test("labwire doctor refuses a bad --peer before any check, and shows it as it was typed", async () => {
  for (
    const [peer, wanted] of [
      ["a b", '"HOST", "HOST:PORT" or "[IPV6]:PORT"'],
      ["127.0.0.1:abc", '"HOST", "HOST:PORT" or "[IPV6]:PORT"'],
      ["fd77::2:x", '"HOST", "HOST:PORT" or "[IPV6]:PORT"'],
      ["", "the other computer's name or address"],
      [":12002", "the other computer's name or address"],
      ["127.0.0.1:0", "a port from 1 to 65535"],
    ] as const
  ) {
    const { code, stdout, stderr } = await labwire(["doctor", `--peer=${peer}`]);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.includes(`Cannot parse address "${peer}": expected ${wanted}`), stderr);
  }
});

Deno.test("labwire doctor refuses options that would do nothing", async () => {
  for (
    const [args, message] of [
      [["--serve", "--listen", "/tmp/x"], 'Cannot listen on "/tmp/x": expected "HOST:PORT"'],
      [["--serve", "--peer", "127.0.0.1"], "Cannot use --serve and --peer together"],
      [["--listen", "127.0.0.1:0"], "Cannot use --listen alone: expected --serve with it"],
    ] as const
  ) {
    const { code, stdout, stderr } = await labwire(["doctor", ...args]);
    assertEquals([code, stdout], [2, ""]);
    assert(stderr.includes(message), stderr);
  }
});

/** Whether this user may make a network of his own: one with a loopback interface that is down, and nothing else. */
function mayUnshare(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    return new Deno.Command("unshare", { args: ["-rn", "true"], stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const cannot = !mayUnshare();
Deno.test({
  name: "labwire doctor goes through all checks without any network" +
    (cannot ? " (needs Linux and a user who may unshare -rn)" : ""),
  ignore: cannot,
  fn: async () => {
    const [program, args] = programCommand();
    for (
      const [peer, message] of [
        ["10.88.0.9", "the system refuses to send to 10.88.0.9: Network is unreachable"],
        ["fd77::2", "the system refuses to send to fd77::2: "],
        ["nosuchhost.invalid", 'Cannot resolve host "nosuchhost.invalid"'],
      ] as const
    ) {
      const doctor = [program, ...args, "doctor", "--output", "json", "--peer", peer];
      const { code, stdout } = await new Deno.Command("unshare", { args: ["-rn", ...doctor] })
        .output();
      assertEquals(code, 1);
      const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
      const findings = lines.map((line) => JSON.parse(line));
      const found = (name: string) => findings.find(({ check }) => check === name);
      assertEquals(found("UDP 127.0.0.1").remedy, "sudo ip link set lo up");
      assertMatch(found("receive buffer").message, /not checked, .* loopback interface is down/);
      assertEquals(found("peer").status, "problem");
      assert(found("peer").message.startsWith(message), found("peer").message);
    }
  },
});
