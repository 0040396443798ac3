/** The server of the scope: what it shows to whom, and what it does not let itself be done. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeFrame } from "../../lib/scope/page/protocol.js";
import { Traces } from "../../lib/scope/page/traces.js";
import { Feed } from "../../lib/scope/feed.ts";
import { ReportedErrors } from "../time/reported_errors.ts";
import { type Scope, type ScopeOptions, startScope } from "../../lib/scope/scope.ts";

const encoder = new TextEncoder();

/** A scope at a free port, and a feed with two lanes. */
function open(options: Partial<ScopeOptions> = {}, host = "127.0.0.1") {
  let now = 1000;
  const feed = new Feed({
    lanes: [{ name: "received" }, { name: "sent", isReply: true }],
    signals: [{ name: "<b>volt</b>", unit: "V" }, { name: "on" }],
    now: () => now,
  });
  const problems: string[] = [];
  const scope = startScope({
    feed,
    listen: { hostname: host, port: 0 },
    onProblem: (_, message) => problems.push(message),
    ...options,
  });
  const add = (sequence: number, values: (number | bigint | boolean)[], lane = 0) => {
    now = 1000 + sequence / 100;
    const origin = { sec: Math.floor(now), nsec: Math.round(now % 1 * 1e9) };
    feed.add(lane, [{ type: "data", sequence: BigInt(sequence), origin, values }]);
  };
  return { feed, scope, problems, add, [Symbol.asyncDispose]: () => scope.close() };
}

/** Sends bytes, and returns all that comes back. */
async function raw(scope: Scope, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: scope.addr.port });
  await connection.write(encoder.encode(text));
  let answer = "";
  for await (const chunk of connection.readable) answer += new TextDecoder().decode(chunk);
  return answer;
}

/** What a request is answered, with the header's fields that are given. */
async function statusOf(scope: Scope, path: string, fields: Record<string, string> = {}) {
  const all = { host: `127.0.0.1:${scope.addr.port}`, connection: "close", ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // What is served keeps the connection; one more request, which is refused, ends it.
  const answer = await raw(scope, `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\nEND\r\n\r\n`);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

/** A viewer as the page is one. */
async function watch(url: string, fields: Record<string, unknown> = {}) {
  const socket = new WebSocket(url.replace("http:", "ws:") + "stream");
  socket.binaryType = "arraybuffer";
  const lanes = [new Traces(), new Traces()];
  const messages: Record<string, unknown>[] = [];
  let frames = 0;
  let wake = () => {};
  let isOpen = true;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") messages.push(JSON.parse(data));
    else {
      frames++;
      for (const block of decodeFrame(data).blocks) {
        if (block.kind === "points" || block.kind === "columns") lanes[block.lane]!.take(block);
      }
    }
    wake();
  };
  socket.onclose = () => {
    isOpen = false;
    wake();
  };
  const until = async (isDone: () => boolean) => {
    while (!isDone() && isOpen) await new Promise<void>((resolve) => wake = resolve);
  };
  const say = (message: Record<string, unknown>) => socket.send(JSON.stringify(message));
  await until(() => messages.some(({ type }) => type === "hello"));
  say({
    type: "view",
    id: 1,
    span: 10,
    columns: 100,
    end: null,
    channels: [[0, 1], [0]],
    ...fields,
  });
  return {
    ...{ lanes, messages, until, say, socket },
    frames: () => frames,
    ready: () => say({ type: "ready" }),
    last: (type: string) => messages.findLast((message) => message.type === type),
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      socket.onclose = () => closed.resolve();
      if (socket.readyState === WebSocket.CLOSED) return;
      socket.close();
      await closed.promise;
    },
  };
}

Deno.test("a viewer gets names, traces, exact values and statistics", async () => {
  await using lab = open();
  for (let i = 0; i < 50; i++) if (i < 20 || i > 24) lab.add(i, [i / 10, 9007199254740993n]);
  lab.add(49, [4.9, 2n], 1);
  await using viewer = await watch(lab.scope.url);
  await viewer.until(() => viewer.frames() > 0);
  const hello = viewer.last("hello") as { signals: unknown; lanes: { channels: unknown[] }[] };
  assertEquals(hello.signals, [{ name: "<b>volt</b>", unit: "V" }, { name: "on" }]);
  assertEquals(hello.lanes.map(({ channels }) => channels.length), [2, 2]);
  const [received] = viewer.lanes;
  assertEquals(received!.count, 45);
  assertEquals(received!.at(0, 0.3)![0], 3);
  // Four numbers are missing: the line is lifted there, and nowhere else.
  const moves: number[] = [];
  const pen = { moveTo: (x: number) => moves.push(x), lineTo: () => {} };
  const same = (value: number) => value;
  received!.trace(pen, 0, same, same, { from: 0, to: 1, isStep: false });
  assertEquals(moves.length, 2);
  const state = viewer.last("state") as {
    lanes: { values: string[]; missed: number; measured: { channel: number; max: number }[] }[];
  };
  assertEquals(state.lanes[0]!.values, ["4.9", "9007199254740993"]);
  assertEquals(state.lanes[0]!.missed, 5);
  assertEquals(state.lanes[0]!.measured[0]!.max, 4.9);
  assertEquals(state.lanes[1]!.values, ["4.9", "2"]);
});

Deno.test("a viewer that does not say that it is ready gets one frame, and then what it has missed at once", async () => {
  await using lab = open();
  lab.add(0, [1]);
  await using viewer = await watch(lab.scope.url);
  await viewer.until(() => viewer.frames() > 0);
  for (let i = 1; i < 500; i++) lab.add(i, [i]);
  // Another viewer sees that time has passed.
  await using other = await watch(lab.scope.url);
  for (let frames = 1; frames < 5; frames++) {
    await other.until(() => other.frames() >= frames);
    lab.add(500 + frames, [1]);
    other.ready();
  }
  assertEquals(viewer.frames(), 1);
  viewer.ready();
  await viewer.until(() => viewer.frames() > 1);
  assert(viewer.lanes[0]!.last(0) === 1);
});

Deno.test("views: paused, triggered, and of channels that there are not", async () => {
  await using lab = open();
  for (let i = 0; i < 1000; i++) lab.add(i, [Math.sin(2 * Math.PI * i / 100)]);
  await using paused = await watch(lab.scope.url, { end: 5, span: 2 });
  await paused.until(() => paused.frames() > 0);
  assertEquals(paused.lanes[0]!.range(0, 3, 5).map(Math.round), [-1, 1]);
  assert(paused.lanes[0]!.at(0, 5.5)![0] === paused.lanes[0]!.at(0, 5.01)![0]);
  const trigger = { lane: 0, channel: 0, slope: "rising", level: 0.5, mode: "normal" };
  await using triggered = await watch(lab.scope.url, { span: 0.5, trigger });
  lab.add(1000, [0]);
  await triggered.until(() => triggered.last("state") !== undefined && triggered.frames() > 0);
  for (let i = 1001; i < 1200; i++) lab.add(i, [Math.sin(2 * Math.PI * i / 100)]);
  triggered.ready();
  await triggered.until(() => triggered.lanes[0]!.count > 0);
  await using strange = await watch(lab.scope.url, {
    channels: [[0, 99, -1, 1e9, "x"], "y", [3]],
    span: -5,
    columns: 1e12,
    trigger: { lane: 77, channel: "z" },
    spectrum: { lane: 9, channel: 9, window: "none" },
    xy: { lane: 9 },
  });
  await strange.until(() => strange.frames() > 0);
  assertEquals([...strange.lanes[0]!.lows.keys()], [0]);
  strange.socket.send("no JSON");
  strange.socket.send("[]");
  strange.ready();
  lab.add(1200, [1]);
  await strange.until(() => strange.frames() > 1);
});

Deno.test("only this computer's names are answered, and no page of another origin", async () => {
  await using lab = open();
  const { scope } = lab;
  const { port } = scope.addr;
  assertEquals(await statusOf(scope, "/"), 200);
  for (const host of ["localhost", `localhost:${port}`, "[::1]:9", "127.0.0.1:9000"]) {
    assertEquals(await statusOf(scope, "/", { host }), 200, host);
  }
  for (
    const host of ["evil.example", `evil.example:${port}`, "10.0.0.1", "", "localhost.evil.example"]
  ) assertEquals(await statusOf(scope, "/", { host }), 403, host);
  const own = `http://127.0.0.1:${port}`;
  assertEquals(await statusOf(scope, "/", { origin: own }), 200);
  for (const origin of ["http://evil.example", "null", `https://127.0.0.1:${port}`, `${own}0`]) {
    assertEquals(await statusOf(scope, "/", { origin }), 403, origin);
    assertEquals(await statusOf(scope, "/stream", { origin }), 403, origin);
    assertEquals(await statusOf(scope, "/data.csv", { origin }), 403, origin);
  }
  assertEquals(await statusOf(scope, "/", { "sec-fetch-site": "cross-site" }), 403);
  assertMatch(lab.problems[0]!, /^Refused a browser: the Host header names another computer/);
});

Deno.test("elsewhere than on this computer a token is required", async () => {
  await using lab = open({}, "0.0.0.0");
  const { scope } = lab;
  const { pathname } = new URL(scope.url);
  assertMatch(pathname, /^\/[\w-]{24}\/$/);
  const paths = ["", "style.css", "main.js"];
  for (const path of paths) assertEquals(await statusOf(scope, pathname + path), 200);
  const wrong = pathname.replace(/.\/$/, (end) => end === "A/" ? "B/" : "A/");
  for (const begin of ["/", wrong, pathname.slice(0, -2), "/../"]) {
    for (const path of [...paths, "stream", "data.csv"]) {
      assertEquals(await statusOf(scope, begin + path), 403, begin + path);
    }
  }
  assertEquals(await statusOf(scope, pathname, { host: "evil.example" }), 403);
  assertEquals(await statusOf(scope, pathname, { host: "192.168.7.9:80" }), 200);
  await using viewer = await watch(scope.url);
  assertEquals(viewer.last("hello")?.title, "labwire");
});

Deno.test("the browser is told to load nothing from elsewhere", async () => {
  await using lab = open();
  const answer = await fetch(lab.scope.url);
  const policy = answer.headers.get("content-security-policy")!;
  assertMatch(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert(!policy.includes("unsafe"));
  assertEquals(answer.headers.get("access-control-allow-origin"), null);
  assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
  const page = await answer.text();
  assert(!/<script(?![^>]*src)|\son\w+=|style=|https?:/.test(page), "nothing inline");
  for (const path of ["uplot.js", "uplot.css", "icon.svg"]) {
    const { ok, body } = await fetch(lab.scope.url + path);
    await body?.cancel();
    assert(ok, path);
  }
});

Deno.test("what is no request is refused, and what is no frame ends the connection", async () => {
  await using lab = open();
  const { scope } = lab;
  const host = `Host: 127.0.0.1\r\n`;
  assertMatch(await raw(scope, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400/);
  assertMatch(await raw(scope, `POST / HTTP/1.1\r\n${host}\r\n`), /^HTTP\/1\.1 405/);
  const body = `GET / HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`;
  assertMatch(await raw(scope, body), /^HTTP\/1\.1 400/);
  assertMatch(await raw(scope, `GET /${"a".repeat(20_000)}`), /^HTTP\/1\.1 400/);
  assertMatch(await raw(scope, `GET /stream HTTP/1.1\r\n${host}\r\n`), /^HTTP\/1\.1 426/);
  assertMatch(
    await raw(scope, `GET /deno.json HTTP/1.1\r\n${host}\r\nEND\r\n\r\n`),
    /^HTTP\/1\.1 404/,
  );
  const upgrade = `GET /stream HTTP/1.1\r\n${host}Upgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  // The example of RFC 6455, section 1.3; and then a frame that is not masked.
  const answer = await raw(scope, `${upgrade}\x01\x02abc`);
  assertMatch(answer, /^HTTP\/1\.1 101 [^]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
  assertEquals(scope.viewers, 0);
});

Deno.test("a message in very many empty frames keeps nobody waiting", async () => {
  await using lab = open();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: lab.scope.addr.port });
  await connection.write(encoder.encode(
    "GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  const frames = new Uint8Array(6 * 300_000);
  for (let at = 1; at < frames.length; at += 6) frames[at] = 0x80; // masked with zeros
  frames[0] = 0x01; // text, to be continued
  const end = new Uint8Array([0x80, 0x80, 0, 0, 0, 0, 0x88, 0]); // its last frame, and one that is not masked
  const writing = writeAll(connection, frames).then(() => writeAll(connection, end));
  await connection.readable.pipeTo(new WritableStream(), { preventCancel: true });
  await writing;
});

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

Deno.test("viewers and connections are limited, and one that never reads costs nothing", async () => {
  await using lab = open({ maxViewers: 2, maxConnections: 8 });
  lab.add(0, [1]);
  const { port } = lab.scope.addr;
  await using one = await watch(lab.scope.url);
  await using _two = await watch(lab.scope.url);
  const third = new WebSocket(`ws://127.0.0.1:${port}/stream`);
  const failed = Promise.withResolvers<void>();
  third.onerror = () => failed.resolve();
  await failed.promise;
  // A flood: all but a few are closed, and the viewers go on.
  const flood = await Promise.all(
    Array.from({ length: 200 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  lab.add(1, [2]);
  one.ready();
  const before = one.frames();
  await one.until(() => one.frames() > before);
  const ends = flood.slice(8).map((connection) =>
    connection.read(new Uint8Array(1)).catch(() => null)
  );
  assertEquals(new Set(await Promise.all(ends)), new Set([null]));
  for (const connection of flood) connection.close();
});

/** A message as a browser sends it: masked, here with zeros. */
function masked(text: string): Uint8Array {
  const payload = encoder.encode(text);
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255];
  return new Uint8Array([0x81, ...size, 0, 0, 0, 0, ...payload]);
}

Deno.test("a viewer that never reads gets nothing more, and the others go on", async () => {
  await using lab = open();
  const values = Array.from({ length: 200 }, (_, i) => i);
  for (let i = 0; i < 3000; i++) lab.add(i, values);
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port: lab.scope.addr.port });
  await deaf.write(encoder.encode(
    "GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  const channels = [values, []];
  // Each of these frames has megabytes.
  const view = { type: "view", span: 20, columns: 4000, end: null, channels };
  await using viewer = await watch(lab.scope.url);
  const { heapUsed, external } = Deno.memoryUsage();
  for (let id = 1; id < 60; id++) {
    await deaf.write(masked(JSON.stringify({ ...view, id })));
    await deaf.write(masked('{"type":"ready"}'));
    const before = viewer.frames();
    lab.add(3000 + id, values);
    viewer.ready();
    await viewer.until(() => viewer.frames() > before);
  }
  const now = Deno.memoryUsage();
  const grown = now.heapUsed + now.external - heapUsed - external;
  assert(grown < 200 * 2 ** 20, `${grown} bytes more`);
});

Deno.test("a control is changed only where that is allowed", async () => {
  await using closed = open();
  closed.add(0, [1]);
  await using viewer = await watch(closed.scope.url);
  viewer.say({ type: "control", frequency: 5 });
  await viewer.until(() => viewer.last("problem") !== undefined);
  assertMatch(String(viewer.last("problem")!.message), /--scope-control/);
  const changes: unknown[] = [];
  const control = {
    describe: () => ({ frequency: 1 }),
    change: (change: unknown) => void changes.push(change),
  };
  await using lab = open({ control });
  lab.add(0, [1]);
  await using other = await watch(lab.scope.url);
  assertEquals(other.last("hello")!.control, { frequency: 1 });
  other.say({ type: "control", frequency: 5 });
  await other.until(() => other.last("control") !== undefined);
  assertEquals(changes, [{ type: "control", frequency: 5 }]);
});

Deno.test("what is visible is saved as CSV, with both ways on one line where they belong together", async () => {
  await using lab = open();
  for (let i = 0; i < 5; i++) lab.add(i, [i / 2, i === 2]);
  lab.add(4, [4, true], 1);
  const text = await (await fetch(`${lab.scope.url}data.csv?from=0.015&channels=0:0,0:1,1:0`))
    .text();
  assertEquals(text.split("\r\n"), [
    "time [s],received.<b>volt</b> [V],received.on,sent.<b>volt</b> [V]",
    "1000.020000,1,1,",
    "1000.030000,1.5,0,",
    "1000.040000,2,0,4",
    "",
  ]);
});

Deno.test("a CSV reaches from its first time to its last, both of which belong to it", async () => {
  await using lab = open();
  for (let i = 0; i < 5; i++) lab.add(i, [i]);
  const { lanes: [lane] } = lab.feed;
  // As a page says it, which has times since 1970.
  const end = 1000 + lane!.end - 1000;
  const text = await (await fetch(`${lab.scope.url}data.csv?from=0.01&to=${end}`)).text();
  assertEquals(text.trim().split("\r\n").slice(1).map((line) => line.split(",")[1]), [
    ..."1234",
  ]);
});

/** Begins to fetch a CSV that is too long for the system to take at once, and returns what reads the rest of it. */
async function beginCsv({ scope }: { scope: Scope }) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: scope.addr.port });
  const host = `host: 127.0.0.1:${scope.addr.port}`;
  await connection.write(encoder.encode(`GET /data.csv HTTP/1.1\r\n${host}\r\n\r\n`));
  const first = new Uint8Array(1000);
  const count = await connection.read(first);
  assertMatch(new TextDecoder().decode(first.subarray(0, count!)), /^HTTP\/1\.1 200 OK\r\n/);
  return async () => {
    let end = "";
    for await (const chunk of connection.readable) {
      end = (end + new TextDecoder().decode(chunk.subarray(-10))).slice(-10);
    }
    return end;
  };
}

/** A feed that keeps some 200,000 samples of 16 values. */
function fullFeed() {
  const feed = new Feed({ lanes: [{ name: "received" }], bytes: 2 ** 25, now: () => 1000 });
  let time = 1000;
  const add = (count: number) => {
    for (let i = 0; i < count; i++, time += 1e-3) {
      const origin = { sec: Math.floor(time), nsec: Math.floor(time % 1 * 1e9) };
      feed.add(0, [{ type: "data", origin, values: new Array(16).fill(Math.PI) }], time);
    }
  };
  add(250_000);
  return { feed, add };
}

Deno.test("a CSV that is whole ends as such, and one that is cut by the end of the scope does not", async () => {
  const { feed } = fullFeed();
  const lab = open({ feed });
  assertMatch(await (await beginCsv(lab))(), /\r\n0\r\n\r\n$/);
  const rest = await beginCsv(lab);
  await lab.scope.close();
  assert(!(await rest()).endsWith("0\r\n\r\n"));
});

Deno.test("a CSV whose samples were let go of before they were written does not end as whole, and is told", async () => {
  const { feed, add } = fullFeed();
  await using lab = open({ feed });
  const rest = await beginCsv(lab);
  add(250_000);
  assert(!(await rest()).endsWith("0\r\n\r\n"));
  assertMatch(
    lab.problems.join(),
    /Cannot write all of a CSV: .* before the browser took them; --history keeps more/,
  );
});

Deno.test("an onProblem that throws is reported, and does not confuse the scope", async () => {
  using reported = new ReportedErrors();
  const onProblem = (_: string, message: string) => {
    throw new Error(`watched: ${message}`);
  };
  await using lab = open({ onProblem });
  lab.add(0, [1]);
  const answer = await raw(lab.scope, "GET / HTTP/1.1\r\nhost: elsewhere.example\r\n\r\n");
  assertMatch(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*Refused: the Host header/);
  assertMatch(reported.messages.join(), /^watched: Refused a browser/);
  await using viewer = await watch(lab.scope.url);
  await viewer.until(() => viewer.frames() > 0);
});
