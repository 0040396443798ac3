import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import process from "node:process";
import { ConnectError, UsageError } from "../../lib/errors.ts";
import { exportedFunction, openModule } from "../../lib/handlers/handler.ts";
import type { HandlerProblem, ModuleValues } from "../../lib/handlers/module_handler.ts";

/** A module in a file of its own, which can be written again. */
async function moduleFile(text: string) {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/handler.mjs`;
  let writes = 0;
  const write = async (text: string) => {
    await Deno.writeTextFile(path, text);
    // A file system whose times are coarse must not hide the change.
    await Deno.utime(path, 1000 + ++writes, 1000 + writes);
  };
  await write(text);
  return { path, write, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

/** Opens it, and keeps what it says. */
async function open(path: string, values: ModuleValues = {}) {
  const problems: HandlerProblem[] = [];
  let stderr = "";
  const module = await openModule(path, { kind: "bytes" }, values, {
    onProblem: (problem) => problems.push(problem),
    onStderr: (bytes) => stderr += new TextDecoder().decode(bytes),
  });
  return {
    module,
    problems,
    handle: exportedFunction<(...args: unknown[]) => unknown>(module, ["handle"], "handle()"),
    stderr: () => stderr,
    [Symbol.asyncDispose]: () => module.close(),
  };
}

Deno.test("setup() gets the arguments, and close() is called once at the end", async () => {
  await using file = await moduleFile(`
    let options;
    export async function setup(given) { await null; options = given; }
    export const handle = () => options;
    export function close() { console.log("closed"); }
  `);
  const handlerArg = [["port", "COM3"], ["rate", "9600"], ["port", "COM4"]] as const;
  const it = await open(file.path, { handlerArg });
  assertEquals(it.handle(), { port: "COM4", rate: "9600" });
  await it.module.close();
  await it.module.close();
  assertEquals([it.stderr(), it.problems], ["closed\n", []]);
});

Deno.test("setup() that fails is told with its place; arguments need a setup()", async () => {
  await using file = await moduleFile(
    'export function setup() {\n  throw new Error("no device");\n}',
  );
  const error = await assertRejects(() => open(file.path), UsageError);
  assertMatch(error.message, /^Cannot set up handler ".*": no device \(.*handler\.mjs:2:9\)$/);
  await using other = await moduleFile("export const handle = () => 1;");
  await assertRejects(
    () => open(other.path, { handlerArg: [["port", "COM3"]] }),
    UsageError,
    "Cannot use --handler-arg",
  );
});

Deno.test("close() that fails is told", async () => {
  await using file = await moduleFile(
    'export const handle = () => 1;\nexport async function close() { throw new Error("stuck"); }',
  );
  const it = await open(file.path);
  await it.module.close();
  assertEquals(it.problems.length, 1);
  assertMatch(it.problems[0]!.message, /^close\(\) of handler ".*" failed: stuck \(.*:2:39\)$/);
});

Deno.test("what a handler writes to the console goes to stderr, until it is closed", async () => {
  const before = globalThis.console;
  await using file = await moduleFile(`
    export function handle(value) {
      console.log("%s is %o", "it", value);
      console.table([{ a: 1 }]);
      console.error("bad");
    }
  `);
  {
    await using it = await open(file.path);
    it.handle({ a: 1 });
    assertStringIncludes(it.stderr(), "it is { a: 1 }\n");
    assertMatch(it.stderr(), /│ 0 +│ 1 │[^]*bad\n$/);
  }
  assertEquals(globalThis.console, before);
});

Deno.test("a handler that writes to stdout, reads stdin or ends the process is told so, until it is closed", async () => {
  const before = [
    Deno.exit,
    Deno.stdout,
    Deno.stdin,
    globalThis.prompt,
    process.stdout,
    Deno.exitCode,
  ];
  await using file = await moduleFile(`
    import process from "node:process";
    const bytes = new TextEncoder().encode("straight\\n");
    const ways = [
      () => Deno.stdout.writeSync(bytes),
      () => Deno.stdout.write(bytes),
      () => new Response("piped\\n").body.pipeTo(Deno.stdout.writable),
      () => process.stdout.write("node\\n"),
      () => Deno.exit(3),
      () => process.exit(4),
      () => prompt("volts?"),
      () => Deno.stdin.read(new Uint8Array(1)),
      () => new Promise((_, reject) => process.stdin.on("error", reject).resume()),
    ];
    export const handle = (way) => ways[way]();
  `);
  {
    await using it = await open(file.path);
    for (const way of [0, 1, 2, 3]) await it.handle(way);
    assertEquals(it.stderr(), "straight\nstraight\npiped\nnode\n");
    for (
      const [way, message] of [
        [4, "The handler called exit(3), which would end labwire"],
        [5, "The handler called exit(4), which would end labwire"],
        [6, "Cannot read standard input: a handler has none"],
        [7, "Cannot read standard input: a handler has none"],
        [8, "Cannot read standard input: a handler has none"],
      ] as const
    ) {
      await assertRejects(async () => await it.handle(way), Error, message);
    }
  }
  const after = [
    Deno.exit,
    Deno.stdout,
    Deno.stdin,
    globalThis.prompt,
    process.stdout,
    Deno.exitCode,
  ];
  assertEquals(before.map((value, i) => value === after[i]), before.map(() => true));
});

Deno.test("a handler that ends the process while it is loaded does not load", async () => {
  await using file = await moduleFile("Deno.exit(1);");
  const error = await assertRejects(() => open(file.path), UsageError);
  assertMatch(error.message, /: The handler called exit\(1\), .* \(.*handler\.mjs:1:6\)$/);
});

Deno.test("a changed import is loaded again with all that import it, and the others are kept", async () => {
  await using file = await moduleFile(`
    import { gain } from "./gain.mjs";
    import { count } from "./state.mjs";
    export const handle = async () => [gain, count(), (await import("./late.mjs")).late];
  `);
  const beside = (name: string) => file.path.replace("handler.mjs", name);
  await Deno.writeTextFile(beside("gain.mjs"), 'export { value as gain } from "./deep.mjs";');
  await Deno.writeTextFile(beside("deep.mjs"), "export const value = 1;");
  await Deno.writeTextFile(beside("late.mjs"), "export const late = 1;");
  await Deno.writeTextFile(beside("state.mjs"), "let n = 0;\nexport const count = () => ++n;");
  await using it = await open(file.path, { reload: true });
  assertEquals(await it.handle(), [1, 1, 1]);
  await Deno.writeTextFile(beside("deep.mjs"), "export const value = 22;");
  assertEquals(await it.handle(), [22, 2, 1]);
  await Deno.writeTextFile(beside("deep.mjs"), "export const value = ;");
  assertEquals(await it.handle(), [22, 3, 1]);
  assertMatch(it.problems[1]!.message, /deep\.mjs:1:22\); the one loaded before goes on$/);
  await Deno.writeTextFile(beside("deep.mjs"), "export const value = 333;");
  await Deno.writeTextFile(beside("late.mjs"), "export const late = 22;");
  assertEquals(await it.handle(), [333, 4, 22]);
  await file.write("import { gain } from './gain.mjs';\nthrow new Error('device ' + gain);");
  assertEquals(await it.handle(), [333, 5, 22]);
  assertMatch(it.problems[3]!.message, /device 333 \(.*handler\.mjs:2:7\); the one/);
  await file.write("import { gain } from './gain.mjs';\nexport const handle = () => gain;");
  assertEquals(await it.handle(), 333);
  const kinds = ["reloaded", "reload", "reloaded", "reload", "reloaded"];
  assertEquals(it.problems.map(({ kind }) => kind), kinds);
});

Deno.test("a changed file is loaded again before the next message, and not otherwise", async () => {
  await using file = await moduleFile(
    'export const handle = () => 1;\nexport const close = () => console.log("first closed");',
  );
  await using it = await open(file.path, { reload: true });
  await using fixed = await open(file.path);
  assertEquals(it.handle(), 1);
  await file.write("export const setup = (o) => console.log(o);\nexport const handle = () => 2;");
  assertEquals([await it.handle(), it.handle(), fixed.handle()], [2, 2, 1]);
  assertEquals(it.stderr() + fixed.stderr(), "first closed\n{}\n");
  await file.write("export const handle = (");
  assertEquals([await it.handle(), it.handle()], [2, 2]);
  await file.write('export const handle = () => { throw new Error("third"); };');
  const error = await assertRejects(async () => await it.handle(), Error, "third");
  assertMatch(error.stack!, /handler\.mjs/);
  assertEquals(it.problems.map(({ kind }) => kind), ["reloaded", "reload", "reloaded"]);
  assertMatch(it.problems[0]!.message, /^Handler ".*" has changed and was loaded again$/);
  assertMatch(it.problems[1]!.message, /^Cannot load handler ".*; the one loaded before goes on$/);
});

Deno.test("calls are made in their order, also those that come right after the module was loaded again", async () => {
  await using file = await moduleFile("export const handle = () => [];");
  const calls: unknown[] = [];
  const all = Promise.withResolvers<void>();
  await using module = await openModule(file.path, { kind: "bytes" }, { reload: true }, {
    async onProblem() {
      for (let n = 1; n <= 20; n++) {
        calls.push(handle(n));
        await Promise.resolve();
      }
      all.resolve();
    },
  });
  const handle = exportedFunction<(n: number) => unknown>(module, ["handle"], "handle()");
  await file.write("const log = [];\nexport const handle = (n) => { log.push(n); return log; };");
  calls.push(handle(0));
  await all.promise;
  const [log] = await Promise.all(calls);
  assertEquals(log, Array.from({ length: 21 }, (_, n) => n));
});

Deno.test("a module is replaced between two messages, not within one", async () => {
  await using file = await moduleFile(`
    const log = [];
    export const handle = (wait) => wait.then(() => log.push("handled"), () => 0).then(() => log);
    export const close = () => log.push("closed");
  `);
  await using it = await open(file.path, { reload: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = it.handle(promise);
  await file.write("export const handle = () => 'new';");
  const second = it.handle();
  resolve();
  assertEquals(await first, ["handled"]);
  assertEquals(await second, "new");
  assertEquals(await first, ["handled", "closed"]);
});

Deno.test("a call that takes too long fails, and the next one is made", async () => {
  await using file = await moduleFile(
    "export const handle = (x) => x === 1 ? new Promise(() => {}) : Promise.resolve(x);",
  );
  await using it = await open(file.path, { handlerTimeout: 0.01 });
  await assertRejects(async () => await it.handle(1), Error, "took longer than 0.01 s");
  assertEquals(await it.handle(2), 2);
});

Deno.test("describe() gives the arguments of the commands, and the comments above them", async () => {
  await using file = await moduleFile(`
/** Not this one. */
const limits = { low: 0 };
/**
 * Sets the output.
 *
 * 0 to 30 V.
 */
function set_voltage({ volts, channel = 1 }, context) {}

export const commands = {
  set_voltage,
  // The output,
  // in volts.
  get_voltage: () => limits.low,
  async off(data) {},
  /* Switches on. */
  on: async data => 1,
  "self test"(data = "a)", { b } = {}) {},
  unit: "V",
};
`);
  await using module = await openModule(file.path, { kind: "commands" });
  assertEquals(await module.describe(), [
    {
      name: "set_voltage",
      signature: "set_voltage({ volts, channel = 1 }, context)",
      doc: "Sets the output.\n\n0 to 30 V.",
    },
    { name: "get_voltage", signature: "get_voltage()", doc: "The output,\nin volts." },
    { name: "off", signature: "off(data)", doc: "" },
    { name: "on", signature: "on(data)", doc: "Switches on." },
    { name: "self test", signature: 'self test(data = "a)", { b } = {})', doc: "" },
  ]);
});

Deno.test("stop() lets nothing more begin, and what is under way ends", async () => {
  await using file = await moduleFile(`
    const { promise, resolve } = Promise.withResolvers();
    export const handle = () => { console.log("begun"); return promise; };
    export function close() { console.log("closed"); resolve("ended"); }
  `);
  const it = await open(file.path);
  const underWay = it.handle();
  it.module.stop();
  assertThrows(() => it.handle(), ConnectError, "was stopped before this was handled");
  await it.module.close();
  assertEquals([await underWay, it.stderr()], ["ended", "begun\nclosed\n"]);
});
