import { fileURLToPath } from "node:url";
import { programCommand } from "../cli/run.ts";
import { Terminals } from "./terminals.ts";

const [config, lock] = ["deno.json", "deno.lock"].map((name) =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url))
) as [string, string];

/** A computer for one document: an empty folder, `labwire` on the PATH, terminals. */
export interface World extends AsyncDisposable {
  /** The folder in which commands are typed. */
  readonly folder: string;
  /** Where they are typed. */
  readonly terminals: Terminals;
}

/** Makes a computer for one document. */
export async function makeWorld(): Promise<World> {
  const root = await Deno.makeTempDir({ prefix: "labwire-guide-" });
  const [folder, bin] = [`${root}/folder`, `${root}/bin`];
  await Deno.mkdir(folder);
  await Deno.mkdir(bin);
  // Several at once would fight for the cache of compiled code, and say so.
  const labwire = programCommand().flat().flatMap((word) =>
    word === "--quiet" ? [word, "--no-code-cache"] : [word]
  );
  await program(`${bin}/labwire`, labwire);
  // A program with the library finds this one, and what it needs: in the versions that are there, as there is no network.
  await Deno.copyFile(lock, `${root}/deno.lock`);
  const deno = ["run", "test"].map((word) =>
    `${word}) shift; set -- ${word} --lock ${quote(`${root}/deno.lock`)} --config ${
      quote(config)
    } "$@";;`
  );
  await program(`${bin}/deno`, [Deno.execPath()], `case $1 in ${deno.join(" ")} esac`);
  const env = {
    PATH: `${bin}:${Deno.env.get("PATH")}`,
    HOME: folder,
    DENO_DIR: await denoFolder(),
    NO_COLOR: "1",
    TERM: "xterm",
    // One that a computer does not have would make bash warn before each line.
    LC_ALL: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const terminals = new Terminals({ cwd: folder, env });
  return {
    folder,
    terminals,
    async [Symbol.asyncDispose]() {
      await terminals[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** Writes a program that runs another one. */
async function program(path: string, command: readonly string[], before = ""): Promise<void> {
  const line = `exec ${command.map(quote).join(" ")} "$@"`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${before}\n${line}\n`, { mode: 0o755 });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Where Deno keeps what it has downloaded; it looks in HOME otherwise. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
