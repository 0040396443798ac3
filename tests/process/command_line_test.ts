import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { splitCommandLine } from "../../lib/process/command_line.ts";

const POSIX: [string, string[]][] = [
  ["prog", ["prog"]],
  ["  prog \t a\nb  ", ["prog", "a", "b"]],
  [`python3 'my script.py' "two words"`, ["python3", "my script.py", "two words"]],
  [`p a"b c"'d e'f`, ["p", "ab cd ef"]],
  [`p "" ''`, ["p", "", ""]],
  [String.raw`p a\ b \"q\" \\`, ["p", "a b", '"q"', "\\"]],
  [String.raw`p "\"\\\$\n" '\n'`, ["p", String.raw`"\$\n`, String.raw`\n`]],
  ["p a\\", ["p", "a\\"]],
  ["p | cat > $HOME/*; x", ["p", "|", "cat", ">", "$HOME/*;", "x"]],
];

const WINDOWS: [string, string[]][] = [
  [String.raw`C:\lab\run.exe a`, [String.raw`C:\lab\run.exe`, "a"]],
  [String.raw`py C:\data\ next`, ["py", "C:\\data\\", "next"]],
  [String.raw`py "C:\Program Files\x.py"`, ["py", String.raw`C:\Program Files\x.py`]],
  [String.raw`py "C:\Program Files\\" b`, ["py", "C:\\Program Files\\", "b"]],
  [String.raw`\\server\share\x.exe`, [String.raw`\\server\share\x.exe`]],
  [String.raw`py "say \"hi\""`, ["py", 'say "hi"']],
  [String.raw`py 'my file.py' C:\Users\O'Brien\x`, [
    "py",
    "my file.py",
    String.raw`C:\Users\O'Brien\x`,
  ]],
];

Deno.test("splitCommandLine() splits as a POSIX shell does", () => {
  for (const [text, words] of POSIX) {
    assertEquals(splitCommandLine(text, { windows: false }), words, text);
  }
});

Deno.test("splitCommandLine() keeps the backslashes of Windows paths", () => {
  for (const [text, words] of WINDOWS) {
    assertEquals(splitCommandLine(text, { windows: true }), words, text);
  }
});

Deno.test("splitCommandLine() agrees with Python's shlex on random command lines", async () => {
  const alphabet = ["a", "b", " ", "\t", '"', "'", "\\", "x y", '"q r"', "'s t'"];
  let state = 12345;
  const random = (n: number) => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n;
  const texts = Array.from(
    { length: 2000 },
    () => "p" + Array.from({ length: random(9) }, () => alphabet[random(10)]).join(""),
  );
  const script = "import json,shlex,sys\n" +
    "def f(t):\n try: return shlex.split(t)\n except ValueError: return None\n" +
    "print(json.dumps([f(t) for t in json.loads(sys.argv[1])]))";
  const { stdout } = await new Deno.Command("python3", {
    args: ["-c", script, JSON.stringify(texts)],
  }).output();
  const expected: (string[] | null)[] = JSON.parse(new TextDecoder().decode(stdout));
  let compared = 0;
  for (const [i, text] of texts.entries()) {
    // A backslash with nothing behind it is a fault for shlex and a backslash here.
    if (/\\$/.test(text)) continue;
    let words: string[] | null = null;
    try {
      words = splitCommandLine(text, { windows: false });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
    assertEquals(words, expected[i], text);
    compared++;
  }
  assertEquals(compared > 1000, true);
});

Deno.test("splitCommandLine() rejects an empty command and an open quote", () => {
  assertThrows(() => splitCommandLine("  "), UsageError, `Cannot read command line "  "`);
  assertThrows(() => splitCommandLine(`""`), UsageError, `expected "PROGRAM ARG…"`);
  assertThrows(
    () => splitCommandLine(`prog "a b`, { windows: false }),
    UsageError,
    'the " at character 6 is not closed',
  );
});
