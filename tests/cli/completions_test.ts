import { assertEquals } from "@std/assert";
import { type Command, defineCommand } from "../../lib/cli/command.ts";
import { completions, type Shell } from "../../lib/cli/completions.ts";
import { completionsCommand } from "../../lib/commands/completions.ts";
import { choice, file, flag, text } from "../../lib/cli/options.ts";
import { labwire } from "./run.ts";

/** Runs a program and returns what it prints. */
async function output(
  program: string,
  args: string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const result = await new Deno.Command(program, { args, ...options }).output();
  const decoder = new TextDecoder();
  if (!result.success) throw new Error(decoder.decode(result.stderr));
  return decoder.decode(result.stdout);
}

function isInstalled(program: string): boolean {
  if (Deno.build.os === "windows") return false; // bash is there, but no terminal for it to run in
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** What a real shell offers behind each line, sorted. */
async function candidates(shell: Shell, script: string, lines: string[]): Promise<string[][]> {
  const folder = await Deno.makeTempDir();
  const name = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(name, script);
    for (const file of ["one.js", "two words.js"]) {
      await Deno.writeTextFile(`${folder}/${file}`, "");
    }
    if (shell === "fish") {
      const found = await Promise.all(
        lines.map((line) =>
          output("fish", [
            "--no-config",
            "-c",
            'source $argv[1]; complete -C "$argv[2]"',
            name,
            line,
          ], { cwd: folder })
        ),
      );
      return found.map((text) =>
        text.split("\n").filter((row) => row !== "").map((row) => row.split("\t")[0]!).sort()
      );
    }
    const session = new URL("../interop/shell_session.py", import.meta.url).pathname;
    const told: string[][] = JSON.parse(
      await output("python3", [session, shell, name, ...lines], { cwd: folder }),
    );
    // Where nothing else can follow, zsh offers the options.
    const isOption = (word: string, i: number) => word.startsWith("-") && lines[i]!.endsWith(" ");
    return told.map(([_line, ...words], i) =>
      words.filter((word) => !isOption(word, i)).map((word) => word.replace(/\\/g, "")).sort()
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(name);
  }
}

const run = () => Promise.resolve();
const examples = [] as const;
/** Commands of every form there can be. */
const commands: Command[] = [
  defineCommand({ name: "plain", summary: "it's [plain]: no options", options: {}, examples, run }),
  defineCommand({
    name: "line",
    summary: "a command that is the first word of others too",
    positionals: [{ name: "FORMAT", help: "a format", choices: ["alpha", "beta"] }],
    options: { deepOption: flag({ help: "a 'flag'" }) },
    examples,
    run,
  }),
  defineCommand({
    name: "pair pack",
    summary: "pack",
    positionals: [{ name: "TEXT", help: "any" }, {
      name: "FILE",
      help: "files",
      isFile: true,
      variadic: true,
    }],
    options: {
      mode: choice(["fast", "safe"], { help: "how: quick [or] not" }),
      input: file({ help: "what" }),
      note: text({ help: "anything" }),
    },
    examples,
    run,
  }),
  defineCommand({ name: "pair unpack", summary: "unpack", options: {}, examples, run }),
];
const globals = ["--debug", "--help", "--quiet", "--version"];
const files = ["one.js", "two words.js"];
const expected: [line: string, words: string[]][] = [
  ["labwire ", ["help", "line", "pair", "plain"]],
  ["labwire pl", ["plain"]],
  ["labwire --quiet p", ["pair", "plain"]],
  ["labwire --", globals],
  ["labwire line --d", ["--debug", "--deep-option"]],
  ["labwire line ", ["alpha", "beta"]],
  ["labwire line --deep-option a", ["alpha"]],
  ["labwire line alpha ", []],
  ["labwire pair ", ["pack", "unpack"]],
  ["labwire pair pack --m", ["--mode"]],
  ["labwire pair pack --mode ", ["fast", "safe"]],
  ["labwire pair pack --mode fast --input ", files],
  ["labwire pair pack --note pair --mode s", ["safe"]],
  ["labwire pair pack --note ", []],
  ["labwire pair pack ", []],
  ["labwire pair pack one ", files],
  ["labwire pair pack one two three t", ["two words.js"]],
  ["labwire help ", ["line", "pair", "plain"]],
  ["labwire help pair ", ["pack", "unpack"]],
  ["labwire nosuch ", []],
  ["labwire help nosuch ", []],
  ["labwire pair pack --note 127.0.0.1:1 --mode ", ["fast", "safe"]],
  ["labwire pair pack --note a=b:c@d s: ", files],
  ["labwire pair pack --note=a=b: --input ", files],
];

for (const shell of ["bash", "zsh", "fish"] as const) {
  const missing = !isInstalled(shell) || !isInstalled("python3");
  const needs = missing ? ` (needs ${shell} and python3)` : "";

  Deno.test({
    name: `completions() makes ${shell} offer commands, options, values and files${needs}`,
    ignore: missing,
    fn: async () => {
      const found = await candidates(
        shell,
        completions(shell, commands),
        expected.map(([line]) => line),
      );
      assertEquals(found.map((words, i) => [expected[i]![0], words]), expected);
    },
  });

  Deno.test({
    name: `labwire completions ${shell} offers a value behind an equals sign, and handlers${needs}`,
    ignore: missing,
    fn: async () => {
      const { code, stdout, stderr } = await labwire(["completions", shell]);
      assertEquals([code, stderr], [0, ""]);
      const lines = [
        "labwire villas-",
        "labwire villas-echo --output=",
        "labwire villas-echo --listen 0.0.0.0:1 --layer u",
        "labwire villas-echo --handler o",
        "labwire completions f",
      ];
      const found = await candidates(shell, stdout, lines);
      assertEquals(found.map((words) => words.map((word) => word.replace("--output=", ""))), [
        ["villas-echo", "villas-signal"],
        ["json", "none", "text", "villas.human"],
        ["udp", "unix"],
        ["one.js"],
        ["fish"],
      ]);
    },
  });
}

/** For each shell, the file that it reads at the start and how to ask it then; fish runs the line itself. */
const fresh = {
  bash: { file: ".bashrc", ask: "complete -p labwire", answer: "complete -F _labwire labwire\n" },
  zsh: { file: ".zshrc", ask: "print -r -- $_comps[labwire]", answer: "_labwire\n" },
  fish: {
    file: undefined,
    ask: "complete -C 'labwire pl'",
    answer: "plain\tit's [plain]: no options\n",
  },
} as const;

for (const [shell, { file, ask, answer }] of Object.entries(fresh)) {
  const missing = !isInstalled(shell);
  Deno.test({
    name: `labwire completions tells a line that works for a new user of ${shell}${
      missing ? ` (needs ${shell})` : ""
    }`,
    ignore: missing,
    fn: async () => {
      const { examples } = completionsCommand(() => Promise.resolve(commands));
      const line = examples.find(({ text }) => text.startsWith(shell))!.command;
      const home = await Deno.makeTempDir();
      try {
        await Deno.writeTextFile(`${home}/script`, completions(shell as Shell, commands));
        await Deno.writeTextFile(`${home}/labwire`, '#!/bin/sh\ncat "$HOME/script"\n');
        await Deno.chmod(`${home}/labwire`, 0o755);
        const env = { HOME: home, PATH: `${home}:${Deno.env.get("PATH")}`, TERM: "dumb" };
        const options = { cwd: home, clearEnv: true, env, stdin: "null" } as const;
        if (file === undefined) await output(shell, ["-c", line], options);
        else await Deno.writeTextFile(`${home}/${file}`, `${line}\n`);
        assertEquals(await output(shell, ["-i", "-c", ask], options), answer);
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  });
}

const noBash = !isInstalled("bash") || !isInstalled("python3");
/** What a line becomes by TAB; readline replaces what is behind the last of COMP_WORDBREAKS only. */
const completed = [
  ["labwire pair pack one dir/at:no", "labwire pair pack one dir/at:noon.js "],
  ["labwire pair pack --input dir/at:", "labwire pair pack --input dir/at:noon.js "],
  ["labwire pair pack --input=dir/at:noo", "labwire pair pack --input=dir/at:noon.js "],
  ["labwire pair pack --mode=s", "labwire pair pack --mode=safe "],
  ["labwire pair pack --note=a:b --mode=", "labwire pair pack --note=a:b --mode="],
] as const;

for (const breaks of ["", "COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]}\n"]) {
  Deno.test({
    name: `completions() makes bash complete words with colons${
      breaks === "" ? "" : ", where readline does not split them too"
    }${noBash ? " (needs bash and python3)" : ""}`,
    ignore: noBash,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.mkdir(`${folder}/dir`);
        await Deno.writeTextFile(`${folder}/dir/at:noon.js`, "");
        await Deno.writeTextFile(`${folder}/script`, breaks + completions("bash", commands));
        const session = new URL("../interop/shell_session.py", import.meta.url).pathname;
        const lines = completed.map(([line]) => line);
        const told: string[][] = JSON.parse(
          await output("python3", [session, "bash", "script", ...lines], { cwd: folder }),
        );
        assertEquals(told.map(([line]) => line), completed.map(([, line]) => line));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test("labwire completions refuses a shell it does not know", async () => {
  const { code, stdout, stderr } = await labwire(["completions", "fich"]);
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    'error: Cannot read SHELL "fich": expected one of bash, zsh, fish, powershell; did you mean "fish"?\n',
  );
});
