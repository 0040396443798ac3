/**
 * Tries an executable on the system that it is for: `deno task smoke FILE`. Its version, Lab 19, a JSON command and its
 * answer, a struct there and back. A release is published only if this works on every platform.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import { UsageError } from "../errors.ts";
import { executablePath, runScript } from "./script.ts";
import { targets } from "./targets.ts";

const LIMIT = AbortSignal.timeout(120_000);

/** Runs the executable to its end, which has to be a good one, and returns its standard output. */
async function run(executable: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(executable, { args, signal: LIMIT })
    .output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new Error(`"${args.join(" ")}" ended with ${code}:\n${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

function expect(what: string, text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Error(`${what}: expected ${pattern}, got:\n${text}`);
  console.log(`ok  ${what}`);
}

/** Starts a JSON server on a free port, sends it a command and ends it. */
async function tryJson(executable: string): Promise<void> {
  const server = new Deno.Command(executable, {
    args: ["json-server", "--port", "0"],
    stdout: "null",
    stderr: "piped",
    signal: LIMIT,
  }).spawn();
  try {
    let said = "";
    const reader = server.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let port: string | undefined;
    while (port === undefined) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`The JSON server ended:\n${said}`);
      said += value;
      port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    }
    const answer = await run(executable, ["json-client", "--port", port, "test_command", "x:=1"]);
    expect("json-client and json-server", answer, /success/);
    await reader.cancel();
  } finally {
    server.kill();
    await server.status;
  }
}

async function smoke(args: readonly string[]): Promise<void> {
  const [file] = args;
  if (file === undefined || args.length > 1) {
    throw new UsageError("Cannot try an executable: expected the name of one file");
  }
  const executable = await executablePath(file);
  const version = await run(executable, ["--version"]);
  expect("version", version, new RegExp(`^labwire ${config.version.replaceAll(".", "\\.")}$`, "m"));
  expect("commit", version, /^commit [0-9a-f]{12}\+?$/m);
  const target = targets.find((target) => executable.includes(target)) ?? Deno.build.target;
  expect("target", version, new RegExp(`^target ${target}$`, "m"));
  expect("lab19", await run(executable, ["lab19"]), /^node {4}\d+\.\d{9}.*\(2\)\t/m);
  await tryJson(executable);
  const packed = (await run(executable, ["struct-line", "pack", "!I5sd", "3", "hello", "0.5"]))
    .trim();
  expect("struct-line pack", packed, /^0000000368656c6c6f3fe0000000000000$/);
  const unpacked = await run(executable, ["struct-line", "unpack", "!I5sd", packed]);
  expect("struct-line unpack", unpacked, /^\[3, ?"hello", ?0\.5\]$/m);
}

if (import.meta.main) await runScript(smoke);
