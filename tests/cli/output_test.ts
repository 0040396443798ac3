import { assertEquals } from "@std/assert";
import { Output } from "../../lib/cli/output.ts";
import { Reporter } from "../../lib/cli/reporter.ts";

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
    () => told++,
  );
  out.line("a");
  await out.flush();
  out.line("b");
  out.bytes(new Uint8Array(1));
  await out.flush();
  assertEquals(told, 1);
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
