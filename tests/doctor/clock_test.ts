import { assert, assertAlmostEquals, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import { parsePeer } from "../../lib/commands/doctor.ts";
import { askClock } from "../../lib/doctor/ask_clock.ts";
import { checkPeer, peerFailure } from "../../lib/doctor/check_peer.ts";
import { decodeClockMessage, encodeClockMessage } from "../../lib/doctor/clock_message.ts";
import { startClockResponder } from "../../lib/doctor/clock_responder.ts";
import { wallClock } from "../../lib/time/wall_clock.ts";
import { SendError } from "../../lib/doctor/send_error.ts";
import type { System } from "../../lib/doctor/system.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

Deno.test("clock messages survive, and a request is longer than both replies", () => {
  const times = [1.5, -2.25, 1.8e12 + 1 / 1024] as const;
  const lengths = (["request", "reply", "unsolicited"] as const).map((kind) => {
    const bytes = encodeClockMessage({ kind, id: 0xfedcba98, times });
    assertEquals(decodeClockMessage(bytes), { kind, id: 0xfedcba98, times });
    return bytes.length;
  });
  assert(lengths[0]! >= lengths[1]! + lengths[2]!);
});

Deno.test("decodeClockMessage() refuses everything else", () => {
  const request = encodeClockMessage({ kind: "request", id: 1, times: [1, 0, 0] });
  assertEquals(decodeClockMessage(new Uint8Array(0)), undefined);
  assertEquals(decodeClockMessage(request.subarray(0, 95)), undefined);
  assertEquals(decodeClockMessage(new Uint8Array(96)), undefined);
  for (const [at, byte] of [[0, 0x4c], [7, 0], [7, 4], [7, 2]] as const) {
    const other = request.slice();
    other[at] = byte;
    assertEquals(decodeClockMessage(other), undefined);
  }
});

Deno.test("wallClock() agrees with Date.now(), and has fractions", () => {
  const clock = wallClock();
  const times = Array.from({ length: 1000 }, clock);
  assert(times.some((time) => time % 1 !== 0));
  assert(Math.abs(clock() - Date.now()) < 50);
});

Deno.test("askClock() finds how far a clock is off", async () => {
  for (const shift of [0, 1234.5, -86_400_000]) {
    const clock = wallClock();
    await using responder = await startClockResponder({
      listen: loopback,
      clock: () => clock() + shift,
    });
    const { asked, answered, unsolicited, offset, delay } = await askClock(responder.addr, {
      rounds: 8,
      timeout: 10,
    });
    assertEquals([asked, answered, unsolicited], [8, 8, 8]);
    assert(delay > 0);
    assertAlmostEquals(offset, shift, delay / 2 + 5);
  }
});

Deno.test("askClock() gives up where nobody answers", async () => {
  await using silent = await bindDatagram({ listen: loopback });
  const { asked, answered, unsolicited, offset } = await askClock(
    silent.addr as { hostname: string; port: number },
    { timeout: 0.01 },
  );
  assertEquals([asked, answered, unsolicited, offset], [3, 0, 0, NaN]);
});

Deno.test("ClockResponder answers nothing but requests, and ends", async () => {
  const asked: string[] = [];
  const responder = await startClockResponder({
    listen: loopback,
    onRequest: ({ hostname }) => asked.push(hostname),
  });
  await using socket = await bindDatagram({ listen: loopback });
  const reply = encodeClockMessage({ kind: "reply", id: 1, times: [1, 2, 3] });
  for (const bytes of [new Uint8Array(0), new Uint8Array([1, 2, 3]), reply]) {
    await socket.send(bytes, responder.addr);
  }
  await socket.send(
    encodeClockMessage({ kind: "request", id: 7, times: [1, 0, 0] }),
    responder.addr,
  );
  const first = await socket.receive();
  assertEquals(decodeClockMessage(first!.bytes)?.id, 7);
  await socket.receive();
  await responder.close();
  await responder.close();
  assertEquals(asked, ["127.0.0.1"]);
});

const peer = { hostname: "192.168.0.10", port: 12002 };

Deno.test("checkPeer() judges way, way back and clocks", () => {
  const address = peer.hostname;
  const good = { address, asked: 16, answered: 16, unsolicited: 16, offset: -0.5, delay: 0.2 };
  assertEquals(checkPeer(peer, good).map(({ status }) => status), ["ok", "ok", "ok"]);
  assertMatch(checkPeer(peer, good)[2]!.message, /^this clock is 0\.500 ms ahead of /);
  const bad = { address, asked: 16, answered: 12, unsolicited: 0, offset: 10.2, delay: 0.2 };
  const findings = checkPeer(peer, bad);
  assertEquals(findings.map(({ status }) => status), ["problem", "problem", "problem"]);
  assertMatch(findings[2]!.message, /10\.200 ms behind .* ± 0\.100 ms/);
  assertEquals(checkPeer(peer, { ...bad, offset: 10.05 })[2]!.status, "ok");
});

Deno.test("checkPeer() says how to start the other side when it is silent", () => {
  const [only, ...others] = checkPeer(peer, {
    address: peer.hostname,
    asked: 3,
    answered: 0,
    unsolicited: 0,
    offset: NaN,
    delay: NaN,
  });
  assertEquals(others.map(({ check, status }) => `${check}: ${status}`), [
    "unsolicited UDP: note",
    "clock: note",
  ]);
  assertEquals(only?.status, "problem");
  assertMatch(only?.remedy ?? "", /labwire doctor --serve/);
});

Deno.test("checkPeer() tells how an IPv6 address is served, and blames a firewall on either side", () => {
  const none = { asked: 3, answered: 0, unsolicited: 0, offset: NaN, delay: NaN };
  const v4 = checkPeer(peer, { ...none, address: "192.168.0.10" })[0]?.remedy ?? "";
  assertMatch(v4, /firewall on either computer/);
  assert(!v4.includes("[::]"));
  const other = { hostname: "fd77::2", port: 12002 };
  const v6 = checkPeer(other, { ...none, address: "fd77::2" })[0]?.remedy ?? "";
  assertMatch(v6, /labwire doctor --serve --listen '\[::\]:12002'/);
});

Deno.test("askClock() says what the system refused, unless some answers came", async () => {
  await using responder = await startClockResponder({ listen: loopback });
  const cause = new Deno.errors.NetworkUnreachable("Network is unreachable (os error 101)");
  let sent = 0;
  const refuseFrom = (first: number): Pick<System, "send"> => ({
    send: (from, bytes, to) => ++sent < first ? from.send(bytes, to) : Promise.reject(cause),
  });
  const error = await assertRejects(
    () => askClock(responder.addr, { system: refuseFrom(1) }),
    SendError,
  );
  const found = peerFailure(responder.addr, error, "linux");
  assertEquals([found.check, found.status], ["peer", "problem"]);
  assertEquals(
    found.message,
    "the system refuses to send to 127.0.0.1: Network is unreachable (os error 101)",
  );
  assertMatch(found.remedy!, /check cable, address and network/);
  sent = 0;
  const some = await askClock(responder.addr, { timeout: 10, system: refuseFrom(4) });
  assertEquals([some.asked, some.answered], [16, 3]);
});

Deno.test("peerFailure() tells of a name that does not exist", () => {
  const error = new ConnectError('Cannot resolve host "lab": no such name');
  const found = peerFailure({ hostname: "lab", port: 12002 }, error, "linux");
  assertEquals([found.check, found.status, found.message], ["peer", "problem", error.message]);
  assertMatch(found.remedy!, /spelling of "lab"/);
});

Deno.test("parsePeer() reads names and addresses with and without a port", () => {
  for (
    const [text, hostname, port] of [
      ["lab-pc", "lab-pc", 12002],
      ["lab-pc:7", "lab-pc", 7],
      ["192.168.0.10", "192.168.0.10", 12002],
      ["fd77::2", "fd77::2", 12002],
      ["::1", "::1", 12002],
      ["[::1]", "::1", 12002],
      ["[fd77::2]:7", "fd77::2", 7],
      ["fe80::1%eth0", "fe80::1%eth0", 12002],
    ] as const
  ) assertEquals(parsePeer(text), { hostname, port });
});
