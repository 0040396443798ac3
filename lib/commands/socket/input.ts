import type { Context } from "../../cli/context.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { textBytes } from "./message.ts";

const LF = 0x0a;
/** Longest line that is put together, in bytes. */
const LONGEST_LINE = 1 << 20;

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
  /** Lines that were not sent, because an escape in them is unknown. */
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
   */
  async *pieces(options: ClientInputOptions): AsyncGenerator<Uint8Array, void, void> {
    const read = this.#reader(options.signal);
    if (!options.lines && !options.escape) {
      for (let chunk; (chunk = await read()) !== undefined;) if (chunk.length > 0) yield chunk;
      return;
    }
    let number = 0;
    for await (const line of lines(read)) {
      number++;
      try {
        yield options.escape ? escapedLine(line) : line;
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.bad++;
        this.#context.say.error(`Cannot send line ${number}: ${error.message}`);
      }
    }
  }

  #reader(signal: AbortSignal): () => Promise<Uint8Array | undefined> {
    const reader = this.#context.stdin.readable.getReader();
    whenAborted(signal, () => void reader.cancel().catch(() => {}));
    return async () => {
      try {
        return (await reader.read()).value;
      } catch (cause) {
        throw new UsageError(`Cannot read standard input: ${messageOf(cause)}`, { cause });
      }
    };
  }
}

/** Cuts what is read into lines, each with its end; the last one may have none. */
async function* lines(
  read: () => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array, void, void> {
  let held = new Uint8Array();
  for (let chunk; (chunk = await read()) !== undefined;) {
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(LF, at) + 1 || chunk.length;
      held = joinedBytes(held, chunk.subarray(at, end));
      at = end;
      if (held.at(-1) !== LF && held.length < LONGEST_LINE) continue;
      yield held;
      held = new Uint8Array();
    }
  }
  if (held.length > 0) yield held;
}

/** Reads the escapes in a line; its end stays what it is. */
function escapedLine(line: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(line);
  const end = /\r?\n$/.exec(text)?.[0] ?? "";
  const bytes = textBytes(text.slice(0, text.length - end.length), true);
  return joinedBytes(bytes, textBytes(end, false));
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
