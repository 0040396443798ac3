import { assertEquals } from "@std/assert";
import { complete } from "../../lib/cli/complete.ts";
import { registry } from "./completion_program.ts";
import { labwire } from "./run.ts";

/** The words before the cursor and the one there, and what is printed; of words without what they mean. */
const answers: [line: string[], lines: string[]][] = [
  [[""], ["words", "plain", "line", "pair", "ask", "completions", "help"]],
  [["--quiet", "p"], ["words", "plain", "line", "pair", "ask", "completions", "help"]],
  [["-"], ["words", "--help", "--version", "--debug", "--quiet", "-h", "-V", "-q"]],
  [["pair", ""], ["words", "pack", "unpack"]],
  [["help", ""], ["words", "plain", "line", "pair", "ask", "completions"]],
  [["help", "pair", ""], ["words", "pack", "unpack"]],
  [["help", "line", ""], ["words"]],
  [["help", "line", "-"], ["words"]],
  [["plain", ""], ["words"]],
  [["nosuch", ""], ["words"]],
  [["nosuch", "--"], ["words"]],
  [["pair", "nosuch", ""], ["words"]],
  [["line", ""], ["words", "alpha", "beta"]],
  [["line", "-1", ""], ["words"]],
  [["line", "--", "-"], ["words", "alpha", "beta"]],
  [["line", "alpha", ""], ["words"]],
  [["pair", "pack", "--mode", ""], ["words", "fast", "safe"]],
  [["pair", "pack", "--mode="], ["words", "--mode=fast", "--mode=safe"]],
  [["pair", "pack", "--note", "--", "--mode", ""], ["words", "fast", "safe"]],
  [["pair", "pack", "--", "--mode", ""], ["files\t"]],
  [["pair", "pack", "--note", ""], ["words"]],
  [["pair", "pack", "--input="], ["files\t--input="]],
  [["pair", "pack", "--nosuch="], [
    "words",
    ...["--mode", "--input", "--note", "--help", "--version", "--debug", "--quiet"],
    ...["-h", "-V", "-q"],
  ]],
  [["pair", "pack", "one", "two", ""], ["files\t"]],
  [["ask", "--unit", "V", "g"], ["words", "get volt", "get:volt", "$set", "behind---unit-V-g"]],
  [["ask", "--unit="], ["words", "--unit=V", "--unit=mV"]],
  [["ask", "one", ""], ["words"]],
  [["ask", "one", "two", ""], ["words"]],
];

for (const [line, lines] of answers) {
  Deno.test(`complete() knows what may stand at the end of ${JSON.stringify(line)}`, async () => {
    const found = await complete([`${line.length - 1}`, ...line], registry);
    assertEquals(
      found.map((line) => line.startsWith("files") ? line : line.replace(/\t.*/, "")),
      lines,
    );
  });
}

Deno.test("complete() tells what words and options mean", async () => {
  assertEquals((await complete(["0", "pl"], registry))[1], "plain\tit's [plain]: no options");
  assertEquals((await complete(["1", "line", "-"], registry))[1], "--deep-option\ta 'flag'");
  assertEquals((await complete(["0"], registry))[3], "pair\tpair commands");
});

Deno.test("complete() needs no last word where it is empty, and looks at none behind it", async () => {
  assertEquals(await complete(["1", "line"], registry), ["words", "alpha", "beta"]);
  assertEquals(await complete(["1", "line", "", "nosuch"], registry), ["words", "alpha", "beta"]);
});

Deno.test("complete() offers nothing where a command cannot be loaded", async () => {
  const broken = { line: () => Promise.reject(new Error("broken")) };
  assertEquals(await complete(["1", "line", ""], broken), ["words"]);
});

for (
  const args of [[], ["x"], ["-1"], ["9", "a"], ["1", "--debug"], ["1", "villas-echo", "\x1b"]]
) {
  Deno.test(`labwire __complete ${JSON.stringify(args)} says nothing on stderr and exits with 0`, async () => {
    const { code, stdout, stderr } = await labwire(["__complete", ...args]);
    assertEquals([code, stderr, /^(words|files\t.*)\n/.test(stdout)], [0, "", true]);
  });
}

Deno.test("labwire __complete stands in no help and is suggested to nobody", async () => {
  assertEquals((await labwire(["--help"])).stdout.includes("__complete"), false);
  const { code, stderr } = await labwire(["_complete"]);
  assertEquals([code, stderr.includes("__complete")], [2, false]);
});
