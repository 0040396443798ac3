import { concat } from "@std/bytes/concat";
import { readByteLines } from "../../cli/read_lines.ts";
import type { Context } from "../../cli/context.ts";
import { CodecError, messageOf, UsageError } from "../../errors.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { textBytes } from "./message.ts";

/** How lines are read: each with its end, and none that would fill the memory. */
const LINES = { keepEnds: true, maxBytes: 1 << 26 } as const;

const withMark = new TextDecoder("utf-8", { ignoreBOM: true });

/** How {@linkcode ClientInput} is read. */
export interface ClientInputOptions {
  /** Give it line by line, each with its end, rather than as it comes. */
  lines: boolean;
  /** Understand escapes such as `\n` in it; that goes by lines too. */
  escape: boolean;
  /** Ends the reading. */
  signal: AbortSignal;
}

/** What is typed or piped in for `socket-client` to send. */
export class ClientInput {
  /** Lines that were not sent, because an escape in them is unknown, or they are no UTF-8. */
  bad = 0;
  readonly #context: Context;

  /** @param context Where input comes from, and where bad lines are reported. */
  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Reads it, which begins when the first piece is asked for.
   *
   * @param options In which pieces, and how long.
   * @returns Pieces, none of them empty.
   * @throws {UsageError} If there is no standard input that can be read.
   * @throws {CodecError} If a line is too long.
   */
  async *pieces(options: ClientInputOptions): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* options.lines || options.escape ? this.#lines(options) : this.#chunks(options);
    } catch (cause) {
      if (cause instanceof CodecError) throw cause;
      throw new UsageError(`Cannot read standard input: ${messageOf(cause)}`, { cause });
    }
  }

  async *#chunks({ signal }: ClientInputOptions): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#context.stdin.readable.getReader();
    whenAborted(signal, () => void reader.cancel().catch(() => {}));
    for (let chunk; (chunk = (await reader.read()).value) !== undefined;) {
      if (chunk.length > 0) yield chunk;
    }
  }

  async *#lines({ signal, escape }: ClientInputOptions): AsyncGenerator<Uint8Array, void, void> {
    const lines = readByteLines(this.#context.stdin.readable, signal, LINES);
    let number = 0;
    for await (const line of lines) {
      number++;
      try {
        yield escape ? escapedLine(line) : line.slice();
      } catch (error) {
        if (!(error instanceof UsageError || error instanceof CodecError)) throw error;
        this.bad++;
        this.#context.say.error(`Cannot send line ${number}: ${error.message}`);
      }
    }
  }
}

/** Reads the escapes in a line; its end stays what it is. */
function escapedLine(line: Uint8Array): Uint8Array {
  decodeUtf8(line); // what is no text would leave as something else
  const text = withMark.decode(line);
  const end = /\r?\n$/.exec(text)?.[0] ?? "";
  const bytes = textBytes(text.slice(0, text.length - end.length), true);
  return concat([bytes, textBytes(end, false)]);
}
