import { assertEquals } from "@std/assert";
import { completions, type Shell } from "../../lib/cli/completions.ts";
import { completionsCommand } from "../../lib/commands/completions.ts";
import { labwire, programCommand } from "./run.ts";

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

/** Types lines and TAB into a real shell: what each line becomes, and what is offered. */
async function session(
  shell: Shell,
  script: string,
  lines: readonly string[],
  options: Deno.CommandOptions,
): Promise<string[][]> {
  const program = new URL("../interop/shell_session.py", import.meta.url).pathname;
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, script);
    return JSON.parse(await output("python3", [program, shell, file, ...lines], options));
  } finally {
    await Deno.remove(file);
  }
}

/** What a real shell offers behind each line, sorted. */
async function candidates(
  shell: Shell,
  lines: string[],
  env: Record<string, string>,
): Promise<string[][]> {
  const folder = await Deno.makeTempDir();
  try {
    for (const file of ["one.js", "two words.js"]) {
      await Deno.writeTextFile(`${folder}/${file}`, "");
    }
    if (shell === "fish") {
      return await Promise.all(lines.map((line) => askFish(line, { cwd: folder, env })));
    }
    const told = await session(shell, completions(shell), lines, { cwd: folder, env });
    return told.map(([_line, ...words]) => words.map((word) => word.replace(/\\/g, "")).sort());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function askFish(line: string, options: Deno.CommandOptions): Promise<string[]> {
  const ask = ["-C", completions("fish"), "-c", 'complete -C "$argv[1]"', line];
  const rows = (await output("fish", ["--no-config", ...ask], options)).trimEnd().split("\n");
  return rows.filter((row) => row !== "").map((row) => row.split("\t")[0]!).sort();
}

/** Calls a function with a folder that is first on PATH, in which `labwire` is the command line that is given. */
async function withLabwire<T>(
  [program, args]: [string, string[]],
  use: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  // Deno has its cache at home, and a test may have a home of its own.
  const home = Deno.env.get("HOME") ?? "";
  const words = [program, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  try {
    await Deno.writeTextFile(
      `${folder}/labwire`,
      `#!/bin/sh\nHOME='${home}' exec ${words.join(" ")} "$@"\n`,
    );
    await Deno.chmod(`${folder}/labwire`, 0o755);
    return await use({ PATH: `${folder}:${Deno.env.get("PATH")}` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The program with commands of every form there can be. */
const testProgram: [string, string[]] = [
  Deno.execPath(),
  ["run", "-A", "--quiet", new URL("completion_program.ts", import.meta.url).pathname],
];
const globals = ["--debug", "--help", "--quiet", "--version"];
const files = ["one.js", "two words.js"];
const expected: [line: string, words: string[]][] = [
  ["labwire ", ["ask", "completions", "help", "line", "pair", "plain"]],
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
  ["labwire help ", ["ask", "completions", "line", "pair", "plain"]],
  ["labwire help pair ", ["pack", "unpack"]],
  ["labwire nosuch ", []],
  ["labwire help nosuch ", []],
  ["labwire pair pack --note 127.0.0.1:1 --mode ", ["fast", "safe"]],
  ["labwire pair pack --note a=b:c@d s: ", files],
  ["labwire pair pack --note=a=b: --input ", files],
  ["labwire pair pack --note 'a b' one t", ["two words.js"]],
  ["labwire ask ge", ["get volt", "get:volt"]],
];

for (const shell of ["bash", "zsh", "fish"] as const) {
  const missing = !isInstalled(shell) || !isInstalled("python3");
  const needs = missing ? ` (needs ${shell} and python3)` : "";

  Deno.test({
    name: `completions() makes ${shell} offer commands, options, values and files${needs}`,
    ignore: missing,
    fn: async () => {
      const lines = expected.map(([line]) => line);
      const found = await withLabwire(testProgram, (env) => candidates(shell, lines, env));
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
      assertEquals(stdout, `${completions(shell)}\n`);
      const found = await withLabwire(programCommand(), (env) => candidates(shell, lines, env));
      assertEquals(found.map((words) => words.map((word) => word.replace("--output=", ""))), [
        [
          ...["villas-convert", "villas-echo", "villas-pipe"],
          ...["villas-replay", "villas-scope", "villas-signal"],
        ],
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
      const { examples } = completionsCommand;
      const line = examples.find(({ text }) => text.startsWith(shell))!.command;
      const home = await Deno.makeTempDir();
      try {
        await withLabwire(testProgram, async ({ PATH }) => {
          const env = { HOME: home, PATH: PATH!, TERM: "dumb" };
          const options = { cwd: home, clearEnv: true, env, stdin: "null" } as const;
          if (file === undefined) await output(shell, ["-c", line], options);
          else await Deno.writeTextFile(`${home}/${file}`, `${line}\n`);
          assertEquals(await output(shell, ["-i", "-c", ask], options), answer);
        });
      } finally {
        await Deno.remove(home, { recursive: true });
      }
    },
  });
}

/**
 * What a line becomes by TAB, after the keys for going left where there are some. Of a word, readline replaces only what is
 * behind the last of COMP_WORDBREAKS.
 */
const completed = [
  ["labwire pair pack one dir/at:no", "labwire pair pack one dir/at:noon.js "],
  ["labwire pair pack one on@", "labwire pair pack one on@site.js "],
  ["labwire pair pack --input dir/at:", "labwire pair pack --input dir/at:noon.js "],
  ["labwire pair pack --input=dir/at:noo", "labwire pair pack --input=dir/at:noon.js "],
  ['labwire pair pack "--input=tw', 'labwire pair pack "--input=two words.js" '],
  ["labwire pair pack one two\\ ", "labwire pair pack one two\\ words.js "],
  ["labwire pair pack --mode=s", "labwire pair pack --mode=safe "],
  ["labwire pair pack --mode 's", "labwire pair pack --mode 'safe' "],
  ["labwire pair pack --mode=s x\x02\x02", "labwire pair pack --mode=safe x"],
  ["labwire pair pack --note=a:b --mode=", "labwire pair pack --note=a:b --mode="],
  ["labwire ask get:", "labwire ask get:volt "],
  ["labwire ask get\\ v", "labwire ask get\\ volt "],
  ['labwire ask "get v', 'labwire ask "get volt" '],
  ["labwire ask \\$", "labwire ask \\$set "],
  ["labwire ask --unit=m", "labwire ask --unit=mV "],
] as const;

const sessions: [shell: "bash" | "zsh", breaks: string, note: string][] = [
  ["bash", "", ""],
  [
    "bash",
    "COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]}\n",
    ", where readline splits no words at colons",
  ],
  ["zsh", "", ""],
];

for (const [shell, breaks, note] of sessions) {
  const missing = !isInstalled(shell) || !isInstalled("python3");
  Deno.test({
    name: `completions() makes ${shell} complete words with colons, spaces and quotes${note}${
      missing ? ` (needs ${shell} and python3)` : ""
    }`,
    ignore: missing,
    fn: async () => {
      const folder = await Deno.makeTempDir();
      try {
        await Deno.mkdir(`${folder}/dir`);
        for (const file of ["dir/at:noon.js", "on@site.js", "two words.js"]) {
          await Deno.writeTextFile(`${folder}/${file}`, "");
        }
        const lines = completed.map(([line]) => line);
        const told = await withLabwire(
          testProgram,
          (env) => session(shell, breaks + completions(shell), lines, { cwd: folder, env }),
        );
        assertEquals(
          // bash writes "\@" in the names of files, and zsh a space too much in the middle of a line.
          told.map(([line]) => line!.replace("\\@", "@").replace("  ", " ")),
          completed.map(([, line]) => line),
        );
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const noZsh = !isInstalled("zsh") || !isInstalled("python3");
Deno.test({
  name: `completions() makes zsh say what words and options mean${
    noZsh ? " (needs zsh and python3)" : ""
  }`,
  ignore: noZsh,
  fn: async () => {
    const told = await withLabwire(
      testProgram,
      (env) =>
        session("zsh", completions("zsh"), ["labwire pl", "labwire line --deep"], {
          env: { ...env, DESCRIBED: "1" },
        }),
    );
    assertEquals(told.map((words) => words.at(-1)), [
      "plain  -- it's [plain]: no options",
      "--deep-option  -- a 'flag'",
    ]);
  },
});

Deno.test("labwire completions refuses a shell it does not know", async () => {
  const { code, stdout, stderr } = await labwire(["completions", "fich"]);
  assertEquals([code, stdout], [2, ""]);
  assertEquals(
    stderr,
    'error: Cannot read SHELL "fich": expected one of bash, zsh, fish, powershell; did you mean "fish"?\n',
  );
});
