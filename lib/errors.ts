/**
 * The errors that more than one room knows. Each stands for one kind of failure and one exit code of the
 * program, so that a script can tell them apart.
 *
 * @module
 */

/** The command line is wrong, or an address cannot be bound. Exit code 2. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** The other side answered, with a failure. Exit code 3. */
export class RemoteError extends Error {
  /** Always `"RemoteError"`. */
  override readonly name = "RemoteError";
}

/** Not reached, refused, or no answer in time. Exit code 4. */
export class ConnectError extends Error {
  /** Always `"ConnectError"`. */
  override readonly name = "ConnectError";
}

/** What a {@linkcode CodecError} knows beyond its message. */
export interface CodecErrorOptions extends ErrorOptions {
  /** Offset in bytes from the start of the message at which decoding stopped. */
  offset?: number;
}

/** Bytes or values that do not fit the format. Exit code 5. */
export class CodecError extends Error {
  /** Always `"CodecError"`. */
  override readonly name = "CodecError";
  /** Offset in bytes from the start of the message at which decoding stopped, where there is one. */
  readonly offset?: number;

  /**
   * Makes the error.
   *
   * @param message What is wrong, where, and what was wanted there.
   * @param options The offset in bytes and the cause, where known.
   */
  constructor(message: string, options: CodecErrorOptions = {}) {
    super(message, options);
    if (options.offset !== undefined) this.offset = options.offset;
  }
}

/** The exit codes of the program by name; {@linkcode exitCodes} says what they mean. */
export const exit = {
  done: 0,
  fault: 1,
  usage: 2,
  remote: 3,
  connect: 4,
  codec: 5,
  interrupted: 130,
  terminated: 143,
} as const;

/** What an exit code of the program means. */
export interface ExitCode {
  /** The code. */
  readonly code: number;
  /** When the program ends with it, without a period. */
  readonly meaning: string;
  /** The class of errors that stand for it, where there is one. */
  readonly error?: new (message: string) => Error;
}

/** All exit codes of the program: this table is what it ends with, and what help, manual page and README say. */
export const exitCodes: readonly ExitCode[] = [
  { code: exit.done, meaning: "done; a server or a stream was ended with Ctrl-C" },
  { code: exit.fault, meaning: "a fault of labwire or of the machine" },
  {
    code: exit.usage,
    meaning: "the command line is wrong, or an address cannot be bound",
    error: UsageError,
  },
  { code: exit.remote, meaning: "the other side answered with a failure", error: RemoteError },
  {
    code: exit.connect,
    meaning: "nobody there, refused, or no answer in time",
    error: ConnectError,
  },
  { code: exit.codec, meaning: "bytes or values that do not fit the format", error: CodecError },
  {
    code: exit.interrupted,
    meaning:
      "Ctrl-C while a client waited for its answer or had more to send, or before a server was done",
  },
  { code: exit.terminated, meaning: "the same with SIGTERM" },
];

/**
 * Looks up the exit code of an error.
 *
 * @param error What was thrown.
 * @returns The code of its class, 1 for any other.
 */
export function exitCodeOf(error: unknown): number {
  return exitCodes.find(({ error: kind }) => kind && error instanceof kind)?.code ?? exit.fault;
}

/**
 * Says what was thrown. That can be any value, even one that throws again when it is read.
 *
 * @param thrown What was thrown.
 * @returns Its message, or how it looks.
 */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message || thrown.name);
    return typeof thrown === "object" && thrown !== null ? Deno.inspect(thrown) : String(thrown);
  } catch {
    return "something that has no text";
  }
}

/**
 * Says why a file cannot be read.
 *
 * @param thrown What the system said.
 */
export function whyUnreadable(thrown: unknown): string {
  return thrown instanceof Deno.errors.NotFound ? "no such file" : messageOf(thrown);
}

/**
 * Says what was thrown, and where; as {@linkcode messageOf} where it has no stack.
 *
 * @param thrown What was thrown.
 */
export function stackOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error && thrown.stack) return String(thrown.stack);
  } catch {
    // reading the stack throws
  }
  return messageOf(thrown);
}
