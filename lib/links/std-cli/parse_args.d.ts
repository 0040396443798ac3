/** The part of `@std/cli/parse-args` that labwire uses, with types that the real one satisfies. */
export interface ParseOptions {
  readonly boolean?: readonly string[];
  readonly string?: readonly string[];
  readonly collect?: readonly string[];
  readonly alias?: Record<string, string>;
  readonly "--"?: boolean;
  readonly stopEarly?: boolean;
  readonly unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Takes a set of command-line arguments and returns an object with the options found. */
export function parseArgs(
  args: string[],
  options?: ParseOptions,
): Record<string, unknown> & { _: Array<string | number> };
