import type { Context } from "./context.ts";
import type { Completer, Option, OptionTable, OptionValues } from "./options.ts";

/** An argument of a command that belongs to no option. */
export interface Positional {
  /** What stands for it in help, in capitals. */
  readonly name: string;
  /** What it is, as a sentence without a period. */
  readonly help: string;
  /** Whether the command needs it. */
  readonly required?: boolean;
  /** Whether it may be given any number of times; only the last one may. */
  readonly variadic?: boolean;
  /** All values there are, where they can be counted. */
  readonly choices?: readonly string[];
  /** Whether it may be a negative number, which is no option then. */
  readonly isNumber?: boolean;
  /** Whether a shell should complete it with file names. */
  readonly isFile?: boolean;
  /** Finds candidates for it when a shell completes it. */
  readonly complete?: Completer;
}

/** A command line that works, and what it does. */
export interface Example {
  /** What it does. */
  readonly text: string;
  /** The command line as it is typed. */
  readonly command: string;
}

/** The port that a command binds by default. */
export interface Binding {
  /** The option whose default has the port, by its name in the table; without a host in it, that is the option `host`'s. */
  readonly option: string;
  /** The transports. */
  readonly transports: readonly ("udp" | "tcp")[];
}

/** What is declared of a command. */
export interface CommandSpec<T extends OptionTable> {
  /** The word, or two words, that call it. */
  readonly name: string;
  /** What it does, in a line without a period. */
  readonly summary: string;
  /** What else a user should know, as paragraphs. */
  readonly details?: readonly string[];
  /** The arguments that belong to no option. */
  readonly positionals?: readonly Positional[];
  /** The options. */
  readonly options: T;
  /** The port that it binds; doctor looks whether it is free. */
  readonly binds?: Binding;
  /** Two or three real command lines. */
  readonly examples: readonly Example[];
  /**
   * Shows the help of what the arguments name, for a command line with `--help` and arguments; without this function that is the
   * command's own.
   *
   * @returns The exit code, 0 if nothing is returned.
   */
  help?(context: Context, options: OptionValues<T>, args: string[]): Promise<number | void>;
  /**
   * Does it.
   *
   * @returns The exit code, 0 if nothing is returned.
   */
  run(context: Context, options: OptionValues<T>, args: string[]): Promise<number | void>;
}

/** A command as the program holds it, whatever its options are. */
export interface Command extends Omit<CommandSpec<OptionTable>, "run" | "help"> {
  /** Shows the help of what the arguments name, if it can. */
  // deno-lint-ignore no-explicit-any
  help?(context: Context, options: any, args: string[]): Promise<number | void>;
  /** Does it, with options that were parsed by this command's own table. */
  // deno-lint-ignore no-explicit-any
  run(context: Context, options: any, args: string[]): Promise<number | void>;
}

/** The commands by name, each loaded when it is called for. */
export type Registry = Readonly<Record<string, () => Promise<Command>>>;

/** Declares a command; the options' types reach `run`. */
export function defineCommand<const T extends Readonly<Record<string, Option<unknown>>>>(
  spec: CommandSpec<T>,
): Command {
  return spec;
}
