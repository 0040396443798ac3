/** json-server with a handler in Python, as a process of its own. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PYTHON } from "../interop/python.ts";
import { isAlive } from "../process/is_alive.ts";
import { folder, interrupt, serve } from "./json_serve.ts";
import { Child, labwire, start } from "./run.ts";

const windows = Deno.build.os === "windows";

const SUPPLY = `
import os
_volts = 0.0

def set_voltage(volts: float, channel: int = 1):
    "Set the output, 0 to 30 V."
    global _volts
    if volts > 30:
        raise ValueError("30 V is the limit")
    _volts = volts
    print("set", volts)

def get_voltage() -> float:
    return _volts

def pid():
    return os.getpid()

def child():
    import subprocess, sys
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]).pid

def loop():
    print("begun")
    while True:
        pass

def close():
    print("switched off")
    open(os.path.dirname(__file__) + "/closed", "w").close()
`;

Deno.test("json-server --handler supply.py: functions are commands, and close() runs at Ctrl-C", async () => {
  await using files = await folder({ "supply.py": SUPPLY });
  await using server = await serve(["--handler", "supply.py", "--python", PYTHON, "--stats"], {
    cwd: files.path,
  });
  const to = ["--port", `${server.addr.port}`];
  const set = await labwire(["json-client", ...to, "set_voltage", "volts:=12.5"]);
  assertEquals([set.code, set.stdout], [0, ""]);
  await server.program.until("stderr", /\| set 12\.5\n/);
  const get = await labwire(["json-client", ...to, "get_voltage"]);
  assertEquals([get.code, get.stdout], [0, "12.5\n"]);
  const refused = await labwire(["json-client", ...to, "set_voltage", "volts:=31"]);
  assertEquals(refused.code, 3);
  assertStringIncludes(refused.stderr, "30 V is the limit");
  await server.program.until("stderr", /failed: 30 V is the limit \(supply\.py:9\)\n/);
  const list = await labwire(["json-client", ...to, "--list"]);
  assertStringIncludes(list.stdout, "set_voltage(volts: float, channel: int = 1)");
  const pid = Number(JSON.parse(await server.ask('{"command_id":"pid"}')).result);
  const { code, stdout, stderr } = await interrupt(server.program);
  assertEquals(code, 0);
  assert(!stdout.includes("set 12.5"), "stdout is data only");
  assertMatch(stderr, /\| switched off\n[^]*\d+ µs p50 in labwire and the pipe\nBye\./);
  if (!windows) assert(!await isAlive(pid));
});

Deno.test("json-server tells a mistake in a handler in Python before it listens", async () => {
  await using files = await folder({
    "supply.py": "def f(:\n",
    "empty.py": "volts = 1\n",
    "supply.rb": "puts 1\n",
  });
  for (
    const [file, said] of [
      ["supply.py", /^error: Cannot load handler "supply\.py": .*\(supply\.py:1\)\n$/],
      ["empty.py", /expected functions, such as "def get_voltage\(\): …"/],
      ["missing.py", /^error: Cannot load handler "missing\.py": no such file\n$/],
      ["supply.rb", /expected a .*\.py/],
    ] as const
  ) {
    const { code, stderr } = await labwire(["json-server", "--port", "0", "--handler", file], {
      cwd: files.path,
    });
    assertEquals(code, 2);
    assertMatch(stderr, said);
    assert(!stderr.includes("Listening"));
  }
});

Deno.test("a handler in Python may have the name of a module of its library, and others beside it", async () => {
  // What the host has imported is the library's; anything else beside the handler is the user's own, as in Python itself.
  const source = (name: string, two: string) => `
import json, ${name}
def get(x: int = 1): return {json.loads("1"), ${two}}
async def later(): return __name__
`;
  await using files = await folder({
    "json.py": source("json", "2"),
    "random.py": source("random", "random.randint(2, 2)"),
    "queue.py": "",
    "typing.py": "",
    "asyncio.py": "",
    "pack/__init__.py": "from .gain import gain\ndef get(): return gain\n",
    "pack/gain.py": "gain = 3\n",
  });
  for (const name of ["json", "random"]) {
    const handler = ["--handler", `${name}.py`, "--python", PYTHON, "--concurrency", "2"];
    await using server = await serve(handler, { cwd: files.path });
    const ask = async (command: string) =>
      JSON.parse(await server.ask(`{"command_id":"${command}"}`)).result;
    assertEquals(await ask("get"), [1, 2]);
    assertEquals(await ask("later"), `handler_${name}`);
  }
  const handler = ["--handler", "pack/__init__.py", "--python", PYTHON];
  await using server = await serve(handler, { cwd: files.path });
  assertEquals(JSON.parse(await server.ask('{"command_id":"get"}')).result, 3);
});

Deno.test("a message may begin with a byte order mark, as files of Windows do", async () => {
  await using files = await folder({
    "supply.py": "def get(n: int): return n\n",
    "lines.py":
      'import json, sys\nfor line in sys.stdin: print(json.loads(line)["n"], flush=True)\n',
  });
  for (const how of [["--handler", "supply.py"], ["--exec"], ["--exec-persistent"]]) {
    const args = how.length > 1 ? [...how, "--python", PYTHON] : [...how, `${PYTHON} lines.py`];
    await using server = await serve(args, { cwd: files.path });
    const answer = await server.ask('\ufeff{"command_id":"get","n":3}');
    assertEquals(answer, '{"status":"success","result":3}', how[0]);
  }
});

Deno.test(
  "a handler in Python that is a link imports what is beside the file itself, as in Python",
  {
    ignore: windows,
  },
  async () => {
    await using files = await folder({
      "repository/supply.py": "import gain\ndef get(): return gain.gain\n",
      "repository/gain.py": "gain = 3\n",
      "here/gain.py": "gain = 4\n",
    });
    await Deno.symlink("../repository/supply.py", `${files.path}/here/link.py`);
    const handler = ["--handler", "here/link.py", "--python", PYTHON];
    await using server = await serve(handler, { cwd: files.path });
    assertEquals(JSON.parse(await server.ask('{"command_id":"get"}')).result, 3);
  },
);

Deno.test("Ctrl-C ends a handler in Python that loops for ever, and its children", {
  ignore: windows,
}, async () => {
  await using files = await folder({ "supply.py": SUPPLY });
  await using server = await serve(["--handler", "supply.py", "--grace", "0.1"], {
    cwd: files.path,
  });
  const pids = [];
  for (const name of ["pid", "child"]) {
    pids.push(Number(JSON.parse(await server.ask(`{"command_id":"${name}"}`)).result));
  }
  await using peer = await server.connect();
  await peer.write('{"command_id":"loop"}\n');
  await server.program.until("stderr", /begun/);
  await interrupt(server.program);
  for (const pid of pids) assert(!await isAlive(pid));
  assert((await Deno.stat(`${files.path}/closed`)).isFile, "close() has run");
});

Deno.test("a handler in Python and its children end when labwire is killed, close() included", {
  ignore: windows,
}, async () => {
  await using files = await folder({ "supply.py": SUPPLY });
  await using server = await serve(["--handler", "supply.py"], { cwd: files.path });
  const pids = [];
  for (const name of ["pid", "child"]) {
    pids.push(Number(JSON.parse(await server.ask(`{"command_id":"${name}"}`)).result));
  }
  assert(server.program instanceof Child); // it has a working directory
  server.program.process.kill("SIGKILL");
  await server.program.result();
  while (await isAlive(pids[0]!));
  assert(!await isAlive(pids[1]!));
  assert((await Deno.stat(`${files.path}/closed`)).isFile);
});

Deno.test(
  "a handler in Python that does not return has its close() run all the same when labwire is killed",
  {
    ignore: windows,
  },
  async () => {
    await using files = await folder({ "supply.py": SUPPLY });
    await using server = await serve(["--handler", "supply.py"], { cwd: files.path });
    const pids = [];
    for (const name of ["pid", "child"]) {
      pids.push(Number(JSON.parse(await server.ask(`{"command_id":"${name}"}`)).result));
    }
    await using peer = await server.connect();
    await peer.write('{"command_id":"loop"}\n');
    await server.program.until("stderr", /begun/);
    assert(server.program instanceof Child); // it has a working directory
    server.program.process.kill("SIGKILL");
    await server.program.result();
    while (await isAlive(pids[0]!));
    assert(!await isAlive(pids[1]!));
    assert((await Deno.stat(`${files.path}/closed`)).isFile);
  },
);

Deno.test("a long error reaches the client as a whole, and the terminal as far as a person reads", async () => {
  await using files = await folder({
    "long.py": "def fail(): raise ValueError('x' * 100_000)\n",
  });
  await using server = await serve(["--handler", "long.py", "--python", PYTHON], {
    cwd: files.path,
  });
  const { error } = JSON.parse(await server.ask('{"command_id":"fail"}'));
  assertEquals(error, "x".repeat(100_000));
  await server.program.until("stderr", / failed: x{2000}… \(long\.py:1\)\n/);
});

Deno.test("what is raised at one place does not hide what is raised at another", async () => {
  const script = `
def one(): raise ValueError("first")
def two(): raise ValueError("second")
def three(): return {}["volts"]
`;
  await using files = await folder({ "raises.py": script });
  await using server = await serve(["--handler", "raises.py"], { cwd: files.path });
  for (const name of ["one", "two", "three"]) await server.ask(`{"command_id":"${name}"}`);
  await server.program.until("stderr", /failed: first \(raises\.py:2\)\n/);
  await server.program.until("stderr", /failed: second \(raises\.py:3\)\n/);
  await server.program.until("stderr", /failed: KeyError: 'volts' \(raises\.py:4\)\n/);
});

Deno.test("the Python of VIRTUAL_ENV runs a handler, and is told where it is not there", {
  ignore: windows,
}, async () => {
  await using files = await folder({ "where.py": "import sys\ndef prefix(): return sys.prefix\n" });
  const venv = `${files.path}/venv`;
  const args = ["-m", "venv", "--without-pip", venv];
  assert((await new Deno.Command(PYTHON, { args }).output()).success);
  const command = ["json-server", "--port", "0", "--handler", "where.py"];
  const env = { VIRTUAL_ENV: venv };
  await using program = start(command, { cwd: files.path, env });
  const [, port] = await program.until("stderr", /Listening on [\d.]+:(\d+)/);
  const { stdout } = await labwire(["json-client", "--port", port!, "prefix"]);
  assertEquals(stdout.trim(), await Deno.realPath(venv));
  await Deno.remove(venv, { recursive: true });
  const gone = await labwire(command, { cwd: files.path, env });
  assertEquals(gone.code, 2);
  assertStringIncludes(gone.stderr, `Cannot use the Python of VIRTUAL_ENV "${venv}"`);
});
