import { CodecError } from "../errors.ts";
import type { Framing } from "../net/framing.ts";
import type { StreamConnection } from "../net/stream_connection.ts";
import type { Responder } from "./responder.ts";

/** Answers that are ready are sent when they are this many bytes, even if more messages are at hand. */
const BATCH_BYTES = 1 << 16;

/** What {@linkcode serveConnection} tells of one connection. */
export interface ServeConnectionOptions {
  /** Told how many answers did not reach the client. */
  onUnanswered?: (count: number) => void;
}

/**
 * Serves one connection to its end: answers its messages one after another, in their order. Answers that are ready together
 * leave together.
 *
 * @param connection The connection.
 * @param responder What answers.
 * @param framing How messages are told apart.
 * @param options What to tell.
 * @returns When the connection is over.
 */
export async function serveConnection(
  connection: StreamConnection,
  responder: Responder,
  framing: Framing,
  options: ServeConnectionOptions = {},
): Promise<void> {
  const splitter = framing.splitter();
  for (let chunk; (chunk = await connection.read()) !== null;) {
    splitter.push(chunk);
    const taken = answerAll(connection, responder, () => splitter.next(), options);
    if (taken) await taken;
  }
  if (connection.readEnd === "ended") {
    let last = splitter.end();
    await answerAll(connection, responder, () => {
      const message = last;
      last = null;
      return message;
    }, options);
  }
  await connection.end();
}

/** Answers the messages at hand; resolves when the system has taken the answers. */
async function answerAll(
  connection: StreamConnection,
  responder: Responder,
  next: () => Uint8Array | null,
  options: ServeConnectionOptions,
): Promise<void> {
  let ready: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    const answers = ready;
    [ready, size] = [[], 0];
    if (!await connection.write(concat(answers))) options.onUnanswered?.(answers.length);
  };
  for (let answer; (answer = answerNext(connection, responder, next)) !== null;) {
    if (answer instanceof Promise) {
      // What is ready need not wait for what takes time. Nobody is idle meanwhile.
      using _hold = connection.hold();
      const flushed = ready.length > 0 ? flush() : undefined;
      answer = await answer;
      await flushed;
    }
    ready.push(answer);
    size += answer.length;
    if (size >= BATCH_BYTES) await flush();
  }
  if (ready.length > 0) await flush();
}

/** Answers the next message that is not blank; null when there is none. */
function answerNext(
  { remoteAddr }: StreamConnection,
  responder: Responder,
  next: () => Uint8Array | null,
): Uint8Array | Promise<Uint8Array> | null {
  try {
    let message: Uint8Array | null;
    do message = next(); while (message !== null && isBlank(message));
    return message === null ? null : responder.respond(message, remoteAddr);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return responder.respondBad(error, remoteAddr);
  }
}

function isBlank(message: Uint8Array): boolean {
  return message.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
