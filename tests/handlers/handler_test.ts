import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { defaultFunction, openHandler } from "../../lib/handlers/handler.ts";

import { ManualClock } from "../time/manual_clock.ts";

const use = { kind: "commands" } as const;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk).trim();

/** A file with this text, for as long as it is not disposed of. */
async function file(suffix: string, content: string) {
  const path = await Deno.makeTempFile({ suffix });
  await Deno.writeTextFile(path, content);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

Deno.test("openHandler() gives what a module exports", async () => {
  await using source = await file(".mjs", "export default (x) => x + 1; export const unit = 'V';");
  await using handler = await openHandler({ handler: source.path }, use);
  assert(handler?.kind === "module");
  assertEquals(handler.exports.unit, "V");
  assertEquals(defaultFunction<(x: number) => number>(handler, "(x) => x")(1), 2);
});

Deno.test("defaultFunction() says which export is missing", async () => {
  await using source = await file(".mjs", "export const unit = 'V';");
  await using handler = await openHandler({ handler: source.path }, use);
  assert(handler?.kind === "module");
  assertThrows(
    () => defaultFunction(handler, "(x) => x"),
    UsageError,
    `Cannot use handler "${source.path}": expected "export default (x) => x"`,
  );
});

for (
  const [suffix, loop] of [
    [".py", "import time\nwhile True: time.sleep(0.01)\n"],
    [".mjs", "await new Promise(() => {});"],
  ] as const
) {
  Deno.test(`openHandler() says that a ${suffix} takes long to load, as one with a loop outside its functions does`, async () => {
    await using source = await file(suffix, loop);
    const clock = new ManualClock();
    const ending = new AbortController();
    const said: string[] = [];
    const waits = clock.nextWake();
    const opening = openHandler({ handler: source.path }, use, {
      clock,
      signal: ending.signal,
      onProblem: ({ kind, message }) => void said.push(`${kind}: ${message}`),
    });
    await waits;
    clock.pass(5);
    assertMatch(
      said.join(),
      /^loading: Handler ".*" has been loading for 5 s: nothing is served before/,
    );
    ending.abort(new Error("ended"));
    await assertRejects(() => opening, Error, "ended");
    assert(!clock.isAwaited);
  });
}

for (const [option, persistent] of [["exec", false], ["execPersistent", true]] as const) {
  Deno.test(`openHandler() has ${option} answer a line with what the program prints`, async () => {
    const script = `import sys
for line in sys.stdin: print(line.strip().upper(), flush=True)
`;
    await using source = await file(".py", script);
    await using handler = await openHandler({ [option]: `python3 "${source.path}"` }, use);
    assert(handler?.kind === "program");
    assertEquals(handler.persistent, persistent);
    assertEquals(text(await handler.handle(bytes("volt"))), "VOLT");
    assertEquals(text(await handler.handle(bytes("ampere"))), "AMPERE");
  });

  Deno.test(`openHandler() refuses ${option} with a program that does not exist`, async () => {
    await assertRejects(
      () => openHandler({ [option]: "labwire-no-such-program" }, use),
      UsageError,
      'Cannot find program "labwire-no-such-program"',
    );
  });
}

Deno.test("openHandler() shows what a program that is kept running writes for people in whole lines, and not without end", async () => {
  await using source = await file(
    ".py",
    `import os, sys, time
for line in sys.stdin:
    for byte in "µV?\\n".encode() + b"at the end":
        os.write(2, bytes([byte]))
        time.sleep(0.01)
    if line == "flood\\n": os.write(2, b"\\n" + (b"x" * 99 + b"\\n") * 30_000)
    if line == "die\\n": os._exit(3)
    print("ok", flush=True)
`,
  );
  const said: string[] = [];
  const handler = await openHandler({ execPersistent: `python3 "${source.path}"` }, use, {
    onStderr: (lines) => void said.push(new TextDecoder().decode(lines)),
    onProblem: ({ kind }) => void said.push(kind),
  });
  assert(handler?.kind === "program");
  await handler.handle(bytes("hello"));
  await assertRejects(() => handler.handle(bytes("die")));
  assertEquals(said, ["µV?\n", "at the endµV?\n", "at the end", "exit"]);
  said.length = 0;
  await handler.handle(bytes("flood"));
  await handler.close();
  assert(said.join("").length < 2_000_000);
  assert(said.at(-1)!.includes("bytes more were printed and are not shown"));
});

Deno.test("openHandler() refuses options that mean nothing without a module", async () => {
  for (
    const [option, values] of [
      ["--python", { python: "python3" }],
      ["--handler-arg", { handlerArg: [["port", "COM3"]] as [string, string][] }],
      ["--reload", { reload: true }],
    ] as const
  ) {
    const opening = () => openHandler(values, { kind: "commands" });
    const message = `Cannot use ${option} without a module: expected --handler FILE`;
    await assertRejects(opening, UsageError, message);
  }
});

Deno.test("openHandler() gives nothing where there is no option", async () => {
  assertEquals(await openHandler({ execTimeout: 30 }, use), undefined);
});
