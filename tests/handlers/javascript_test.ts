import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { exportedFunction, openModule } from "../../lib/handlers/handler.ts";
import type { HandlerProblem, ModuleValues } from "../../lib/handlers/module_handler.ts";

/** A module in a file of its own, which can be written anew. */
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
