import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import {
  Recorder,
  type RecorderOptions,
  type RecorderProblem,
} from "../../lib/recording/recorder.ts";
import { ManualClock } from "../time/manual_clock.ts";

const windows = Deno.build.os === "windows";
const bytes = (text: string) => new TextEncoder().encode(text);

/** A folder for recordings, and what their recorders say. */
class Lab implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "labwire-recorder-" });
  readonly problems: RecorderProblem[] = [];
  #wake = () => {};

  path(name: string): string {
    return `${this.folder}/${name}`;
  }

  open(name: string, options: Partial<RecorderOptions> = {}): Promise<Recorder> {
    return Recorder.open({
      path: this.path(name),
      noun: ["line", "lines"],
      onProblem: (problem) => {
        this.problems.push(problem);
        this.#wake();
      },
      ...options,
    });
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  files(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  /** Resolves when a problem of this kind was told. */
  async told(kind: RecorderProblem["kind"]): Promise<RecorderProblem> {
    for (;;) {
      const found = this.problems.find((problem) => problem.kind === kind);
      if (found) return found;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async [Symbol.asyncDispose]() {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Waits until a recorder has written so many entries, and is done with them; then its file holds a text. */
async function holds(recorder: Recorder, entries: number, text: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (recorder.stats.recorded < entries) {
    assert(performance.now() < end, `${recorder.stats.recorded} entries, not ${entries}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals([recorder.stats.recorded, Deno.readTextFileSync(recorder.path)], [entries, text]);
}

Deno.test("a recorder writes what it was given within a second, while it is open", async () => {
  await using lab = new Lab();
  const clock = new ManualClock();
  await using recorder = await lab.open("run.log", { clock });
  recorder.write(bytes("one\n"));
  recorder.write(bytes("two\n"));
  assertEquals(lab.read("run.log"), "");
  clock.pass(0.9);
  await holds(recorder, 2, "one\ntwo\n");
  recorder.write(bytes("three\n"));
  clock.pass(0.9);
  await holds(recorder, 3, "one\ntwo\nthree\n");
  assertEquals(lab.problems, []);
});

Deno.test("a recorder writes within a second, too, what it is given while it writes", async () => {
  await using lab = new Lab();
  const clock = new ManualClock();
  await using recorder = await lab.open("run.log", { clock });
  recorder.write(bytes("one\n"));
  clock.pass(0.9);
  recorder.write(bytes("two\n"));
  await holds(recorder, 1, "one\n");
  if (!clock.isAwaited) await clock.nextWake();
  clock.pass(0.9);
  await holds(recorder, 2, "one\ntwo\n");
});

Deno.test("a recorder that has written has room in memory again, whatever it wrote into which file", async () => {
  await using lab = new Lab();
  const clock = new ManualClock();
  await using recorder = await lab.open("run.log", { clock, rotate: { bytes: 4 }, maxQueue: 12 });
  for (let round = 1; round <= 3; round++) {
    for (const text of ["one\n", "two\n", "six\n", "lost"]) recorder.write(bytes(text));
    assertEquals(recorder.stats.unrecorded, round);
    clock.pass(0.9);
    while (recorder.stats.recorded < 3 * round) await new Promise((done) => setTimeout(done, 1));
  }
});

Deno.test("a recorder copies what it is given, and writes large things whole and in order", async () => {
  await using lab = new Lab();
  const recorder = await lab.open("run.bin");
  const expected: number[] = [];
  const buffer = new Uint8Array(700_000);
  for (const [i, length] of [10, 700_000, 300_000, 1, 262_144].entries()) {
    buffer.fill(i + 1);
    recorder.write(buffer.subarray(0, length));
    for (let j = 0; j < length; j++) expected.push(i + 1);
  }
  await recorder.close();
  assertEquals(Deno.readFileSync(lab.path("run.bin")), Uint8Array.from(expected));
  assertEquals(recorder.stats, {
    recorded: 5,
    unrecorded: 0,
    bytes: expected.length,
    files: 1,
  });
});

Deno.test("a recorder does not overwrite a file unless it is told to; one that is empty it takes", async () => {
  await using lab = new Lab();
  Deno.writeTextFileSync(lab.path("run.log"), "dear data\n");
  const error = await assertRejects(() => lab.open("run.log"), UsageError);
  assertMatch(error.message, /^Cannot record to ".*run\.log": it is there already; --force/);
  assertEquals(lab.read("run.log"), "dear data\n");
  const recorder = await lab.open("run.log", { force: true });
  recorder.write(bytes("new\n"));
  await recorder.close();
  assertEquals(lab.read("run.log"), "new\n");
  Deno.writeTextFileSync(lab.path("empty.log"), "");
  await (await lab.open("empty.log")).close();
});

Deno.test("a recorder says why a file cannot be made, and makes the last folder of its path", async () => {
  await using lab = new Lab();
  await assertRejects(() => lab.open("no/such/run.log"), UsageError, "no such directory");
  await assertRejects(() => lab.open("run-%Q.log"), UsageError, 'Cannot use "%Q"');
  Deno.mkdirSync(lab.path("folder"));
  await assertRejects(() => lab.open("folder"), UsageError, "it is a directory");
  await (await lab.open("new/run.log")).close();
  assertEquals(lab.files(), ["folder", "new"]);
});

Deno.test("a recorder goes on in another file before one gets too large, each with its header", async () => {
  await using lab = new Lab();
  const header = () => bytes("# x\n");
  const recorder = await lab.open("run.log", { rotate: { bytes: 12 }, header });
  for (let i = 0; i < 6; i++) recorder.write(bytes(`l${i}\n`));
  await recorder.close();
  assertEquals(lab.files(), ["run.1.log", "run.2.log", "run.log"]);
  assertEquals(lab.read("run.log"), "# x\nl0\nl1\n");
  assertEquals(lab.read("run.1.log"), "# x\nl2\nl3\n");
  assertEquals(lab.read("run.2.log"), "# x\nl4\nl5\n");
  assertEquals([recorder.stats.files, recorder.path], [3, lab.path("run.2.log")]);
});

Deno.test("a recorder that looks at the size of its files asks for a header twice for each, not for each entry", async () => {
  await using lab = new Lab();
  let asked = 0;
  const header = () => {
    asked++;
    return bytes("# x\n");
  };
  const recorder = await lab.open("run.log", { rotate: { bytes: 100 }, header });
  for (let i = 0; i < 48; i++) recorder.write(bytes("line\n"));
  await recorder.close();
  const sizes = lab.files().map((name) => Deno.statSync(lab.path(name)).size);
  assertEquals([sizes, asked], [[99, 54, 99], 6]);
});

Deno.test("a recorder keeps the newest of its files, and leaves those alone that are not its own", async () => {
  await using lab = new Lab();
  Deno.writeTextFileSync(lab.path("run.1.log"), "not mine");
  const recorder = await lab.open("run.log", { rotate: { bytes: 3 }, keep: 2 });
  for (let i = 0; i < 5; i++) recorder.write(bytes(`l${i}\n`));
  await recorder.close();
  assertEquals(lab.files(), ["run.1.log", "run.4.log", "run.5.log"]);
  assertEquals(lab.read("run.1.log"), "not mine");
  assertEquals(lab.read("run.5.log"), "l4\n");
});

for (const force of [false, true]) {
  Deno.test(`a recorder leaves names alone that others have taken meanwhile, force: ${force}`, async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    const recorder = await lab.open("run.log", { clock, force, rotate: { bytes: 4 } });
    Deno.mkdirSync(lab.path("run.1.log"));
    if (!windows) Deno.symlinkSync(lab.path("nowhere"), lab.path("run.2.log"));
    else Deno.mkdirSync(lab.path("run.2.log"));
    if (!force) Deno.writeTextFileSync(lab.path("run.3.log"), "");
    recorder.write(bytes("one\n"));
    recorder.write(bytes("two\n"));
    await recorder.close();
    assertEquals(lab.problems, []);
    const names = ["run.1.log", "run.2.log", "run.3.log", "run.4.log", "run.log"];
    assertEquals(lab.files(), force ? names.toSpliced(3, 1) : names);
    assertEquals(lab.read(force ? "run.3.log" : "run.4.log"), "two\n");
  });
}

Deno.test("a recorder never writes to a file that is read, by whatever name it would come to it", async () => {
  await using lab = new Lab();
  Deno.writeTextFileSync(lab.path("run.1.log"), "dear data\n");
  Deno.linkSync(lab.path("run.1.log"), lab.path("run.3.log"));
  const reads = [lab.path("run.1.log")];
  const recorder = await lab.open("run.log", { force: true, rotate: { bytes: 2 }, reads });
  for (const text of ["a\n", "b\n", "c\n"]) recorder.write(bytes(text));
  await recorder.close();
  assertEquals(lab.files(), ["run.1.log", "run.2.log", "run.3.log", "run.4.log", "run.log"]);
  assertEquals([lab.read("run.2.log"), lab.read("run.4.log")], ["b\n", "c\n"]);
  const error = await assertRejects(
    () => lab.open("run.3.log", { force: true, reads }),
    UsageError,
  );
  assertMatch(error.message, /^Cannot record to ".*run\.3\.log": it is the file that is read$/);
  assertEquals(lab.read("run.3.log"), "dear data\n");
});

Deno.test({
  name: "several recorders may write to what is no file on a disk",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    await using one = await lab.open("null", { path: "/dev/null" });
    await using other = await lab.open("null", { path: "/dev/null" });
    assertEquals([one.path, other.path], ["/dev/null", "/dev/null"]);
  },
});

for (const force of [false, true]) {
  Deno.test({
    name: `two recorders never write to one file, whatever is in it yet, force: ${force}`,
    ignore: windows,
    fn: async () => {
      await using lab = new Lab();
      const both = await Promise.allSettled([1, 2].map(() => lab.open("run.log", { force })));
      const open = both.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
      const refused = both.flatMap((each) => each.status === "rejected" ? [each.reason] : []);
      assertEquals([open.length, refused.length], [1, 1]);
      const inUse = /^Cannot record to ".*run\.log": another recording is in it$/;
      assertMatch(refused[0].message, inUse);
      const [recorder] = open;
      const later = await assertRejects(() => lab.open("run.log", { force: true }), UsageError);
      assertMatch(later.message, inUse);
      recorder!.write(bytes("one\n"));
      // The other goes past it.
      const other = await lab.open("run", { force: true, rotate: { bytes: 2 } });
      Deno.linkSync(lab.path("run.log"), lab.path("run.1"));
      for (const text of ["a\n", "b\n"]) other.write(bytes(text));
      await other.close();
      await recorder!.close();
      assertEquals([lab.read("run.log"), lab.read("run.2")], ["one\n", "b\n"]);
      await (await lab.open("run.log", { force: true })).close();
    },
  });
}

Deno.test({
  name:
    "a recorder that keeps some files removes no other program's file, and none of a name that came again",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    let now = new Date(2026, 10, 21, 12).getTime();
    const clock = new ManualClock();
    const recorder = await lab.open("run-%M.log", {
      ...{ clock, keep: 2, rotate: { seconds: 60 }, now: () => now },
    });
    let entries = 0;
    const record = async (minute: number, text: string, name: string) => {
      now = new Date(2026, 10, 21, 12, minute).getTime();
      recorder.write(bytes(text));
      clock.pass(0.9);
      await holds(recorder, ++entries, text);
      assertEquals(recorder.path, lab.path(name));
    };
    await record(0, "a\n", "run-00.log");
    Deno.renameSync(lab.path("run-00.log"), lab.path("saved"));
    await record(1, "b\n", "run-01.log");
    await record(60, "c\n", "run-00.1.log");
    await record(61, "d\n", "run-01.1.log");
    Deno.renameSync(lab.path("run-00.1.log"), lab.path("saved too"));
    Deno.writeTextFileSync(lab.path("run-00.1.log"), "not yours");
    await record(62, "e\n", "run-02.log");
    await recorder.close();
    assertEquals(lab.files(), ["run-00.1.log", "run-01.1.log", "run-02.log", "saved", "saved too"]);
    assertEquals(lab.read("run-00.1.log"), "not yours");
  },
});

Deno.test("a recorder that keeps some files counts those, too, that it begins when it opens its file again", async () => {
  await using lab = new Lab();
  let now = new Date(2026, 10, 21, 12).getTime();
  const clock = new ManualClock();
  Deno.writeTextFileSync(lab.path("run-02.log"), "of an earlier run\n");
  const recorder = await lab.open("run-%M.log", {
    ...{ clock, keep: 2, rotate: { seconds: 3600 }, now: () => now },
  });
  const names = ["run-00.log", "run-01.log", "run-02.log", "run-03.log", "run-04.log"];
  for (const [i, name] of names.entries()) {
    recorder.reopen();
    recorder.write(bytes("x\n"));
    clock.pass(0.9);
    await holds(recorder, i + 1, name === "run-02.log" ? "of an earlier run\nx\n" : "x\n");
    assertEquals(recorder.path, lab.path(name));
    now += 60_000;
  }
  await recorder.close();
  assertEquals(lab.files(), ["run-02.log", "run-03.log", "run-04.log"]);
});

Deno.test({
  name: "a recorder that keeps some files does not remove a pipe or a device",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    await new Deno.Command("mkfifo", { args: [lab.path("pipe")] }).output();
    await using reader = new Deno.Command("cat", { args: [lab.path("pipe")], stdout: "piped" })
      .spawn();
    const recorder = await lab.open("pipe", { keep: 1, rotate: { bytes: 4 } });
    recorder.write(bytes("one\n"));
    recorder.write(bytes("two\n"));
    await recorder.close();
    assertEquals(await new Response(reader.stdout).text(), "one\n");
    assertEquals(lab.files(), ["pipe", "pipe.1"]);
  },
});

for (const force of [false, true]) {
  Deno.test(`a recorder never overwrites a file of its own when a name comes again, force: ${force}`, async () => {
    await using lab = new Lab();
    let now = new Date(2026, 10, 1, 12, 0, 0).getTime();
    const clock = new ManualClock();
    const recorder = await lab.open("run-%H%M%S.log", {
      ...{ force, clock, rotate: { bytes: 6 }, now: () => now },
    });
    if (force) Deno.writeTextFileSync(lab.path("run-120001.log"), "of an earlier run\n");
    recorder.write(bytes("first\n"));
    now += 1000;
    recorder.write(bytes("later\n"));
    now -= 1000;
    recorder.write(bytes("again\n"));
    recorder.write(bytes("third\n"));
    await recorder.close();
    const names = ["run-120000.1.log", "run-120000.2.log", "run-120000.log", "run-120001.log"];
    assertEquals(lab.files(), names);
    assertEquals(names.map((name) => lab.read(name)), ["again\n", "third\n", "first\n", "later\n"]);
    assertEquals([recorder.stats.recorded, recorder.stats.files], [4, 4]);
  });
}

Deno.test({
  name: "the next file's name does not depend on how often it had to be tried",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    const recorder = await lab.open("folder/run.log", { clock, rotate: { bytes: 4 } });
    recorder.write(bytes("one\n"));
    clock.pass(0.9);
    await holds(recorder, 1, "one\n");
    Deno.renameSync(lab.path("folder"), lab.path("away"));
    recorder.write(bytes("two\n"));
    clock.pass(0.9);
    await lab.told("failed");
    for (let i = 0; i < 3; i++) {
      if (!clock.isAwaited) await clock.nextWake();
      const again = clock.nextWake();
      clock.pass(1);
      await again;
    }
    Deno.renameSync(lab.path("away"), lab.path("folder"));
    clock.pass(1);
    await lab.told("resumed");
    await recorder.close();
    assertEquals(lab.read("folder/run.1.log"), "two\n");
  },
});

for (const rotate of [{ bytes: 2000 }, { seconds: 1 }]) {
  Deno.test(`what waits for many small files takes as much memory as it has bytes: ${Deno.inspect(rotate)}`, async () => {
    await using lab = new Lab();
    let now = new Date(2026, 10, 21).getTime();
    const recorder = await lab.open("run.bin", { rotate, now: () => now });
    const before = Deno.memoryUsage().external;
    const entry = new Uint8Array(200);
    for (let i = 0; i < 4000; i++) {
      if (i % 10 === 0) now += 1000;
      recorder.write(entry.fill(i));
    }
    const taken = Deno.memoryUsage().external - before;
    assert(taken < 2 ** 22, `${taken} bytes`);
    await recorder.close();
    assertEquals([recorder.stats.recorded, recorder.stats.bytes], [4000, 800_000]);
    for (let i = 0; i < 400; i++) {
      // Where time changes the file, the first one stays empty.
      const number = i + (rotate.seconds ?? 0);
      const found = Deno.readFileSync(lab.path(number === 0 ? "run.bin" : `run.${number}.bin`));
      assertEquals(
        found.filter((_, at) => at % 200 === 7),
        Uint8Array.from({ length: 10 }, (_, k) => i * 10 + k),
      );
      assertEquals(found.length, 2000);
    }
  });
}

Deno.test("a recorder goes on in another file at the full hour, under the name of the time", async () => {
  await using lab = new Lab();
  let now = new Date(2026, 10, 21, 9, 59, 59).getTime();
  const recorder = await lab.open("run-%H%M.log", { rotate: { seconds: 3600 }, now: () => now });
  recorder.write(bytes("before\n"));
  now += 1000;
  recorder.write(bytes("at ten\n"));
  now += 3_599_000;
  recorder.write(bytes("still\n"));
  now += 1000;
  recorder.write(bytes("at eleven\n"));
  await recorder.close();
  assertEquals(lab.files(), ["run-0959.log", "run-1000.log", "run-1100.log"]);
  assertEquals(lab.read("run-1000.log"), "at ten\nstill\n");
});

Deno.test("a recorder makes the folder whose name has the time in it, at each time", async () => {
  await using lab = new Lab();
  let now = new Date(2026, 10, 21, 12).getTime();
  const clock = new ManualClock();
  const recorder = await lab.open("%d/run.log", {
    ...{ clock, rotate: { seconds: 86_400 }, now: () => now },
  });
  for (const [i, day] of ["21", "22", "23"].entries()) {
    if (day === "23") recorder.reopen();
    recorder.write(bytes(`${day}\n`));
    clock.pass(0.9);
    await holds(recorder, i + 1, `${day}\n`);
    assertEquals(recorder.path, lab.path(`${day}/run.log`));
    now += 86_400_000;
  }
  await recorder.close();
  assertEquals(lab.problems, []);
});

Deno.test("a recorder whose clock is set back a day goes on in the files of the hours that it shows now", async () => {
  await using lab = new Lab();
  const at = (day: number, hour: number, minute: number) =>
    new Date(2026, 10, day, hour, minute).getTime();
  let now = at(22, 12, 10);
  const recorder = await lab.open("run-%d-%H.log", { rotate: { seconds: 3600 }, now: () => now });
  for (const time of [now, at(21, 12, 11), at(21, 12, 5), at(21, 13, 0), at(21, 14, 59)]) {
    now = time;
    recorder.write(bytes(`${new Date(time).getMinutes()}\n`));
  }
  await recorder.close();
  const names = ["run-21-12.log", "run-21-13.log", "run-21-14.log", "run-22-12.log"];
  assertEquals(lab.files(), names);
  assertEquals(names.map((name) => lab.read(name)), ["11\n5\n", "0\n", "59\n", "10\n"]);
});

Deno.test({
  name: "a recorder opens its file again after it was renamed, as logrotate does it",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const recorder = await lab.open("run.log", { header: () => bytes("# x\n") });
    recorder.write(bytes("one\n"));
    Deno.renameSync(lab.path("run.log"), lab.path("old.log"));
    recorder.reopen();
    recorder.write(bytes("two\n"));
    await recorder.close();
    assertEquals(lab.read("run.log"), "# x\none\ntwo\n");
    assertEquals(lab.problems, []);
  },
});

Deno.test("a recorder that opens its file again counts what is in it, and what waits for it", async () => {
  await using lab = new Lab();
  const clock = new ManualClock();
  const recorder = await lab.open("run.log", { clock, rotate: { bytes: 10 } });
  for (const text of ["one\n", "two\n", "six\n", "ten\n"]) {
    recorder.write(bytes(text));
    recorder.reopen();
  }
  await recorder.close();
  assertEquals(lab.files(), ["run.1.log", "run.log"]);
  assertEquals([lab.read("run.log"), lab.read("run.1.log")], ["one\ntwo\n", "six\nten\n"]);
  const again = await lab.open("again.log", { clock, rotate: { bytes: 10 } });
  again.write(bytes("one\n"));
  clock.pass(0.9);
  await holds(again, 1, "one\n");
  again.reopen();
  again.write(bytes("two\n"));
  clock.pass(0.9);
  await holds(again, 2, "one\ntwo\n");
  assertEquals(again.stats.files, 1);
  again.write(bytes("three\n"));
  await again.close();
  assertEquals(lab.read("again.1.log"), "three\n");
});

Deno.test({
  name: "a recorder notices that its file was removed, says so, and goes on in a new one",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    await using recorder = await lab.open("run.log", { clock, header: () => bytes("# x\n") });
    recorder.write(bytes("one\n"));
    clock.pass(0.9);
    await holds(recorder, 1, "# x\none\n");
    Deno.removeSync(lab.path("run.log"));
    recorder.write(bytes("two\n"));
    clock.pass(0.9);
    const { message } = await lab.told("removed");
    assertMatch(message, /run\.log" was removed or renamed: recording goes on in a new file$/);
    await holds(recorder, 2, "# x\ntwo\n");
  },
});

Deno.test({
  name: "a recorder tries again when its folder was removed, until that is there again",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    await using recorder = await lab.open("folder/run.log", { clock });
    Deno.removeSync(lab.path("folder"), { recursive: true });
    recorder.write(bytes("one\n"));
    clock.pass(0.9);
    assertMatch((await lab.told("failed")).message, /no such directory; trying again every second/);
    Deno.mkdirSync(lab.path("folder"));
    if (!clock.isAwaited) await clock.nextWake();
    clock.pass(1);
    assertMatch((await lab.told("resumed")).message, /goes on; no line was lost$/);
    await holds(recorder, 1, "one\n");
  },
});

/** Mounts a small file system, which only root may do; undefined where it cannot be done. */
async function smallDisk(path: string): Promise<AsyncDisposable | undefined> {
  const run = async (program: string, args: string[]) => {
    try {
      const command = new Deno.Command(program, { args, stderr: "null" });
      return (await command.output()).success;
    } catch {
      return false;
    }
  };
  Deno.mkdirSync(path);
  if (!await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path])) return undefined;
  return { [Symbol.asyncDispose]: async () => void await run("umount", ["-l", path]) };
}

Deno.test({
  name: "a recorder that could not write for a while says once how much was lost, each time",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    await using recorder = await lab.open("folder/run.log", { clock, maxQueue: 8 });
    for (const [round, lost] of [/1 line was not/, /2 lines were not/].entries()) {
      Deno.removeSync(lab.path("folder"), { recursive: true });
      for (let i = 0; i < 3 + round; i++) recorder.write(bytes(`l${i}\n`.padStart(4)));
      clock.pass(0.9);
      await lab.told("failed");
      Deno.mkdirSync(lab.path("folder"));
      if (!clock.isAwaited) await clock.nextWake();
      clock.pass(1);
      assertMatch((await lab.told("resumed")).message, lost);
      await holds(recorder, 3 * round + 2, " l0\n l1\n");
      recorder.write(bytes("more\n"));
      if (!clock.isAwaited) await clock.nextWake();
      clock.pass(0.9);
      await holds(recorder, 3 * round + 3, " l0\n l1\nmore\n");
      assertEquals(lab.problems.splice(0).map(({ kind }) => kind), ["full", "failed", "resumed"]);
    }
    assertEquals([recorder.stats.recorded, recorder.stats.unrecorded], [6, 3]);
  },
});

Deno.test({
  name: "an onProblem that throws does not end a recording",
  ignore: windows,
  fn: async () => {
    await using lab = new Lab();
    const clock = new ManualClock();
    const thrown = new Error("a fault of the observer");
    const reported: unknown[] = [];
    const listener = (event: ErrorEvent) => {
      event.preventDefault();
      reported.push(event.error);
    };
    addEventListener("error", listener);
    try {
      const recorder = await lab.open("run.log", {
        clock,
        onProblem: () => {
          throw thrown;
        },
      });
      Deno.removeSync(lab.path("run.log"));
      recorder.write(bytes("one\n"));
      clock.pass(0.9);
      await holds(recorder, 1, "one\n");
      await recorder.close();
      assertEquals([recorder.stats.recorded, recorder.stats.unrecorded], [1, 0]);
      assertEquals(reported, [thrown]);
    } finally {
      removeEventListener("error", listener);
    }
  },
});

Deno.test("a full disk is told and counted, never holds up the recorder, and the recording goes on when there is room", async (t) => {
  await using lab = new Lab();
  await using disk = await smallDisk(lab.path("disk"));
  await t.step({
    name: "on a small file system, which only root can mount",
    ignore: disk === undefined,
    fn: () => fillDisk(lab),
  });
});

async function fillDisk(lab: Lab): Promise<void> {
  const clock = new ManualClock();
  const recorder = await lab.open("disk/run.log", { clock, maxQueue: 40_000 });
  Deno.writeFileSync(lab.path("disk/filler"), new Uint8Array(50_000));
  const line = (i: number) => `${i} ${"x".repeat(1000)}`.slice(0, 999) + "\n";
  for (let i = 0; i < 60; i++) recorder.write(bytes(line(i)));
  assertEquals(recorder.stats.unrecorded, 20);
  assertMatch(
    (await lab.told("full")).message,
    /^Cannot keep more lines in memory .* they are lost$/,
  );
  clock.pass(0.9);
  assertMatch((await lab.told("failed")).message, /No space left on device/i);
  // What is there ends with a whole line.
  assertMatch(lab.read("disk/run.log"), /^([^\n]*\n)*$/);
  Deno.removeSync(lab.path("disk/filler"));
  if (!clock.isAwaited) await clock.nextWake();
  clock.pass(1);
  assertMatch((await lab.told("resumed")).message, /goes on; 20 lines were not recorded$/);
  recorder.write(bytes("last\n"));
  await recorder.close();
  const expected = Array.from({ length: 40 }, (_, i) => line(i)).join("") + "last\n";
  assertEquals(lab.read("disk/run.log"), expected);
  assertEquals([recorder.stats.recorded, recorder.stats.unrecorded], [41, 20]);
}

Deno.test({
  name: "a recorder whose disk is still full at the end counts what waits as lost, and ends",
  ignore: windows,
  fn: async () => {
    const problems: string[] = [];
    const recorder = await Recorder.open({
      path: "/dev/full",
      onProblem: ({ message }) => problems.push(message),
    });
    for (let i = 0; i < 3; i++) recorder.write(bytes("x\n"));
    await recorder.close();
    await recorder.close();
    assertEquals([recorder.stats.recorded, recorder.stats.unrecorded], [0, 3]);
    assertEquals(problems.length, 1);
    assertMatch(problems[0]!, /^Cannot record to "\/dev\/full": No space left on device/);
  },
});
