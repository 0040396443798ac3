import { concat } from "@std/bytes/concat";
import { parseEscapedText } from "../../text/escapes.ts";
import { UsageError, whyUnreadable } from "../../errors.ts";

/** The options that say what to send. */
export interface MessageValues {
  readonly hex?: string;
  readonly file?: string;
  readonly escape: boolean;
  readonly newline: boolean;
}

const NEWLINE = new Uint8Array([0x0a]);
const encoder = new TextEncoder();

/**
 * Reads what to send from the command line, or from standard input where it says nothing.
 *
 * @param text MESSAGE, if it was given.
 * @param values The options' values.
 * @param input The pieces of standard input; null if it is not to be read.
 * @returns Its pieces, once; a file or the input is read as they are asked for. Undefined if there is no message at all.
 * @throws {UsageError} If more than one message is given, or it cannot be read.
 */
export async function messagePieces(
  text: string | undefined,
  values: MessageValues,
  input: AsyncGenerator<Uint8Array> | null,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { hex, file, escape, newline } = values;
  if ([text, hex, file].filter((value) => value !== undefined).length > 1) {
    throw new UsageError("Cannot send several of MESSAGE, --hex and --file: expected one");
  }
  const pieces = text !== undefined
    ? ReadableStream.from([textBytes(text, escape)])
    : hex !== undefined
    ? ReadableStream.from([hexBytes(hex)])
    : file !== undefined
    ? await openFile(file)
    : input && await begun(input);
  if (!pieces) return undefined;
  return newline ? withNewline(pieces) : pieces;
}

/**
 * Reads a whole message.
 *
 * @param pieces As {@linkcode messagePieces} gives them.
 * @param signal Ends the reading of what is piped in.
 * @returns Its bytes.
 * @throws The signal's reason, if the message may have been cut off by it.
 */
export async function wholeMessage(
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const message = concat(await Array.fromAsync(pieces));
  signal.throwIfAborted();
  return message;
}

/**
 * Turns text from a user into bytes.
 *
 * @param text The text.
 * @param escape Whether escapes such as `\n` are understood in it.
 * @returns Its bytes, UTF-8.
 * @throws {UsageError} If there is an unknown escape.
 */
export function textBytes(text: string, escape: boolean): Uint8Array {
  return escape ? parseEscapedText(text) : encoder.encode(text);
}

/** Waits for the first piece, and gives all of them; undefined if there is none. */
async function begun(
  pieces: AsyncGenerator<Uint8Array>,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const first = await pieces.next();
  if (first.done) return undefined;
  return (async function* () {
    yield first.value;
    yield* pieces;
  })();
}

/** Adds a newline to the last piece rather than as another one, so that a server that reads once gets the whole message. */
async function* withNewline(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  let last: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    if (last.length > 0) yield last;
    last = piece;
  }
  yield concat([last, NEWLINE]);
}

function hexBytes(digits: string): Uint8Array {
  try {
    return Uint8Array.fromHex(digits.replace(/[\s:]/g, ""));
  } catch (cause) {
    throw new UsageError(`Cannot read --hex "${digits}": expected two hex digits per byte`, {
      cause,
    });
  }
}

async function openFile(path: string): Promise<ReadableStream<Uint8Array>> {
  try {
    if ((await Deno.stat(path)).isDirectory) throw new Error("it is a directory");
    return (await Deno.open(path)).readable;
  } catch (cause) {
    throw new UsageError(`Cannot read --file "${path}": ${whyUnreadable(cause)}`, { cause });
  }
}
