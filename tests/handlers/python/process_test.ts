import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError, RemoteError, UsageError } from "../../../lib/errors.ts";
import type { HandlerPeer } from "../../../lib/handlers/module_handler.ts";
import { placeOf } from "../../../lib/handlers/place.ts";
import { relative } from "node:path";
import { openPython } from "../../../lib/handlers/python/module.ts";
import { interactWithCommands } from "../../../lib/json/commands.ts";
import type { Commands } from "../../../lib/json/protocol.ts";
import { startJsonServer } from "../../../lib/json/server.ts";
import { PYTHON } from "../../interop/python.ts";
import { pythons } from "../../interop/pythons.ts";
import { Peer } from "../../json/peer.ts";
import { isAlive } from "../../process/is_alive.ts";
import { open } from "./open.ts";

const windows = Deno.build.os === "windows";
const QUICK = { restartDelay: 0.001 };

const TORTURE = `
import os, sys, threading, time
def ok(): return 1
def leave(): os._exit(3)
def crash():
    import ctypes
    ctypes.string_at(0)
def loop():
    while True: pass
def pids(): return os.getpid()
def shut():
    sys.stdout.close()
    os.close(1)
    os.close(0)
    return "shut"
def fork():
    if os.fork() == 0:
        return "child"
    return "parent"
def fork_waits():
    pid = os.fork()
    if pid == 0:
        time.sleep(1000)
    return pid
def thread():
    def fail(): raise ValueError("in a thread")
    worker = threading.Thread(target=fail)
    worker.start()
    worker.join()
    return "done"
def flood(): 
    line = "x" * 1000
    for _ in range(200_000): print(line)
    return "printed"
def writes():
    os.write(1, b"straight\\n")
    os.system("echo from a shell")
    return sys.stdin.isatty()
def asks(): return input("volts? ")
def child_reads():
    import subprocess
    return subprocess.run([sys.executable, "-c", "import sys; print(repr(sys.stdin.read()))"], capture_output=True, text=True).stdout
`;

Deno.test("a module in Python may do what it likes: the call at hand fails, and the next one is answered", async () => {
  await using opened = await open(TORTURE, { ...QUICK, handlerTimeout: 1 });
  const { module, call } = opened;
  const error = await assertRejects(() => call("leave"), RemoteError);
  assertStringIncludes(error.message, "ended with exit code 3 before it had answered");
  assertEquals(await call("ok"), "1");
  if (!windows) {
    const crash = await assertRejects(() => call("crash"), RemoteError);
    assertStringIncludes(crash.message, "was ended by SIGSEGV");
    await opened.until("in crash"); // where it happened
    assertEquals(await call("ok"), "1");
  }
  const late = await assertRejects(() => call("loop"), ConnectError);
  assertEquals(
    late.message,
    "The handler took longer than 1 s and was ended; what it was doing may be half done",
  );
  assertEquals(await call("ok"), "1");
  assertEquals(module.counters.restarts, windows ? 2 : 3);
  assertEquals(await call("shut"), '"shut"');
  assertEquals(await call("ok"), "1");
});

Deno.test("a module in Python that prints, reads, forks and fails in a thread does not disturb the messages", async () => {
  await using opened = await open(TORTURE);
  const { module, call } = opened;
  assertEquals(await call("thread"), '"done"');
  await opened.until("ValueError: in a thread");
  assertEquals(await call("writes"), "false");
  await opened.until("straight\nfrom a shell\n");
  const { message } = await assertRejects(() => call("asks"), RemoteError);
  assertStringIncludes(message, "Cannot read standard input: a handler has none");
  assertEquals(await call("child_reads"), String.raw`"''\n"`);
  if (!windows) {
    assertEquals(await call("fork"), '"parent"');
    assertEquals(await call("ok"), "1");
    const child = Number(await call("fork_waits"));
    assert(await isAlive(child));
    await module.close();
    assert(!await isAlive(child));
  }
});

Deno.test("processes that a module in Python forks end by SIGTERM as they do elsewhere", {
  ignore: windows,
}, async () => {
  await using opened = await open(`
import multiprocessing, time
context = multiprocessing.get_context("fork")
def square(n): return n * n
def pool():
    with context.Pool(2) as pool: return pool.map(square, [1, 2, 3])
def terminate():
    process = context.Process(target=time.sleep, args=(60,))
    process.start()
    process.terminate()
    process.join()
    return process.exitcode
def close():
    import subprocess
    child = subprocess.Popen(["sleep", "60"])
    child.terminate()
    print(terminate(), child.wait())
`);
  assertEquals(await opened.call("terminate"), "-15");
  assertEquals(await opened.call("pool"), "[1,4,9]");
  await opened.module.close();
  assertEquals(opened.printed(), "-15 -15\n");
});

Deno.test("a module in Python that prints without end is shown as much as a person can read", async () => {
  await using opened = await open(TORTURE);
  assertEquals(await opened.call("flood"), '"printed"');
  assertEquals(await opened.call("ok"), "1");
  await opened.module.close();
  assert(opened.printed().length < 100_000_000);
  assertStringIncludes(opened.printed(), "bytes more were printed and are not shown");
});

Deno.test("calls that wait when a module in Python dies are answered by the next process, and none is called twice", async () => {
  await using opened = await open(
    `
import os
def ok(n): 
    with open(os.path.dirname(__file__) + "/calls", "a") as file: print(n, file=file)
    return n
def leave(): os._exit(1)
`,
    QUICK,
  );
  // Until it is seen to be quick enough to be given many at once, whatever else this computer does.
  for (let i = 0; i < 100 || i < 10_000 && opened.module.depth <= 8; i++) {
    await opened.call("ok", { n: -1 });
  }
  assert(opened.module.depth > 8);
  const calls = [0, 1, 2, 3, 4, 5, 6, 7].map((n) =>
    n === 3 ? opened.call("leave").catch((error) => error.message) : opened.call("ok", { n })
  );
  const results = await Promise.all(calls);
  assertStringIncludes(results[3]!, "ended with exit code 1");
  results.splice(3, 1);
  assertEquals(results, ["0", "1", "2", "4", "5", "6", "7"]);
  const text = await Deno.readTextFile(opened.path.replace("supply.py", "calls"));
  assertEquals(text.split("\n").filter((n) => n !== "-1" && n !== ""), [..."0124567"]);
});

/** Answers `hold` when there is a file of this name. */
const HELD = `
import os, time
def hold():
    print("held", flush=True)
    while not os.path.exists(__file__ + ".go"): time.sleep(0.001)
def put(n):
    print(f"[{n}]", flush=True)
    return n
`;

Deno.test("a call to a module in Python that waits for its turn gets what it was given, whatever is in that buffer then", async () => {
  await using opened = await open(HELD);
  const { put } = opened.module.exports.commands as Record<
    string,
    (data: unknown, context: { bytes: Uint8Array }) => Promise<{ text: string }>
  >;
  const first = opened.call("hold");
  await opened.until("held");
  const bytes = new TextEncoder().encode('{"command_id":"put","n":2}');
  const second = put!(undefined, { bytes });
  bytes.fill(0x20);
  await Deno.writeTextFile(`${opened.path}.go`, "");
  await first;
  assertEquals((await second).text, "2");
});

Deno.test("the bytes that a module in Python is called with are those of the call, whatever is in that buffer at its turn", async () => {
  const source = `
import os, time
def handle(data, peer):
    if data == b"hold":
        print("held", flush=True)
        while not os.path.exists(__file__ + ".go"): time.sleep(0.001)
    return data
`;
  await using opened = await open(source, {}, { kind: "bytes" });
  const handle = opened.module.exports.handle as (
    data: Uint8Array,
    peer: HandlerPeer,
  ) => Promise<Uint8Array>;
  const peer = { address: "127.0.0.1:50000", send() {} };
  const [hold, bytes] = ["hold", "VOLT 1"].map((text) => new TextEncoder().encode(text));
  const first = handle(hold!, peer);
  await opened.until("held");
  const second = handle(bytes!, peer);
  bytes!.fill(0x39);
  await Deno.writeTextFile(`${opened.path}.go`, "");
  await first;
  assertEquals(new TextDecoder().decode(await second), "VOLT 1");
});

Deno.test("a module in Python is not called for a message that was answered with a failure before its turn", async () => {
  await using opened = await open(HELD);
  const { put, hold } = opened.module.exports.commands as Commands;
  const begun = Promise.withResolvers<void>();
  const commands: Commands = {
    hold: hold!,
    ping: () => "pong",
    put(data, context) {
      begun.resolve();
      return put!(data, context);
    },
  };
  const interact = interactWithCommands(commands);
  await using server = startJsonServer({ port: 0, interact, concurrency: 2 });
  await using slow = await Peer.connect(server.addr);
  const held = slow.ask('{"command_id":"hold"}');
  await opened.until("held");
  await using peer = await Peer.connect(server.addr);
  // The message that waits is in memory where the next one will be.
  await peer.write('{"command_id":"ping"}\n{"command_id":"put",');
  assertEquals(await peer.line(), '{"status":"success","result":"pong"}');
  await peer.write('"n":1}\n{"command_id":"put","n":2}');
  await begun.promise;
  const closing = server.close({ grace: 0 });
  assertStringIncludes((await peer.line())!, '"status":"error"');
  await Deno.writeTextFile(`${opened.path}.go`, "");
  await opened.call("put", { n: 3 });
  assertEquals(opened.printed().match(/\[\d]/g), ["[3]"]);
  await Promise.all([held, closing]);
});

Deno.test("calls that are answered while labwire does nothing are not called again when their time is over", async () => {
  await using opened = await open(
    `
import os, time
def ok(n, seconds=0):
    with open(os.path.dirname(__file__) + "/calls", "a") as file: print(n, file=file)
    time.sleep(seconds)
    return n
`,
    { ...QUICK, handlerTimeout: 0.5 },
  );
  for (let i = 0; i < 100 || i < 10_000 && opened.module.depth <= 8; i++) {
    await opened.call("ok", { n: -1 });
  }
  const calls = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => opened.call("ok", { n, seconds: 0.02 }));
  await calls[0];
  await new Promise((resolve) => setTimeout(resolve)); // the others are written
  for (const begun = performance.now(); performance.now() - begun < 1000;); // as if the computer slept
  assertEquals(await Promise.all(calls), [..."01234567"]);
  await assertRejects(() => opened.call("ok", { n: 8, seconds: 60 }), ConnectError, "0.5 s");
  assertEquals(await opened.call("ok", { n: 9 }), "9");
  const text = await Deno.readTextFile(opened.path.replace("supply.py", "calls"));
  assertEquals(text.split("\n").filter((n) => n !== "-1" && n !== ""), [..."0123456789"]);
  assertEquals(opened.module.counters.restarts, 1);
});

Deno.test("a module in Python is set up, told its options, and closed", async () => {
  const opened = await open(
    `
import atexit, logging, os
def setup(options):
    print("setup", sorted(options.items()))
    logging.getLogger("psu").warning("warm")
atexit.register(lambda: print("atexit"))
def get(): return __name__
async def close():
    print("switched off")
`,
    { handlerArg: [["port", "COM3"], ["baud", "9600"]] },
  );
  await opened.until("setup [('baud', '9600'), ('port', 'COM3')]\nWARNING:psu:warm\n");
  assertEquals(await opened.call("get"), '"supply"');
  await opened[Symbol.asyncDispose]();
  assert(opened.printed().endsWith("switched off\natexit\n"));
  assertEquals(opened.problems, []);
});

for (
  const [what, source, options, message] of [
    ["syntax", "def f(:\n  pass", {}, "invalid syntax (supply.py:1)"],
    [
      "import",
      "import nowhere.at_all",
      {},
      "No module named 'nowhere'; \"PYTHON -m pip install nowhere\" may install it (supply.py:1)",
    ],
    ["raises", "\nx = 1 / 0", {}, "ZeroDivisionError: division by zero (supply.py:2)"],
    ["exits", "import sys\nsys.exit('no device')", {}, "no device (supply.py:2)"],
    ["dies", "import os\nos._exit(4)", {}, "Python ended with exit code 4 while it was loaded"],
    [
      "options",
      "def f(): pass",
      { handlerArg: [["a", "b"]] as [string, string][] },
      "it has no setup(options) that could take --handler-arg",
    ],
    [
      "options that setup() does not take",
      "def setup(): pass",
      { handlerArg: [["a", "b"]] as [string, string][] },
      "it has no setup(options) that could take --handler-arg",
    ],
    [
      "UTF-16",
      "def f(): return '\0'",
      {},
      "it is no text in UTF-8: save it as UTF-8, not as UTF-16 or Unicode",
    ],
    [
      "arguments",
      "def interact(): pass",
      {},
      'it has interact(): expected "def interact(message): …"',
    ],
    [
      "setup",
      "def setup(options):\n  raise OSError('no device')",
      {},
      "OSError: no device (supply.py:2)",
    ],
  ] as const
) {
  Deno.test(`a module in Python that does not load is told with file and line: ${what}`, async () => {
    const error = await assertRejects(() => open(source, options), UsageError);
    const text = error.message.replace(/"(\/|[A-Z]:)[^"]* -m/, '"PYTHON -m')
      .replace(/(\/|[A-Z]:)[^" (]*supply\.py/g, "supply.py");
    assertEquals(text, `Cannot load handler "supply.py": ${message}`);
  });
}

Deno.test("a module in Python whose handle() takes other arguments is told which", async () => {
  const source = "def handle(data): return data";
  const message = "it has handle(data): expected ";
  for (
    const [use, form] of [
      [{ kind: "bytes" }, "handle(data, peer)"],
      [{ kind: "records", format: "<I" }, "handle(record, peer)"],
    ] as const
  ) {
    await assertRejects(() => open(source, {}, use), UsageError, `${message}"def ${form}: …"`);
  }
  await using several = await open("def handle_batch(samples): pass\ndef handle(): pass\n", {}, {
    kind: "samples",
  });
  assertEquals(typeof several.module.exports.handle_batch, "function");
});

Deno.test("what a module in Python raises has file and line of the user's code, and a traceback", async () => {
  await using opened = await open(`
import json
def check(volts):
    if volts > 30: raise ValueError("30 V is the limit")
def set_voltage(volts): check(volts)
def parse(): return json.loads("{")
`);
  const error = await assertRejects(() => opened.call("set_voltage", { volts: 31 }), RemoteError);
  assertEquals(placeOf(error), `${opened.path}:4`);
  assertStringIncludes(error.stack!, 'raise ValueError("30 V is the limit")');
  assertEquals(placeOf(await assertRejects(() => opened.call("parse"))), `${opened.path}:6`);
});

Deno.test("calls to a module in Python are made at the same time where that is wanted", async () => {
  const source = `
import asyncio, threading, time
barrier = threading.Barrier(3, timeout=10)
event = None
count = 0
def threads(): 
    barrier.wait()
    return threading.current_thread().name.startswith("labwire")
async def tasks():
    global event, count
    event = event or asyncio.Event()
    count += 1
    if count == 3: event.set()
    await asyncio.wait_for(event.wait(), 10)
    return count
`;
  await using opened = await open(source, { concurrency: 3 });
  assertEquals(opened.module.depth, 3);
  const threads = await Promise.all([1, 2, 3].map(() => opened.call("threads")));
  assertEquals(threads, ["true", "true", "true"]);
  const tasks = await Promise.all([1, 2, 3].map(() => opened.call("tasks")));
  assertEquals(tasks, ["3", "3", "3"]);
});

Deno.test("tasks of a module in Python go on between its calls", async () => {
  await using opened = await open(`
import asyncio
count = 0
async def begin():
    async def tick():
        global count
        while True:
            count += 1
            await asyncio.sleep(0)
    global task
    task = asyncio.ensure_future(tick())
def get(): return count
`);
  await opened.call("begin");
  const first = Number(await opened.call("get"));
  let later = first;
  while (later === first) later = Number(await opened.call("get"));
  assert(later > first);
});

Deno.test("a task of a module in Python that fails or ends the program harms no other, and all are cancelled at the end", async () => {
  const opened = await open(
    `
import asyncio, sys
tasks = []
async def leave(): sys.exit(3)
async def stop(): asyncio.get_running_loop().stop()
async def begin():
    async def run():
        try: await asyncio.sleep(1000)
        finally: print("cancelled")
    tasks.append(asyncio.ensure_future(run()))
    tasks.append(asyncio.ensure_future(leave()))
async def late():
    await asyncio.wait_for(asyncio.sleep(1000), 0.001)
async def get(): return 1
async def close(): print("closed")
`,
    { handlerTimeout: 10 },
  );
  for (const name of ["leave", "begin", "stop", "get"]) await opened.call(name).catch(() => {});
  assertEquals(await opened.call("get"), "1");
  const error = await assertRejects(() => opened.call("late"), RemoteError, "TimeoutError");
  assertEquals(placeOf(error), `${opened.path}:13`);
  assertEquals(opened.module.counters.restarts, 0);
  await opened[Symbol.asyncDispose]();
  assertStringIncludes(opened.printed(), "closed\ncancelled\n");
});

Deno.test("a changed module in Python is loaded again between two messages, and a mistake leaves the old one", async () => {
  await using opened = await open(
    "def get(): return 1\ndef close(): print('closed 1')",
    { ...QUICK, reload: true },
  );
  assertEquals(await opened.call("get"), "1");
  await Deno.writeTextFile(opened.path, "def get(): return 2222\ndef more(): return 3");
  assertEquals(await opened.call("get"), "2222");
  await opened.until("closed 1");
  assertEquals((await opened.module.describe()).map(({ name }) => name), ["get", "more"]);
  await Deno.writeTextFile(opened.path, "def get( return 3");
  assertEquals(await opened.call("get"), "2222");
  const problem = opened.problems.at(-1)!;
  assertEquals(problem.kind, "reload");
  assertStringIncludes(problem.message, "the one loaded before goes on");
  await Deno.writeTextFile(opened.path, "def get(): return 44");
  assertEquals(await opened.call("get"), "44");
  await Deno.writeTextFile(opened.path, "raise ValueError('no device')");
  await assertRejects(() => opened.call("get"), RemoteError, "ValueError: no device");
  await Deno.writeTextFile(opened.path, "def get(): return 555");
  assertEquals(await opened.call("get"), "555");
});

Deno.test("a fork of a module in Python that is watched may import too", {
  ignore: windows,
}, async () => {
  const source = `
import os, time
def fork():
    child = os.fork()
    if child == 0:
        import wave
        time.sleep(0.3)
        os._exit(5)
    return os.waitpid(child, 0)[1] >> 8
`;
  await using opened = await open(source, { reload: true });
  assertEquals(await opened.call("fork"), "5");
});

Deno.test("what a module in Python imports is watched too, when it imports it only later as well", async () => {
  await using opened = await open(
    "def get():\n    import helper\n    return helper.value",
    { ...QUICK, reload: true },
  );
  const helper = opened.path.replace("supply.py", "helper.py");
  await Deno.writeTextFile(helper, "value = 1");
  assertEquals(await opened.call("get"), "1");
  // It is told a moment after the import.
  for (let value = 10; opened.problems.length === 0; value++) {
    await Deno.writeTextFile(helper, `value = ${value}`);
    await opened.call("get");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await Deno.writeTextFile(helper, "value = 'last'");
  assertEquals(await opened.call("get"), '"last"');
  const broken = opened.path.replace("supply.py", "broken.py");
  await Deno.writeTextFile(broken, "value = (");
  await Deno.writeTextFile(opened.path, "import broken\ndef get(): return broken.value");
  await assertRejects(() => opened.call("get"), RemoteError, "broken.py");
  const said = opened.problems.length;
  await Deno.writeTextFile(broken, "value = 'mended'");
  while (await opened.call("get").catch(() => "") !== '"mended"') {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertStringIncludes(opened.problems.slice(said).at(-1)!.message, "was loaded again");
});

Deno.test("a module in Python that changes while it is loaded is loaded again, by whatever path it is given", async () => {
  await using opened = await open("def get(): return 0");
  await Deno.writeTextFile(
    opened.path,
    `
text = open(__file__).read()
def get(): return 1
if "return " + "1" in text:
    open(__file__, "w").write(text.replace("return " + "1", "return 22"))
`,
  );
  const file = relative(Deno.cwd(), opened.path);
  const options = { python: PYTHON, reload: true };
  await using module = await openPython(file, { kind: "commands" }, options, {});
  const { get } = module.exports.commands as Record<string, (data: unknown) => unknown>;
  assertEquals((await get!({}) as { text: string }).text, "22");
});

for (const { path, version } of pythons()) {
  Deno.test(`a module runs in Python ${version}`, async () => {
    const source = `
import platform
def version(x: "list[int] | None" = None) -> str: return platform.python_version()
async def later(): return "µ"
`;
    await using opened = await open(source, { python: path });
    assertEquals(await opened.call("version"), `"${version}"`);
    assertEquals(await opened.call("later"), '"µ"');
  });
}

Deno.test("an interpreter that is too old, or none, is told with the way out", async () => {
  const home = Deno.env.get("HOME");
  for (const old of ["3.6.15", "2.7.18"]) {
    const path = `${home}/.pyenv/versions/${old}/bin/python`;
    try {
      await Deno.stat(path);
    } catch {
      continue;
    }
    const { message } = await assertRejects(() => open("", { python: path }), UsageError);
    assertStringIncludes(
      message,
      `Cannot run a handler in Python, which needs 3.8 or later: ${path} is ${old}`,
    );
    assertStringIncludes(message, "install Python 3.8 or later");
  }
  const none = await assertRejects(() => open("", { python: "no-such-python" }), UsageError);
  assertStringIncludes(none.message, 'Cannot find program "no-such-python"');
  await assertRejects(
    () => open("", { python: Deno.execPath() }),
    UsageError,
    "Cannot run a handler",
  );
});

Deno.test({
  name: "stop() of a module in Python: what waits for its turn is not begun, be it in the pipe",
  ignore: windows, // where what is under way is interrupted later
  async fn() {
    const source = `
import time
def quick(): pass
def slow():
    print("begun")
    while True: time.sleep(0.01)
def next(): print("too late")
def close(): print("closed")
`;
    await using opened = await open(source);
    const { module, call } = opened;
    // Quick calls have more of them wait in the pipe, which cannot be taken back.
    while (module.depth < 3) await call("quick");
    const calls = ["slow", "next", "next"].map((name) => assertRejects(() => call(name)));
    await opened.until("begun");
    calls.push(...["next", "next"].map((name) => assertRejects(() => call(name), ConnectError)));
    module.stop();
    calls.push(assertRejects(() => call("next"), ConnectError, "was stopped"));
    await Promise.all(calls);
    await module.close();
    assertEquals(opened.printed(), "begun\nclosed\n");
    assertEquals(opened.problems, []);
  },
});
