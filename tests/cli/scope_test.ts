/** `--scope` of the running program, and `villas-scope`. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { labwire, type Running, start, startServer } from "./run.ts";

/** The address of a program's scope. */
async function urlOf(program: Running): Promise<string> {
  return (await program.until("stderr", /^Scope: (http:\S+\/)$/m))[1]!;
}

/** What the scope has, as lines of CSV; asked again until there are so many samples. */
async function csvOf(url: string, count: number): Promise<string[]> {
  const end = performance.now() + 30_000;
  while (true) {
    const text = await fetch(`${url}data.csv`).then((response) => response.text(), () => "");
    const lines = text.trim().split("\r\n");
    if (lines.length > count) return lines;
    assert(performance.now() < end, lines.join("\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const scope = ["--scope", "127.0.0.1:0"];

Deno.test("villas-echo shows what arrived, what went back, and names and units", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using program = startServer([
    ...["villas-echo", "--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender"],
    ...["--output", "none", "--constant", "7", "--signals", "voltage:float:V", ...scope],
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  const message = villasProtobuf.encode([{ type: "data", sequence: 0n, values: [1.5] }]);
  await node.send(message, { hostname: "127.0.0.1", port: Number(port) });
  await node.receive();
  const [head, ...lines] = await csvOf(await urlOf(program), 1);
  assertEquals(head, "time [s],received.voltage [V],sent.voltage [V]");
  assertMatch(lines.join("\n"), /^\d+\.\d{6},1\.5,/);
  assertMatch(lines.join("\n"), /,7$/);
  program.interrupt();
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line shows the numbers of its records", async () => {
  await using program = startServer([
    ...["struct-line", "server", "--port", "0", "--host", "127.0.0.1", "--format", "<H4sf"],
    ...["--fields", "n,text,volts", "--output", "none", ...scope],
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  {
    using peer = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await peer.write(new Uint8Array([5, 0, 65, 66, 67, 68, 0, 0, 0x20, 0x40]));
    const [head, line] = await csvOf(await urlOf(program), 1);
    assertEquals(head, "time [s],n,volts");
    assertMatch(line!, /,5,2\.5$/);
  }
  program.interrupt();
  assertEquals((await program.result()).code, 0);
});

Deno.test("struct-line shows integers that are too large for a sample as floats, and takes them for no fault", async () => {
  await using program = startServer([
    ...["struct-line", "server", "--port", "0", "--host", "127.0.0.1", "--format", "<Q"],
    ...["--output", "none", ...scope],
  ]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  {
    using peer = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await peer.write(new Uint8Array(8).fill(255));
    const [, line] = await csvOf(await urlOf(program), 1);
    assertMatch(line!, /,18446744073709552000$/);
  }
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(stderr, /1 record received, 0 sent, 1 connection\n/);
});

Deno.test("villas-scope shows a recording, with the times in it", async () => {
  const file = await Deno.makeTempFile({ suffix: ".csv" });
  const lines = Array.from({ length: 1000 }, (_, i) => `1600000000,${i * 1e6},0,${i},${i / 2},1`);
  await Deno.writeTextFile(file, lines.map((line) => `${line}\n`).join(""));
  await using program = startServer([
    ...["villas-scope", file, "--signals", "volts:float:V,on:boolean", ...scope],
  ]);
  await program.until("stderr", /1000 samples read/);
  const found = await csvOf(await urlOf(program), 1000);
  assertEquals(found[0], "time [s],volts [V],on");
  assertEquals(found[1], "1600000000.000000,0,1");
  assertEquals(found[1000], "1600000000.999000,499.5,1");
  program.interrupt();
  assertEquals((await program.result()).code, 0);
  await Deno.remove(file);
});

Deno.test("villas-scope shows what struct-line has recorded, as CSV and as JSON", async () => {
  const time = (i: number) => `2026-11-21T15:51:33.${String(i).padStart(6, "0")}Z`;
  const csv = [1, 2, 3].map((i) => `${time(i * 1000)},${i},${i * 1.5},"a,""b",true`);
  const json = [1, 2, 3].map((i) =>
    JSON.stringify({ time: time(i * 1000), n: i, volts: i * 1.5, text: 'a,"b', on: true })
  );
  for (const [suffix, lines] of [[".csv", ["time,n,volts,text,on", ...csv]], [".json", json]]) {
    const file = await Deno.makeTempFile({ suffix: suffix as string });
    await Deno.writeTextFile(file, [...lines!, "nonsense"].map((line) => `${line}\n`).join(""));
    await using program = startServer(["villas-scope", file, ...scope]);
    await program.until("stderr", /3 samples read/);
    const found = await csvOf(await urlOf(program), 3);
    assertEquals(found.map((line) => line.split(",").slice(1)), [
      ["n", "volts", "on"],
      ["1", "1.5", "1"],
      ["2", "3", "1"],
      ["3", "4.5", "1"],
    ]);
    assertMatch(found[1]!, /^1795276293\.001000,/);
    program.interrupt();
    const { code, stderr } = await program.result();
    assertEquals(code, 5);
    assertMatch(stderr, /Cannot read line \d: expected a time and values as in the first lines/);
    await Deno.remove(file);
  }
});

Deno.test({
  name: "villas-scope shows all of what comes through a pipe",
  ignore: Deno.build.os === "windows",
  async fn() {
    const lines = Array.from({ length: 5000 }, (_, i) => `1600000000.${1e8 + i}(${i})\t${i}\n`);
    const time = (i: number) => `2026-11-21T15:51:33.${String(i).padStart(6, "0")}Z`;
    const records = ["time,n\n", ...lines.map((_, i) => `${time(i)},${i}\n`)];
    for (const text of [lines, records]) {
      const folder = await Deno.makeTempDir();
      const pipe = `${folder}/pipe`;
      await new Deno.Command("mkfifo", { args: [pipe] }).output();
      await using program = startServer(["villas-scope", pipe, ...scope]);
      await Deno.writeTextFile(`${folder}/text`, text.join(""));
      await new Deno.Command("sh", { args: ["-c", "cat text > pipe"], cwd: folder }).output();
      const found = await csvOf(await urlOf(program), 5000);
      assertEquals(found.slice(1).map((line) => line.split(",")[1]), lines.map((_, i) => `${i}`));
      program.interrupt();
      assertEquals((await program.result()).code, 0);
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("villas-scope shows what is piped in", async () => {
  await using program = startServer(["villas-scope", "-", ...scope], { stdin: "piped" });
  const text = Array.from({ length: 3000 }, (_, i) => `1600000000.${1e8 + i}(${i})\t${i}\n`);
  await program.write(text.join(""));
  await program.closeInput();
  await program.until("stderr", /^3,?000 samples read$/m);
  const found = await csvOf(await urlOf(program), 3000);
  assertEquals(found.slice(1).map((line) => line.split(",")[1]), text.map((_, i) => `${i}`));
  program.interrupt();
  assertEquals((await program.result()).code, 0);
});

Deno.test("villas-scope takes --history where it listens, and has no use for it with a recording", async () => {
  await using program = startServer(["villas-scope", "127.0.0.1:0", "--history", "10s", "--plot"]);
  await program.until("stderr", /Listening on 127\.0\.0\.1:\d+, without/);
  program.interrupt();
  assertEquals((await program.result()).code, 0);
  const file = await Deno.makeTempFile({ suffix: ".csv" });
  const { code, stderr } = await labwire(["villas-scope", file, "--history", "10s"]);
  assertEquals(code, 2);
  assertMatch(stderr, /Cannot use --history with a recording: all of its samples are kept/);
  await Deno.remove(file);
});

Deno.test("villas-scope says how many samples of a recording are earlier than those before them", async () => {
  const file = await Deno.makeTempFile({ suffix: ".csv" });
  const seconds = [...[1, 2, 3], ...[1, 2, 4]].map((second) => 1_600_000_000 + second);
  await Deno.writeTextFile(file, seconds.map((sec, i) => `${sec},0,0,${i},${i}\n`).join(""));
  await using program = startServer(["villas-scope", file, ...scope]);
  await program.until("stderr", /^6 samples read$/m);
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /^warning: Drew 2 samples at the time of a later one that came before: /m,
  );
  await Deno.remove(file);
});

Deno.test("villas-scope listens without answering", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using program = startServer(["villas-scope", "127.0.0.1:0", ...scope]);
  const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+), without/);
  const to = { hostname: "127.0.0.1", port: Number(port) };
  for (const value of [1, 2, 3]) {
    await node.send(villasProtobuf.encode([{ type: "data", values: [value] }]), to);
  }
  await node.send(new TextEncoder().encode("nonsense"), to);
  const lines = await csvOf(await urlOf(program), 3);
  assertEquals(lines.slice(1).map((line) => line.split(",")[1]), ["1", "2", "3"]);
  await program.until("stderr", /warning: /);
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(stderr, /3 samples, 1 invalid\n/);
});

Deno.test("the page is that of the repository, byte for byte, and small", async () => {
  await using program = start([
    ...["villas-signal", "--no-return", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
    ...["--output", "none", ...scope],
  ]);
  const url = await urlOf(program);
  const folder = new URL("../../lib/scope/page/", import.meta.url);
  let size = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (name === "types.js") continue; // it is for the check of types only
    const answer = await fetch(new URL(name === "index.html" ? "" : name, url));
    const served = await answer.bytes();
    assertEquals(served, await Deno.readFile(new URL(name, folder)), name);
    size += served.length;
  }
  for (const [name, file] of [["uplot.js", "uPlot.iife.min.js"], ["uplot.css", "uPlot.min.css"]]) {
    const served = await (await fetch(new URL(name!, url))).bytes();
    assertEquals(
      served,
      await Deno.readFile(new URL(import.meta.resolve(`uplot/dist/${file}`))),
      name,
    );
    size += served.length;
  }
  // With what is not the page the executable may grow by 1 MB.
  assert(size < 500_000, `${size} bytes`);
  program.interrupt();
  assertEquals((await program.result()).code, 0);
});

Deno.test("the address may be left out, and is checked", async () => {
  const run = (...args: string[]) => labwire(["villas-echo", ...args]);
  const { code, stderr } = await run("--scope", "127.0.0.1:99999");
  assertEquals(code, 2);
  assertMatch(stderr, /Cannot (read --scope|parse address) "127\.0\.0\.1:99999"/);
  assertMatch(
    (await run("--open")).stderr,
    /Cannot use --open without --scope: there is no page to open/,
  );
  assertMatch(
    (await run("--history", "5days")).stderr,
    /Cannot read --history "5days": expected a time from 1s/,
  );
  assertMatch(
    (await labwire(["villas-scope", "nowhere.dat"])).stderr,
    /Cannot show "nowhere\.dat": expected a recording, found no such file/,
  );
  // Before another option, and before a word that is no address.
  await using busy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${busy.addr.port}`;
  assertMatch(
    (await run(`--scope=${address}`)).stderr,
    /Cannot listen on "127\.0\.0\.1:\d+": another program uses this address; --scope :\d+ takes another one/,
  );
  assertMatch(
    (await labwire(["villas-signal", "--scope", "sine", "--values", "0"])).stderr,
    /--values "0"/,
  );
});

Deno.test("a scope for others has a token, told once", async () => {
  await using program = start([
    ...["villas-signal", "--no-return", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"],
    ...["--scope", "0.0.0.0:0"],
  ]);
  const url = await urlOf(program);
  assertMatch(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/$/);
  const { status, body } = await fetch(new URL("/", url));
  await body?.cancel();
  assertEquals(status, 403);
  program.interrupt();
  const { stderr } = await program.result();
  assertEquals(stderr.split(new URL(url).pathname.slice(1, -1)).length, 2);
});

Deno.test("the echo goes on under a flood of connections and with a viewer that never reads", async () => {
  await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await using program = startServer([
    ...["villas-echo", "--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender"],
    ...["--output", "none", ...scope],
  ]);
  const [, echo] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  const to = { hostname: "127.0.0.1", port: Number(echo) };
  const url = new URL(await urlOf(program));
  const values = Array.from({ length: 64 }, (_, i) => i / 3);
  let sequence = 0n;
  const exchange = async (count: number) => {
    for (const last = sequence + BigInt(count); sequence < last; sequence++) {
      const message = villasProtobuf.encode([{ type: "data", sequence, values }]);
      await node.send(message, to);
      assertEquals((await node.receive())?.bytes, message);
    }
  };
  await exchange(500);
  const connect = () => Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  using deaf = await connect();
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  await deaf.write(
    new TextEncoder().encode(`GET /stream HTTP/1.1\r\nHost: ${url.host}\r\n${upgrade}`),
  );
  const channels = [values.map((_, i) => i), values.map((_, i) => i)];
  const flood: Deno.Conn[] = [];
  for (let id = 1; id <= 20; id++) {
    // It wants large pictures, says that it is ready for more, and reads none of them.
    const view = { type: "view", id, span: 60, columns: 4000, end: null, channels };
    await deaf.write(masked(JSON.stringify(view)));
    await deaf.write(masked('{"type":"ready"}'));
    flood.push(...await Promise.all(Array.from({ length: 20 }, connect)));
    await exchange(100);
  }
  for (const connection of flood) connection.close();
  // They are let go of one after another; then there is room for a browser again.
  await csvOf(url.href, 2500);
  program.interrupt();
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertMatch(stderr, /2500 messages, 2500 samples, .* 2500 replies, 0 invalid.* 0 missed/);
});

/** A message as a browser sends it: masked, here with zeros. */
function masked(text: string): Uint8Array<ArrayBuffer> {
  const payload = new TextEncoder().encode(text);
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255];
  return new Uint8Array([0x81, ...size, 0, 0, 0, 0, ...payload]);
}
