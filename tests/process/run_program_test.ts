import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { ConnectError, RemoteError, UsageError } from "../../lib/errors.ts";
import { startProgram } from "../../lib/process/program.ts";
import { runProgram } from "../../lib/process/run_program.ts";
import { isAlive } from "./is_alive.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const python = (script: string) => ["python3", "-c", script];
const POSIX = Deno.build.os !== "windows";

Deno.test("runProgram() gives the input and returns the output", async () => {
  const script = "import sys; print(sys.stdin.read().upper(), end='')";
  assertEquals(text(await runProgram(python(script), bytes("volt\n"))), "VOLT\n");
});

Deno.test("runProgram() carries more than any pipe holds, both ways at once", async () => {
  const script =
    "import sys\nfor line in sys.stdin.buffer: sys.stdout.buffer.write(line); sys.stdout.flush()";
  const input = bytes("0123456789abcdef\n".repeat(200_000));
  const output = await runProgram(python(script), input);
  assertEquals(output.length, input.length);
  assertEquals(output, input);
});

Deno.test("runProgram() takes a timeout that is longer than any timer", async () => {
  const output = await runProgram(python("print('ok')"), bytes(""), { timeout: 5_000_000 });
  assertEquals(text(output).trim(), "ok");
});

Deno.test("runProgram() does not mind a program that ignores its input", async () => {
  const input = new Uint8Array(4_000_000);
  assertEquals(text(await runProgram(python("print('ok')"), input)).trim(), "ok");
});

Deno.test("runProgram() reports the last line of stderr when the program fails", async () => {
  const script = "import sys; print('warming up', file=sys.stderr); sys.exit('no such port\\n\\n')";
  await assertRejects(() => runProgram(python(script), bytes("")), RemoteError, "no such port");
});

Deno.test("runProgram() reports the exit code of a program that fails silently", async () => {
  await assertRejects(
    () => runProgram(python("import sys; sys.exit(3)"), bytes("")),
    RemoteError,
    'Program "python3" ended with exit code 3',
  );
});

Deno.test("runProgram() kills a program that takes too long", async () => {
  const started = performance.now();
  await assertRejects(
    () => runProgram(python("import time; time.sleep(60)"), bytes(""), { timeout: 0.3 }),
    ConnectError,
    'No answer from program "python3" within 0.3 s',
  );
  assertLess(performance.now() - started, 30_000);
});

Deno.test({
  name: "runProgram() kills the children of a program that it ends",
  ignore: !POSIX,
  async fn() {
    const abort = new AbortController();
    let child = "";
    const onStderr = (chunk: Uint8Array) => {
      child += text(chunk);
      if (child.endsWith("\n")) abort.abort();
    };
    const script = "sleep 60 & echo $! >&2; wait";
    await assertRejects(
      () => runProgram(["sh", "-c", script], bytes(""), { signal: abort.signal, onStderr }),
      ConnectError,
    );
    assertEquals(await isAlive(Number(child)), false);
  },
});

Deno.test("runProgram() is ended by its signal", async () => {
  const abort = new AbortController();
  const script = "import sys, time; print('up', file=sys.stderr, flush=True); time.sleep(60)";
  await assertRejects(
    () =>
      runProgram(python(script), bytes(""), {
        signal: abort.signal,
        onStderr: () => abort.abort(),
      }),
    ConnectError,
    'Program "python3" was stopped',
  );
});

Deno.test("runProgram() stops a program that prints too much", async () => {
  const script = "import sys\nwhile True: sys.stdout.write('x' * 65536)";
  await assertRejects(
    () => runProgram(python(script), bytes(""), { maxOutputBytes: 1_000_000 }),
    RemoteError,
    "printed more than 1000000 bytes",
  );
});

Deno.test("runProgram() says that a program does not exist", async () => {
  await assertRejects(
    () => runProgram(["labwire-no-such-program"], bytes("")),
    UsageError,
    'Cannot start program "labwire-no-such-program": expected the path of a program',
  );
});

for (const where of ["", ">/dev/null 2>&1"]) {
  Deno.test({
    name: `runProgram() ends what a program leaves in the background with it ${where}`,
    ignore: !POSIX,
    async fn() {
      const script = `sleep 300 ${where} & echo $!`;
      const output = await runProgram(["sh", "-c", script], bytes(""), { timeout: 60 });
      assertMatch(text(output), /^\d+\n$/);
      assertEquals(await isAlive(Number(text(output))), false);
    },
  });
}

Deno.test({
  name: "runProgram() gives what a program leaves in the background a moment for its output",
  ignore: !POSIX,
  async fn() {
    const script = "p=$$; (while kill -0 $p 2>/dev/null; do :; done; echo late) & echo early";
    assertEquals(text(await runProgram(["sh", "-c", script], bytes(""))), "early\nlate\n");
  },
});

Deno.test({
  name: "runProgram() does not wait for a session that holds the program's pipes, nor end it",
  ignore: !POSIX,
  async fn() {
    const script = "import subprocess\n" +
      'print(subprocess.Popen(["sleep", "300"], start_new_session=True).pid)';
    const output = await runProgram(python(script), new Uint8Array(1_000_000), { timeout: 60 });
    Deno.kill(Number(text(output)), "SIGKILL");
  },
});

Deno.test("Program.read() gives all that was printed, however late it is read", async () => {
  const script = "import sys; sys.stdout.write('x' * 60000)";
  await using program = startProgram(python(script));
  await program.closeWrite();
  await program.finished; // after what it may have left in the background had its time
  let length = 0;
  for await (const bytes of program) length += bytes.length;
  assertEquals(length, 60_000);
});

Deno.test("runProgram() takes an answer that came in time and is read late", async () => {
  const command = ["python3", "-c", "import time; time.sleep(0.1); print(1)"];
  const answer = runProgram(command, new Uint8Array(), { timeout: 1.5 });
  await new Promise((resolve) => setTimeout(resolve)); // it is started
  for (const begun = performance.now(); performance.now() - begun < 2000;); // as if the computer slept
  assertEquals(new TextDecoder().decode(await answer).trim(), "1");
});
