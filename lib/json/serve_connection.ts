import { CodecError } from "../errors.ts";
import type { Framing, Splitter } from "../net/framing.ts";
import type { StreamConnection } from "../net/stream_connection.ts";
import type { Responder } from "./responder.ts";

/** Answers that are ready are sent when they are this many bytes, even if more messages are at hand. */
const BATCH_BYTES = 1 << 16;

/**
 * Serves one connection to its end: answers its messages one after another, in their order. Answers that are ready together
 * leave together.
 *
 * @param connection The connection.
 * @param responder What answers.
 * @param framing How messages are told apart.
 * @returns How many answers did not reach the client, when the connection is over.
 */
export async function serveConnection(
  connection: StreamConnection,
  responder: Responder,
  framing: Framing,
): Promise<number> {
  const session = new Session(connection, responder, framing.splitter());
  await session.run();
  return session.unanswered;
}

class Session {
  /** Answers that did not reach the client. */
  unanswered = 0;
  readonly #connection: StreamConnection;
  readonly #responder: Responder;
  readonly #splitter: Splitter;
  /** Answers that wait to be sent. */
  #ready: Uint8Array[] = [];
  #size = 0;

  constructor(connection: StreamConnection, responder: Responder, splitter: Splitter) {
    this.#connection = connection;
    this.#responder = responder;
    this.#splitter = splitter;
  }

  async run(): Promise<void> {
    const connection = this.#connection;
    for (let chunk; (chunk = await connection.read()) !== null;) {
      this.#splitter.push(chunk);
      for (let answer; (answer = this.#answerNext()) !== null;) {
        if (answer instanceof Promise) answer = await this.#wait(answer);
        this.#add(answer);
        if (this.#size >= BATCH_BYTES) await this.#flush();
      }
      if (this.#size > 0) await this.#flush();
      if (this.#splitter.partial) connection.beginMessage();
    }
    if (connection.readEnd === "late" && connection.error instanceof CodecError) {
      this.#add(this.#responder.respondBad(connection.error, connection.remoteAddr));
      await this.#flush();
    }
    if (connection.readEnd === "ended") {
      const last = this.#splitter.end();
      const answer = last && this.#answer(last);
      if (answer) this.#add(await answer);
      if (this.#size > 0) await this.#flush();
    }
    await connection.end();
  }

  /** Answers the next message that is not blank; null when there is none. */
  #answerNext(): Uint8Array | Promise<Uint8Array> | null {
    for (;;) {
      let message: Uint8Array | null;
      try {
        message = this.#splitter.next();
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        return this.#responder.respondBad(error, this.#connection.remoteAddr);
      }
      if (message === null) return null;
      this.#connection.endMessage();
      const answer = this.#answer(message);
      if (answer !== null) return answer;
    }
  }

  /** Answers one message; null if it is blank. */
  #answer(message: Uint8Array): Uint8Array | Promise<Uint8Array> | null {
    return isBlank(message) ? null : this.#responder.respond(message, this.#connection.remoteAddr);
  }

  /** Waits for an answer that takes time. What is ready need not wait for it, and nobody is idle meanwhile. */
  async #wait(answer: Promise<Uint8Array>): Promise<Uint8Array> {
    using _hold = this.#connection.hold();
    const flushed = this.#size > 0 ? this.#flush() : undefined;
    const result = await answer;
    await flushed;
    return result;
  }

  #add(answer: Uint8Array): void {
    this.#ready.push(answer);
    this.#size += answer.length;
  }

  /** Sends what is ready; resolves when the system has taken it. */
  #flush(): Promise<void> {
    const answers = this.#ready;
    const bytes = answers.length === 1 ? answers[0]! : concat(answers, this.#size);
    this.#ready = [];
    this.#size = 0;
    return this.#connection.write(bytes).then((written) => {
      if (!written) this.unanswered += answers.length;
    });
  }
}

function isBlank(message: Uint8Array): boolean {
  return message.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function concat(parts: Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
