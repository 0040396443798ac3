/**
 * What the host program does on Windows, tried out with stand-ins for the calls of that system that it makes: no test of Windows, but of
 * the lines that only run there.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes/concat";
import { PythonProcess } from "../../../lib/handlers/python/process.ts";
import { pythons } from "../../interop/pythons.ts";
import { isAlive } from "../../process/is_alive.ts";
import HOST from "../../../lib/handlers/python/host.py" with { type: "text" };

/** `msvcrt` and `_winapi` for Linux: a handle is a descriptor, or that of a process. */
const STAND_INS = `
import sys, types
def stand_in():
    import array, ctypes, fcntl, os, select, signal, subprocess, termios, time
    libc = ctypes.CDLL(None, use_errno=True)
    def peek(handle, size):
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        there = array.array("i", [0])
        fcntl.ioctl(handle, termios.FIONREAD, there)
        if there[0] == 0 and any(event & select.POLLHUP for _, event in poll.poll(0)):
            raise BrokenPipeError(109, "The pipe has been ended")
        if size == 0:
            return there[0], 0
        reading, writing = os.pipe()
        length = libc.tee(handle, writing, size, 0)
        data = os.read(reading, length)
        os.close(reading)
        os.close(writing)
        return data, there[0], 0
    def wait(process, milliseconds):
        end = time.monotonic() + milliseconds / 1000
        while time.monotonic() < end:
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                return 0
            time.sleep(0.01)
        return 258
    winapi = types.ModuleType("_winapi")
    winapi.PeekNamedPipe, winapi.WaitForSingleObject, winapi.WAIT_OBJECT_0 = peek, wait, 0
    winapi.OpenProcess = lambda access, inherit, process: process
    msvcrt = types.ModuleType("msvcrt")
    msvcrt.get_osfhandle, msvcrt.setmode = lambda fd: fd, lambda fd, mode: None
    os.O_BINARY = 0
    del os.sched_yield
    signal.SIGBREAK = signal.SIGUSR1
    sys.modules["_winapi"], sys.modules["msvcrt"] = winapi, msvcrt
stand_in()
`;

const MODULE = `
import os, signal, sys, time
def pid(): return os.getpid()
def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)
    return "not disturbed"
def loop():
    print("begun")
    while True: time.sleep(0.01)
def close(): print("closed")
`;

/** A process with a module, that believes itself on Windows. */
async function open(python: string, labwire = Deno.pid) {
  const file = await Deno.makeTempFile({ suffix: ".py" });
  await Deno.writeTextFile(file, MODULE);
  const windows = 'WINDOWS = os.name == "nt"';
  assertStringIncludes(HOST, windows);
  let printed = "";
  const begun = Promise.withResolvers<void>();
  const answers: ((text: string) => void)[] = [];
  const config = {
    file,
    use: { kind: "commands" },
    options: {},
    concurrency: 1,
    limit: 1 << 20,
    reload: false,
  };
  const process = new PythonProcess(
    [python],
    STAND_INS + HOST.replace(windows, "WINDOWS = True"),
    { ...config, labwire },
    {
      onFrame: ({ payload }) => answers.shift()?.(new TextDecoder().decode(payload)),
      onPrint(lines) {
        printed += new TextDecoder().decode(lines);
        if (printed.includes("begun")) begun.resolve();
      },
      onEnd: () => {},
    },
  );
  const start = await process.started;
  assertEquals(start.kind, "loaded", JSON.stringify(start));
  let number = 0;
  return {
    process,
    begun: begun.promise,
    printed: () => printed,
    call(name: string): Promise<string> {
      const text = new TextEncoder().encode(`{"command_id":"${name}"}`);
      const prefix = Uint8Array.of(name.length, ...new TextEncoder().encode(name));
      process.write("J", ++number, concat([prefix, text]));
      return new Promise((resolve) => answers.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      process.kill();
      await process.finished;
      await Deno.remove(file);
    },
  };
}

for (const { path, version } of pythons()) {
  Deno.test({
    name:
      `the host's lines for Windows: commands, Ctrl-C, the end of what loops, with Python ${version}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using it = await open(path);
      const pid = Number(await it.call("pid"));
      assertEquals(await it.call("ctrl_c"), '"not disturbed"');
      void it.call("loop");
      await it.begun;
      assertEquals(await it.process.close(5), true);
      assertStringIncludes(it.printed(), "closed\n");
      assertEquals(await isAlive(pid), false);
    },
  });
}

Deno.test({
  name:
    "the host's lines for Windows: what loops ends when labwire has gone, with messages in the pipe",
  ignore: Deno.build.os !== "linux" || pythons().length === 0,
  async fn() {
    const labwire = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    await using it = await open(pythons()[0]!.path, labwire.pid);
    void it.call("loop");
    void it.call("pid");
    await it.begun;
    labwire.kill("SIGKILL");
    await labwire.status;
    await it.process.finished;
    assertStringIncludes(it.printed(), "closed\n");
  },
});
