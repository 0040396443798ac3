import { exit, exitCodeOf, messageOf, stackOf, UsageError } from "../errors.ts";
import { nearest, suggestions } from "../text/nearest.ts";
import { counted } from "../text/wording.ts";
import type { Clock } from "../time/clock.ts";
import { whenAborted } from "../time/lifecycle.ts";
import type { Command, Registry } from "./command.ts";
import type { Environment } from "./environment.ts";
import { commandHelp, familyHelp, programHelp } from "./help.ts";
import type { Context } from "./context.ts";
import { Output } from "./output.ts";
import { aliases, globalOptions, kebab, parseOptions } from "./parse.ts";
import { withPlace } from "../handlers/place.ts";
import { Reporter } from "./reporter.ts";
import { Interruption } from "./signals.ts";
import { versionText } from "./version.ts";

/** The hidden command that the scripts of `labwire completions` call. */
const COMPLETE = "__complete";

/** How long output may still take after Ctrl-C, in seconds. */
const FLUSH = 1;

/**
 * Runs the program.
 *
 * @param argv The command line.
 * @param environment The world around it.
 * @param registry The commands there are.
 * @returns The exit code.
 */
export async function run(
  argv: readonly string[],
  environment: Environment,
  registry: Registry,
): Promise<number> {
  const before = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const debug = before.includes("--debug");
  const quiet = before.includes("--quiet") || before.includes("-q");
  const { stdin, stdout, stderr, clock, columns } = environment;
  const colour = !isSet("NO_COLOR", environment);
  const say = new Reporter(stderr, { quiet, colour, now: clock.now, columns });
  const stop = new Interruption({ say, environment });
  let unwritten: unknown;
  const onBroken = (error: unknown) => {
    unwritten = error;
    stop.abort();
  };
  const out = new Output(stdout, { onBroken, before: () => say.clearLive(), colour });
  // A user's module that forgets to await, or throws in a timer, must not end a server.
  using _unhandled = environment.onUnhandled(({ kind, error }) => {
    const what = kind === "rejection" ? "Unhandled rejection" : "Unhandled error";
    say.throttled(kind, `${what}: ${thrownText(error, debug)}`);
  });
  try {
    const world = { out, say, stop, stdin, columns, debug };
    const code = await dispatch(argv, registry, world).catch((error) => {
      if (stop.signal.aborted && error === stop.signal.reason) return stop.code; // before it was done
      throw error;
    });
    say.tellHeld();
    if (code !== exit.done && code !== stop.code) say.giveReason();
    stop.describeOpenWork(() => "the reader of standard output", FLUSH);
    await flush(out, stop.signal, clock, say);
    if (unwritten === undefined) return code;
    // A reader that closes the pipe, as head does, wants no more; any other error has lost data.
    if (unwritten instanceof Deno.errors.BrokenPipe) return code === stop.code ? 0 : code;
    throw new Error(`Cannot write to standard output: ${textOf(unwritten, false)}`);
  } catch (error) {
    say.tellHeld();
    await flush(out, stop.signal, clock, say);
    say.error(textOf(error, debug));
    return exitCodeOf(error);
  } finally {
    stop.release();
  }
}

/** Whether an environment variable is set to something. */
function isSet(name: string, environment: Environment): boolean {
  try {
    return Boolean(environment.variable(name));
  } catch {
    return true; // it does, although not in UTF-8
  }
}

/** What an error says; with its stack where that is wanted. */
function textOf(error: unknown, debug: boolean): string {
  return debug ? stackOf(error) : messageOf(error);
}

/** The same with the place in the user's code, where it most likely comes from. */
function thrownText(error: unknown, debug: boolean): string {
  return debug ? stackOf(error) : withPlace(messageOf(error), error);
}

/** Waits until everything is written; after Ctrl-C a reader that does not read is not waited for long, and what it missed is told. */
async function flush(
  out: Output,
  signal: AbortSignal,
  clock: Clock,
  say: Reporter,
): Promise<void> {
  const late = Promise.withResolvers<boolean>();
  let forget = () => {};
  using _ = whenAborted(
    signal,
    () => forget = clock.wake(() => late.resolve(true), 1000 * FLUSH),
  );
  const isLate = await Promise.race([out.flush(), late.promise]);
  forget();
  if (!isLate) return;
  const { bytes, lines } = out.unwritten();
  if (bytes === 0) return;
  say.warn(
    `Standard output was not read: lost up to ${counted(lines, "line")} of it (${
      counted(bytes, "byte")
    })`,
  );
}

interface World extends Pick<Context, "out" | "say" | "stdin" | "columns" | "debug"> {
  stop: Interruption;
}

async function dispatch(
  argv: readonly string[],
  registry: Registry,
  world: World,
): Promise<number> {
  const { stop, ...shared } = world;
  const { out, say } = shared;
  if (argv[0] === COMPLETE) {
    const { complete } = await import("./complete.ts");
    for (const line of await complete(argv.slice(1), registry)) out.line(line);
    return 0;
  }
  const all = () => Promise.all(Object.values(registry).map((load) => load()));
  const { words, family, rest } = takeCommand(argv, registry);
  if (family !== undefined) {
    out.text(familyHelp(family, (await all()).filter(({ name }) => name.startsWith(`${family} `))));
    return 0;
  }
  if (words === undefined) {
    const { options, args } = parseOptions(globalOptions, rest);
    if (options.version) out.text(versionText());
    else if (options.help) out.text(programHelp(await all()));
    else if (args.length === 0) {
      say.error("Cannot run without a command: expected labwire COMMAND");
      say.text(programHelp(await all()));
      return exit.usage;
    } else throw unknownCommand(args[0]!, registry);
    return 0;
  }
  const command = await registry[words]!();
  const parsed = parseOptions(
    { ...command.options, ...globalOptions },
    rest,
    command.positionals?.some(({ isNumber }) => isNumber),
  );
  const { args, given } = parsed;
  // What is said to everybody is in the context: a command that hands its options on has none of another meaning among them.
  const { help, version, debug: _debug, quiet: _quiet, ...options } = parsed.options;
  const helping = help && args.length > 0 && command.help;
  if (!helping && (help || version)) {
    out.text(help ? commandHelp(command) : versionText());
    return 0;
  }
  checkArguments(command, args);
  const { grace, handler, record, recordSent } = options as {
    grace?: number;
    handler?: string;
    record?: string;
    recordSent?: string;
  };
  if (handler !== undefined) stop.describeOpenWork(() => "the handler to be loaded");
  const reopens = record !== undefined || recordSent !== undefined;
  await stop.listen({ grace, guarded: handler !== undefined, reopens });
  const { signal } = stop;
  const describeOpenWork = stop.describeOpenWork.bind(stop);
  const onReopen = stop.onReopen.bind(stop);
  const context = { ...shared, signal, describeOpenWork, onReopen, given };
  try {
    const code = await (helping ? command.help! : command.run)(context, options, args) ?? 0;
    return code === exit.interrupted ? stop.code : code;
  } catch (error) {
    throw withOtherAddress(error, command);
  }
}

/** Adds to the error that an address is taken how to choose another one. */
function withOtherAddress(error: unknown, { binds }: Command): unknown {
  const isTaken = error instanceof UsageError && error.cause instanceof Deno.errors.AddrInUse;
  if (!isTaken || !binds) return error;
  return new UsageError(`${error.message}; --${kebab(binds.option)} takes another one`, {
    cause: error,
  });
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
  const value = before.findLast((arg) => !isGlobal(arg));
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
  if (value !== undefined) {
    const option = value.replace(/=.*/s, "");
    throw new UsageError(
      `Cannot use option "${option}" before a command: expected labwire COMMAND ${option}`,
    );
  }
  throw unknownCommand(first, registry);
}

/** Whether an argument is an option of every command. */
function isGlobal(arg: string): boolean {
  const name = arg.replace(/^-+|=.*$/gs, "");
  return Object.hasOwn(globalOptions, aliases[name] ?? name);
}

function unknownCommand(word: string, registry: Registry): UsageError {
  const names = Object.keys(registry);
  // The first word of several commands stands for all of them, unless more was meant.
  const families = new Set(names.map((name) => name.split(" ")[0]!));
  const starts = suggestions(word, families);
  const ends = names.filter((name) => name.split(/[- ]/).includes(word));
  const near = [starts, ends].find(({ length }) => length > 0) ?? suggestions(word, names);
  const last = near.pop();
  const others = near.map((name) => `"${name}"`).join(", ");
  return new UsageError(
    `Unknown command "${word}": ` +
      (last === undefined
        ? "see labwire --help for those there are"
        : `did you mean ${others === "" ? "" : `${others} or `}"${last}"?`),
  );
}

function unexpectedArgument(arg: string, { name, positionals = [], options }: Command): string {
  const said = `Unexpected argument "${arg}" of ${name}`;
  if (positionals.length > 0) {
    const names = positionals.map(({ name }) => name).join(" and ");
    return `${said}: expected ${names} only, in quotes where there are blanks`;
  }
  if (options.handler && /\.(py|m?js|ts)$/.test(arg)) return `${said}: expected --handler ${arg}`;
  return `${said}: expected options only`;
}

function checkArguments(command: Command, args: readonly string[]): void {
  const positionals = command.positionals ?? [];
  const missing = positionals.find((positional, i) => positional.required && args[i] === undefined);
  if (missing) {
    throw new UsageError(`Cannot run ${command.name}: expected ${missing.name} (${missing.help})`);
  }
  if (args.length > positionals.length && !positionals.at(-1)?.variadic) {
    throw new UsageError(unexpectedArgument(args[positionals.length]!, command));
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
