import { assert, assertEquals } from "@std/assert";
import { open } from "../handlers/python/open.ts";
import { pythons } from "../interop/pythons.ts";

/** How often the handler dies; `LABWIRE_RESTARTS=10000` takes a quarter of an hour. */
const RESTARTS = Number(Deno.env.get("LABWIRE_RESTARTS") ?? 60);

/** Calls that end the process, each in another way. */
const ENDS = ["leave", "crash", "killed", "with_child"];

const SOURCE = `
import os, signal, subprocess, sys, threading
with open(os.path.dirname(os.path.abspath(__file__)) + "/pids", "a") as file: print(os.getpid(), file=file)
def leave(): os._exit(1)
def crash(): os.abort()
def killed(): os.kill(os.getpid(), signal.SIGKILL)
def with_child():
    if os.fork() == 0: threading.Event().wait()
    os._exit(0)
`;

/** How many file descriptors this process has open. */
function descriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

Deno.test(`${RESTARTS} restarts of a handler in Python leave no process and no file open`, {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using opened = await open(SOURCE, { restartDelay: 0, python: pythons()[0]?.path });
  const { call, module, path } = opened;
  await call("leave").catch(() => {});
  const before = descriptors();
  for (let i = 1; i < RESTARTS; i++) {
    const error = await call(ENDS[i % ENDS.length]!).catch((error) => error);
    assert(error instanceof Error, `call ${i} was answered`);
  }
  assertEquals(module.counters.restarts, RESTARTS);
  assert(descriptors() <= before + 4, `${before} descriptors before, ${descriptors()} after`);
  await module.close();
  const pids = (await Deno.readTextFile(path.replace("supply.py", "pids"))).trim().split("\n");
  const { stdout } = await new Deno.Command("ps", { args: ["-eo", "pid=,args="] }).output();
  const left = new TextDecoder().decode(stdout).split("\n").filter((line) =>
    line.includes("<labwire>") && pids.includes(line.trim().split(" ")[0]!)
  );
  assertEquals(left, []);
});
