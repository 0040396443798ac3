import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { CodecError, ConnectError, RemoteError, UsageError } from "../../lib/errors.ts";
import { LineProgram, type ProgramProblem } from "../../lib/process/line_program.ts";
import { ReportedErrors } from "../time/reported_errors.ts";
import { isAlive } from "./is_alive.ts";

const COUNTER = [
  "python3",
  "-c",
  `
import os, sys, time
count = 0
for line in sys.stdin:
    line = line.rstrip("\\n")
    count += 1
    if line == "die": sys.exit("laser interlock open")
    if line == "hang": time.sleep(60)
    if line == "banner": print("hello", flush=True)
    print(count, line, flush=True)
`,
];

Deno.test("LineProgram answers line by line, in the order of the calls", async () => {
  await using program = new LineProgram(COUNTER);
  const answers = await Promise.all(["a", "µ", ""].map((line) => program.ask(line)));
  assertEquals(answers, ["1 a", "2 µ", "3 "]);
});

Deno.test("LineProgram carries long lines", async () => {
  await using program = new LineProgram(COUNTER);
  const line = "x".repeat(1_000_000);
  assertEquals(await program.ask(line), `1 ${line}`);
});

Deno.test("LineProgram fails the message that it handles when the program dies, and starts it again", async () => {
  const problems: ProgramProblem[] = [];
  await using program = new LineProgram(COUNTER, {
    restartDelay: 0.01,
    onProblem: (problem) => problems.push(problem),
  });
  const first = program.pid;
  await program.ask("a");
  const dying = program.ask("die");
  const waiting = program.ask("b");
  await assertRejects(() => dying, RemoteError, "exit code 1: laser interlock open");
  assertEquals(await waiting, "1 b");
  const message =
    'Program "python3" ended with exit code 1: laser interlock open; starting it again';
  assertEquals(problems, [{ kind: "exit", message }]);
  assertNotEquals(program.pid, first);
});

Deno.test("LineProgram kills a program that does not answer, and starts it again", async () => {
  await using program = new LineProgram(COUNTER, { timeout: 2, restartDelay: 0.01 });
  await assertRejects(
    () => program.ask("hang"),
    ConnectError,
    'No answer from program "python3" within 2 s',
  );
  assertEquals(await program.ask("b"), "1 b");
});

Deno.test("LineProgram.askBytes() sends what was given to it, whatever is in that buffer at its turn", async () => {
  await using program = new LineProgram(COUNTER);
  const buffer = new TextEncoder().encode("b");
  const answers = [program.ask("a"), program.askBytes(buffer)] as const;
  buffer.fill(0x7a);
  assertEquals(await answers[0], "1 a");
  assertEquals(new TextDecoder().decode(await answers[1]), "2 b");
});

Deno.test("LineProgram.askBytes() does not send what was called off before its turn", async () => {
  await using program = new LineProgram(COUNTER);
  const controller = new AbortController();
  const first = program.ask("a");
  const second = program.askBytes(new TextEncoder().encode("b"), controller.signal);
  controller.abort(new Error("too late"));
  await assertRejects(() => second, Error, "too late");
  assertEquals([await first, await program.ask("c")], ["1 a", "2 c"]);
});

Deno.test("LineProgram reports unsolicited lines", async () => {
  const unsolicited = Promise.withResolvers<ProgramProblem>();
  await using program = new LineProgram(COUNTER, { onProblem: unsolicited.resolve });
  assertEquals(await program.ask("banner"), "hello");
  const message = 'Program "python3" printed an unsolicited line: 1 banner';
  assertEquals(await unsolicited.promise, { kind: "unsolicited", message });
});

Deno.test("LineProgram stops a line without end", async () => {
  const script = "import sys\nsys.stdin.readline()\nwhile True: sys.stdout.write('x' * 65536)";
  await using program = new LineProgram(["python3", "-c", script], {
    maxLineBytes: 1_000_000,
    restartDelay: 60,
  });
  await assertRejects(() => program.ask("a"), RemoteError, "a line of more than 1000000 bytes");
});

Deno.test("LineProgram.close() ends the program, fails what waits, and may be called twice", async () => {
  const program = new LineProgram(COUNTER);
  await program.ask("a");
  const hanging = assertRejects(() => program.ask("hang"), ConnectError, "was stopped");
  const waiting = assertRejects(() => program.ask("b"), ConnectError, "was stopped");
  await Promise.all([program.close({ grace: 0.1 }), program.close(), hanging, waiting]);
  assertEquals(program.pid, null);
  await assertRejects(() => program.ask("c"), ConnectError, "was stopped");
});

Deno.test("LineProgram.close() does not wait for the next start", async () => {
  const died = Promise.withResolvers<ProgramProblem>();
  const program = new LineProgram(COUNTER, { restartDelay: 3600, onProblem: died.resolve });
  await assertRejects(() => program.ask("die"), RemoteError);
  await died.promise;
  await program.close();
});

Deno.test({
  name: "LineProgram ends what a program that died has left in the background",
  ignore: Deno.build.os === "windows",
  async fn() {
    const died = Promise.withResolvers<ProgramProblem>();
    const script = "read line; sleep 300 & echo $!; read line; exit 3";
    await using program = new LineProgram(["sh", "-c", script], {
      restartDelay: 60,
      onProblem: died.resolve,
    });
    const child = Number(await program.ask("a"));
    await assertRejects(() => program.ask("b"), RemoteError, "exit code 3");
    await died.promise;
    assertEquals(await isAlive(child), false);
  },
});

Deno.test("LineProgram rejects a program that does not exist", () => {
  assertThrows(() => new LineProgram(["labwire-no-such-program"]), UsageError, "Cannot start");
});

Deno.test("LineProgram refuses a line with a newline in it, and goes on", async () => {
  await using program = new LineProgram(COUNTER);
  await assertRejects(() => program.ask("a\nb"), CodecError, "byte 1 is a newline");
  assertEquals(await program.ask("c"), "1 c");
});

Deno.test("LineProgram goes on where what watches it throws", async () => {
  using reported = new ReportedErrors();
  const fail = (what: string) => () => {
    throw new Error(what);
  };
  await using program = new LineProgram(COUNTER, {
    restartDelay: 0.01,
    onProblem: fail("problem"),
    onStderr: fail("stderr"),
  });
  assertEquals(await program.ask("banner"), "hello");
  await reported.reach(1); // of the line that was not asked for
  assertEquals(await program.ask("a"), "2 a");
  await assertRejects(() => program.ask("die"), RemoteError, "laser interlock open");
  assertEquals(await program.ask("b"), "1 b");
  await program.close();
  // The text may come in pieces.
  const { messages } = reported;
  const kinds = messages.filter((message, i) => message !== messages[i - 1]);
  assertEquals(kinds, ["problem", "stderr", "problem"]);
});

Deno.test("LineProgram takes an answer that came in time and is read late", async () => {
  const script = "import sys, time\nfor line in sys.stdin: time.sleep(0.1); print(1, flush=True)";
  await using program = new LineProgram(["python3", "-c", script], { timeout: 1 });
  await program.ask("it runs");
  const answer = program.ask("a");
  await new Promise((resolve) => setTimeout(resolve)); // it is written
  for (const begun = performance.now(); performance.now() - begun < 1500;); // as if the computer slept
  assertEquals(await answer, "1");
});
