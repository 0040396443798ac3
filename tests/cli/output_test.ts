import { assert, assertEquals, assertMatch } from "@std/assert";
import { Output } from "../../lib/cli/output.ts";
import { Reporter } from "../../lib/cli/reporter.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { startHere } from "./run_here.ts";

const decoder = new TextDecoder();

/** Takes at most three bytes at a time, when it is let. */
function slowSink() {
  let gate = Promise.resolve();
  let open = () => {};
  let text = "";
  return {
    hold: () => {
      gate = new Promise((resolve) => open = resolve);
    },
    release: () => open(),
    write: async (bytes: Uint8Array) => {
      await gate;
      const some = bytes.subarray(0, 3);
      text += decoder.decode(some);
      return some.length;
    },
    text: () => text,
  };
}

Deno.test("Output writes lines and bytes in order, however little the sink takes", async () => {
  const sink = slowSink();
  const out = new Output(sink);
  out.line("one");
  const bytes = new Uint8Array([50, 51]);
  out.bytes(bytes);
  bytes.fill(0);
  out.line("four");
  await out.flush();
  out.line("five");
  await out.flush();
  assertEquals(sink.text(), "one\n23four\nfive\n");
});

Deno.test("Output makes a writer wait when nobody reads", async () => {
  const sink = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length) };
  const out = new Output(sink);
  while (!out.full) out.line("x".repeat(1000));
  await out.ready();
  assertEquals(out.full, false);
});

Deno.test("Output tells once that nobody reads any more, and stays quiet", async () => {
  let told = 0;
  const out = new Output(
    { write: () => Promise.reject(new Deno.errors.BrokenPipe()) },
    { onBroken: () => told++ },
  );
  out.line("a");
  await out.flush();
  out.line("b");
  out.bytes(new Uint8Array(1));
  await out.flush();
  assertEquals(told, 1);
});

Deno.test("Output.later() makes lines after all that is due now, and before lines that are written after them", async () => {
  const sink = slowSink();
  const out = new Output(sink);
  const waiting: string[] = [];
  let calls = 0;
  const make = () => {
    calls++;
    for (const text of waiting.splice(0)) out.line(text);
  };
  const later = (text: string) => {
    waiting.push(text);
    out.later(make, text.length);
  };
  out.line("a");
  later("b");
  later("c");
  out.line("d");
  assertEquals(calls, 1);
  await out.flush();
  later("e");
  for (let i = 0; i < 10; i++) await null; // what awaits a promise that has resolved is due now
  assertEquals(calls, 1);
  await out.flush();
  assertEquals([calls, sink.text()], [2, "a\nb\nc\nd\ne\n"]);
});

/** What is written to an Output. */
async function written(write: (out: Output) => void, terminal = false): Promise<string> {
  let text = "";
  const sink = {
    write(bytes: Uint8Array) {
      text += decoder.decode(bytes);
      return Promise.resolve(bytes.length);
    },
    isTerminal: () => terminal,
  };
  const out = new Output(sink);
  write(out);
  await out.flush();
  return text;
}

/** Every character that can do something to a terminal or a log, but the newline. */
const HOSTILE = [
  ...Array.from({ length: 0x20 }, (_, code) => code).filter((code) => ![9, 10].includes(code)),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  ...[0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e],
  ...[0x2066, 0x2067, 0x2068, 0x2069],
].map((code) => String.fromCharCode(code));

Deno.test("Output makes control characters and bidirectional controls visible in every form but bytes", async () => {
  for (const character of HOSTILE) {
    const text = `a\t${character}µ`;
    const line = await written((out) => out.line(text));
    assertMatch(line, /^a\t\\(x[0-9a-f]{2}|u[0-9a-f]{4}|r)µ\n$/);
    assertEquals(await written((out) => out.text(text)), line);
    assertEquals(await written((out) => out.labelled("", "red", text)), line);
  }
  assertEquals(
    await written((out) => out.line("1\x1b[2J\x7f\x9b\u202e")),
    "1\\x1b[2J\\x7f\\x9b\\u202e\n",
  );
  assertEquals(await written((out) => out.bytes(new Uint8Array([27, 10]))), "\x1b\n");
});

Deno.test("Output.line() and .labelled() stay one line, Output.text() may have several", async () => {
  assertEquals(await written((out) => out.line("a\r\nb")), "a\\r\\nb\n");
  assertEquals(await written((out) => out.labelled("ok", "green", " a\nb")), "ok a\\nb\n");
  assertEquals(await written((out) => out.text("a\nb")), "a\nb\n");
  const coloured = await written((out) => out.labelled("ok", "green", " \x1b[0m"), true);
  assertEquals(coloured, "\x1b[32;1mok\x1b[0m \\x1b[0m\n");
});

Deno.test("Output.json() stays one line, and the value stays the same", async () => {
  for (const character of [...HOSTILE, "\n", "\t"]) {
    const value = { [character]: [character, "µ"] };
    const raw = await written((out) => out.json(JSON.stringify(value, null, "\r\n\t")));
    assertEquals(JSON.parse(raw), value);
    for (const hostile of HOSTILE) assert(!raw.includes(hostile));
    assertEquals(raw.split("\n").length, 2);
  }
  assertEquals(await written((out) => out.json('"\x7f\u202e"')), '"\\u007f\\u202e"\n');
});

function reporter(options: { terminal?: boolean; quiet?: boolean } = {}) {
  let text = "", time = 0;
  const sink = {
    writeSync: (bytes: Uint8Array) => {
      text += decoder.decode(bytes);
      return bytes.length;
    },
    isTerminal: () => options.terminal ?? false,
  };
  const say = new Reporter(sink, { quiet: options.quiet, now: () => time, columns: () => 80 });
  return { say, text: () => text, pass: (ms: number) => time += ms };
}

Deno.test("Reporter.throttled() speaks once per kind and second, and tells how much it held back", () => {
  const { say, text, pass } = reporter();
  for (let i = 0; i < 5; i++) say.throttled("a", `a${i}`);
  say.throttled("b", "b");
  pass(1000);
  say.throttled("a", "a5");
  assertEquals(text(), "warning: a0\nwarning: b\nwarning: a5 (and 4 more like it before)\n");
});

Deno.test("Reporter.throttled() says each text of a kind, and calls only alike what differs in its numbers", () => {
  const { say, text, pass } = reporter();
  for (let port = 1; port <= 3; port++) {
    say.throttled("failed", `Message from 127.0.0.1:${port} failed: no such port`);
    say.throttled("failed", `Message from 127.0.0.1:${port} failed: interlock`);
  }
  say.throttled("failed", "Message from 127.0.0.1:4 failed: on fire");
  pass(1000);
  say.throttled("failed", "Message from 127.0.0.1:5 failed: interlock");
  say.tellHeld();
  assertEquals(text().split("\n"), [
    "warning: Message from 127.0.0.1:1 failed: no such port",
    "warning: Message from 127.0.0.1:1 failed: interlock",
    "warning: Message from 127.0.0.1:4 failed: on fire",
    "warning: Message from 127.0.0.1:5 failed: interlock (and 2 more like it before)",
    "warning: Message from 127.0.0.1:3 failed: no such port (and 1 more like it before)",
    "",
  ]);
});

Deno.test("Reporter.throttled() bounds a flood of texts that all differ, and knows them anew after a minute", () => {
  const { say, text, pass } = reporter();
  const name = (n: number) => n.toString(2).replaceAll("0", "a").replaceAll("1", "b");
  for (let n = 0; n < 100_000; n++) say.throttled("k", name(n));
  const lines = Array.from({ length: 16 }, (_, n) => `warning: ${name(n)}`);
  assertEquals(text().trimEnd().split("\n"), lines);
  pass(1000);
  for (let n = 100_000; n < 200_000; n++) say.throttled("k", name(n));
  say.tellHeld();
  lines.push(
    `warning: ${name(100_000)} (and 99984 others before)`,
    `warning: ${name(199_999)} (and 99998 others before)`,
  );
  assertEquals(text().trimEnd().split("\n"), lines);
  pass(60_000);
  say.throttled("k", "a");
  say.throttled("k", "b");
  assertEquals(text().trimEnd().split("\n").slice(-2), ["warning: a", "warning: b"]);
});

Deno.test("Reporter.summary() stands behind what was held back, which is told once", () => {
  const { say, text } = reporter();
  for (let i = 0; i < 5; i++) say.throttled("a", `a${i}`);
  for (let i = 0; i < 2; i++) say.throttled("b", `b${i}`);
  say.throttled("c", "c0");
  say.summary("3 of them");
  say.tellHeld();
  assertEquals(
    text(),
    "warning: a0\nwarning: b0\nwarning: c0\nwarning: a4 (and 3 more like it before)\nwarning: b1\n3 of them\n",
  );
});

Deno.test("Reporter gives the reason of a failure although it is to be quiet, once", () => {
  const { say, text } = reporter({ quiet: true });
  say.giveReason();
  assertEquals(text(), "");
  say.warn("first");
  say.throttled("line", "Cannot read line 3");
  say.giveReason();
  say.giveReason();
  assertEquals(text(), "error: Cannot read line 3\n");
});

Deno.test("Reporter says nothing but errors when it is to be quiet", () => {
  const { say, text } = reporter({ quiet: true, terminal: true });
  say.info("i");
  say.warn("w");
  say.throttled("t", "t");
  say.live("l");
  say.error("e");
  assertEquals(text(), "\x1b[31;1merror:\x1b[0m e\n");
});

Deno.test("Reporter.live() is replaced by what comes next, and is for terminals", () => {
  const { say, text } = reporter({ terminal: true });
  say.live("1");
  say.live("2");
  say.info("done");
  assertEquals(text(), "1\r\x1b[K2\r\x1b[Kdone\n");
  const narrow = reporter({ terminal: true });
  narrow.say.live("x".repeat(100));
  narrow.say.clearLive();
  narrow.say.clearLive();
  assertEquals(narrow.text(), `${"x".repeat(79)}\r\x1b[K`);
  const plain = reporter();
  plain.say.live("1");
  assertEquals(plain.text(), "");
});

Deno.test("Reporter lets nothing from outside act on the terminal or pass for a message of its own", () => {
  const { say, text } = reporter();
  say.info("a\nerror: forged\r\n    at x\r\x1b[2J\u202e");
  say.warn("b\nwarning: forged");
  say.error("c\nerror: forged");
  say.throttled("d", "d\nerror: forged");
  say.relay("one\r\nerror: two\x07\n");
  say.text("help\n  of two lines\x07");
  assertEquals(
    text(),
    [
      "a",
      "    error: forged",
      "    at x\\r\\x1b[2J\\u202e",
      "warning: b",
      "    warning: forged",
      "error: c",
      "    error: forged",
      "warning: d",
      "    error: forged",
      "| one",
      "| error: two\\x07",
      "help",
      "  of two lines\\x07",
      "",
    ].join("\n"),
  );
});

Deno.test("Output counts what has not left the program", async () => {
  const taken = Promise.withResolvers<void>();
  let writes = 0;
  const write = (bytes: Uint8Array) => {
    if (writes++ === 0) return Promise.resolve(bytes.length);
    return writes === 2 ? Promise.resolve(2) : taken.promise.then(() => bytes.length);
  };
  const out = new Output({ write });
  out.bytes(new Uint8Array([1, 10]));
  out.bytes(new Uint8Array([10, 10, 10, 10]));
  assertEquals(out.unwritten(), { bytes: 6, lines: 5 });
  for (let i = 0; i < 10; i++) await null; // until the third write
  out.line("one");
  out.later(() => out.line("two"), 4);
  assertEquals([writes, out.unwritten()], [3, { bytes: 10, lines: 4 }]);
  taken.resolve();
  await out.flush();
  assertEquals(out.unwritten(), { bytes: 0, lines: 0 });
});

Deno.test("after Ctrl-C nobody waits long for who does not read, and what is lost is told behind the summary", async () => {
  const clock = new ManualClock();
  await using program = startHere(["villas-convert", "--to", "csv"], {
    input: "1.5(1)\t2\n2.5(2)\t3\n",
    stdout: { write: () => new Promise<number>(() => {}) },
    clock,
  });
  await program.until("stderr", /Converted 2 samples\n/);
  await new Promise((resolve) => setTimeout(resolve)); // what it does then takes no time
  program.interrupt();
  clock.pass(0.25);
  clock.pass(0.75);
  const { code, stderr } = await program.result();
  assertEquals(code, 0);
  assertEquals(
    stderr.split("\n").slice(1, -1),
    [
      "Waiting up to 1 s for the reader of standard output; Ctrl-C again ends at once",
      "warning: Standard output was not read: lost up to 3 lines of it (113 bytes)",
    ],
  );
});
