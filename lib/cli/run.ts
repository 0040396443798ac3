import {
  CodecError,
  ConnectError,
  messageOf,
  RemoteError,
  stackOf,
  UsageError,
} from "../errors.ts";
import { nearest, suggestions } from "../nearest.ts";
import type { Command, Registry } from "./command.ts";
import { commandHelp, familyHelp, programHelp } from "./help.ts";
import { Output } from "./output.ts";
import { globalOptions, parseOptions } from "./parse.ts";
import { Reporter } from "./reporter.ts";
import { interruption } from "./signals.ts";
import { versionText } from "./version.ts";

/** The hidden command that the scripts of `labwire completions` call. */
const COMPLETE = "__complete";

/** How long output may still take after Ctrl-C, in ms. */
const FLUSH_MS = 1000;

/** Exit code of each kind of error; any other is 1. */
const exitCodes: readonly [new (message: string) => Error, number][] = [
  [UsageError, 2],
  [RemoteError, 3],
  [ConnectError, 4],
  [CodecError, 5],
];

/**
 * Runs the program.
 *
 * @param argv The command line.
 * @param registry The commands there are.
 * @param exit Ends the process at once, for a second Ctrl-C.
 * @returns The exit code.
 */
export async function run(
  argv: readonly string[],
  registry: Registry,
  exit: (code: number) => void,
): Promise<number> {
  const before = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const debug = before.includes("--debug");
  const quiet = before.includes("--quiet") || before.includes("-q");
  const say = new Reporter(Deno.stderr, { quiet, colour: !Deno.env.get("NO_COLOR") });
  const stop = interruption(exit);
  let unwritten: unknown;
  const onBroken = (error: unknown) => {
    unwritten = error;
    stop.abort();
  };
  const out = new Output(Deno.stdout, onBroken, () => say.clearLive());
  // A user's module that forgets to await, or throws in a timer, must not end a server.
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    say.throttled("rejection", `Nobody handled a rejected promise: ${textOf(event.reason, debug)}`);
  };
  const onThrown = (event: ErrorEvent) => {
    event.preventDefault();
    say.throttled("thrown", `Nobody handled an error: ${textOf(event.error, debug)}`);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onThrown);
  try {
    const code = await dispatch(argv, registry, { out, say, stop, debug, quiet });
    await flush(out, stop.signal);
    // A reader that goes away, as head does, has had enough; anything else has lost data.
    if (unwritten === undefined || unwritten instanceof Deno.errors.BrokenPipe) return code;
    throw new Error(`Cannot write to standard output: ${textOf(unwritten, false)}`);
  } catch (error) {
    await flush(out, stop.signal);
    say.error(textOf(error, debug));
    return exitCodes.find(([kind]) => error instanceof kind)?.[1] ?? 1;
  } finally {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onThrown);
    stop.release();
  }
}

/** What an error says; with its stack where that is wanted. */
function textOf(error: unknown, debug: boolean): string {
  return debug ? stackOf(error) : messageOf(error);
}

/** Waits until everything is written, but after Ctrl-C not for a reader that does not read. */
async function flush(out: Output, signal: AbortSignal): Promise<void> {
  const patience = new Promise<void>((resolve) => {
    const give = () => setTimeout(resolve, FLUSH_MS);
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
  await Promise.race([out.flush(), patience]);
}

interface World {
  out: Output;
  say: Reporter;
  stop: ReturnType<typeof interruption>;
  debug: boolean;
  quiet: boolean;
}

async function dispatch(
  argv: readonly string[],
  registry: Registry,
  world: World,
): Promise<number> {
  const { out, say, stop, debug, quiet } = world;
  if (argv[0] === COMPLETE) {
    const { complete } = await import("./complete.ts");
    for (const line of await complete(argv.slice(1), registry)) out.line(line);
    return 0;
  }
  const all = () => Promise.all(Object.values(registry).map((load) => load()));
  const { words, family, rest } = takeCommand(argv, registry);
  if (family !== undefined) {
    out.line(familyHelp(family, (await all()).filter(({ name }) => name.startsWith(`${family} `))));
    return 0;
  }
  if (words === undefined) {
    const { options, args } = parseOptions(globalOptions, rest);
    if (options.version) out.line(versionText());
    else if (options.help) out.line(programHelp(await all()));
    else if (args.length === 0) {
      say.error("Cannot tell what to do: expected a command");
      say.info(programHelp(await all()));
      return 2;
    } else throw unknownCommand(args[0]!, registry);
    return 0;
  }
  const command = await registry[words]!();
  const { options, args, given } = parseOptions({ ...command.options, ...globalOptions }, rest);
  if (options.help || options.version) {
    out.line(options.help ? commandHelp(command) : versionText());
    return 0;
  }
  checkArguments(command, args);
  stop.listen();
  const { signal } = stop;
  return await command.run(
    { out, say, signal, debug, quiet, stdin: Deno.stdin, given },
    options,
    args,
  ) ?? 0;
}

/**
 * Splits off the command, one word or two, wherever global options stand; `help COMMAND` is `COMMAND --help`. With `--help`, the
 * first word of several commands is enough.
 */
function takeCommand(
  argv: readonly string[],
  registry: Registry,
): { words?: string; family?: string; rest: readonly string[] } {
  const at = argv.findIndex((arg) => !arg.startsWith("-"));
  if (at < 0) return { rest: argv };
  const before = argv.slice(0, at);
  const [first, second] = [argv[at]!, argv[at + 1]];
  if (first === "help" && !(first in registry)) {
    if (second === undefined) return { rest: ["--help"] };
    return takeCommand([...argv.slice(at + 1), "--help"], registry);
  }
  const two = `${first} ${second}`;
  if (Object.hasOwn(registry, two)) return { words: two, rest: [...before, ...argv.slice(at + 2)] };
  if (Object.hasOwn(registry, first)) {
    return { words: first, rest: [...before, ...argv.slice(at + 1)] };
  }
  const family = Object.keys(registry).filter((name) => name.startsWith(`${first} `));
  if (family.length > 0) {
    if (argv.includes("--help") || argv.includes("-h")) return { family: first, rest: [] };
    const words = family.map((name) => name.slice(first.length + 1));
    const near = nearest(second ?? "", words);
    throw new UsageError(
      `Cannot run "labwire ${[first, second].join(" ").trim()}": expected ${first} ${
        words.join("|")
      }` +
        (near === undefined ? "" : `; did you mean "${first} ${near}"?`),
    );
  }
  throw unknownCommand(first, registry);
}

function unknownCommand(word: string, registry: Registry): UsageError {
  const names = Object.keys(registry);
  // The first word of several commands stands for all of them, unless more was meant.
  const families = new Set(names.map((name) => name.split(" ")[0]!));
  const starts = suggestions(word, families);
  const near = starts.length > 0 ? starts : suggestions(word, names);
  const last = near.pop();
  const others = near.map((name) => `"${name}"`).join(", ");
  return new UsageError(
    `Unknown command "${word}": ` +
      (last === undefined
        ? "see labwire --help for those there are"
        : `did you mean ${others === "" ? "" : `${others} or `}"${last}"?`),
  );
}

function checkArguments(command: Command, args: readonly string[]): void {
  const positionals = command.positionals ?? [];
  const missing = positionals.find((positional, i) => positional.required && args[i] === undefined);
  if (missing) {
    throw new UsageError(`Cannot run ${command.name}: expected ${missing.name} (${missing.help})`);
  }
  if (args.length > positionals.length && !positionals.at(-1)?.variadic) {
    throw new UsageError(`Unexpected argument "${args[positionals.length]}" of ${command.name}`);
  }
  for (const [i, arg] of args.entries()) {
    const { choices, name } = positionals[Math.min(i, positionals.length - 1)]!;
    if (choices && !choices.includes(arg)) {
      const near = nearest(arg, choices);
      throw new UsageError(
        `Cannot read ${name} "${arg}": expected one of ${choices.join(", ")}` +
          (near === undefined ? "" : `; did you mean "${near}"?`),
      );
    }
  }
}
