import type { Input } from "./environment.ts";
import type { Output } from "./output.ts";
import type { Reporter } from "./reporter.ts";

/** What a command has of the world around it. */
export interface Context {
  /** Standard output: data, one record per line. */
  readonly out: Output;
  /** Standard error: what is said to a person. */
  readonly say: Reporter;
  /** Aborted by the first Ctrl-C or SIGTERM, or when standard output cannot be written any more. */
  readonly signal: AbortSignal;
  /**
   * Sets how the work that Ctrl-C waits for is described, as in `2 messages that are being handled`; undefined where nothing is
   * being waited for.
   */
  readonly describeOpenWork: (describe: () => string | undefined) => void;
  /**
   * Has SIGHUP mean that files are to be opened again, until it is disposed of; without it SIGHUP ends the program, as does a terminal
   * that is closed.
   */
  readonly onReopen: (reopen: () => void) => Disposable;
  /** Whether `--debug` was given. */
  readonly debug: boolean;
  /** Standard input. */
  readonly stdin: Input;
  /** The width of the terminal in columns. */
  readonly columns: () => number;
  /** The options that were given on the command line, by their names in camel case. */
  readonly given: ReadonlySet<string>;
}
