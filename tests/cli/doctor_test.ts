import { assert, assertEquals, assertMatch } from "@std/assert";
import type { HostPort } from "../../lib/net/address.ts";
import { bindDatagram } from "../../lib/net/datagram.ts";
import { labwire, start } from "./run.ts";

Deno.test("labwire doctor --output json records each finding, and exits with 1 if one is a problem", async () => {
  const { code, stdout, stderr } = await labwire(["doctor", "--output", "json"]);
  assertEquals(stderr, "");
  const findings = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const problems = findings.filter(({ status }) => status === "problem");
  assertEquals(code, problems.length > 0 ? 1 : 0);
  for (const { status, remedy } of findings) {
    assert(["ok", "note", "problem"].includes(status));
    if (status === "problem") assert(remedy, "a problem without a way to mend it");
  }
  const checks = new Set(findings.map(({ check }) => check));
  for (const check of ["permissions", "addresses", "ports", "UDP 127.0.0.1", "TCP 127.0.0.1"]) {
    assert(checks.has(check), `${check} is missing`);
  }
  assertEquals(findings.find(({ check }) => check === "permissions").status, "ok");
});

Deno.test("labwire doctor --serve and --peer compare two clocks, and try both directions", async () => {
  await using server = start(["doctor", "--serve", "--listen", "127.0.0.1:0"]);
  const [, address] = await server.until("stderr", /Listening on (\S+)\. /);
  const { stdout } = await labwire(["doctor", "--peer", address!]);
  assertMatch(stdout, /^ok {7}peer {16}127\.0\.0\.1:\d+ answered 16 of 16 datagrams/m);
  assertMatch(stdout, /^ok {7}unasked datagrams {3}/m);
  assertMatch(stdout, /^ok {7}clock {15}this clock is \d+\.\d{3} ms (ahead of|behind) /m);
  await server.until("stderr", /127\.0\.0\.1 asks\n/);
  server.interrupt();
  assertEquals((await server.result()).code, 0);
});

Deno.test("labwire doctor --peer tells when nobody answers", async () => {
  // A port that is bound, so that nobody else has it, and silent.
  await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const { port } = socket.addr as HostPort;
  const { code, stdout } = await labwire(["doctor", "--peer", `127.0.0.1:${port}`]);
  assertEquals(code, 1);
  assertMatch(stdout, /^problem {2}peer {16}127\.0\.0\.1:\d+ did not answer any of 3 datagrams$/m);
  assertMatch(stdout, /to mend it: start "labwire doctor --serve" there/);
});

Deno.test("labwire doctor refuses a bad --peer and a path for --listen", async () => {
  const peer = await labwire(["doctor", "--peer", "a b"]);
  assertEquals(peer.code, 2);
  assertMatch(peer.stderr, /Cannot parse address "a b:12002"/);
  const path = await labwire(["doctor", "--serve", "--listen", "/tmp/x"]);
  assertEquals(path.code, 2);
  assertMatch(path.stderr, /Cannot listen on "\/tmp\/x": expected "HOST:PORT"/);
});
