import { concat } from "@std/bytes/concat";
import { CodecError } from "../errors.ts";
import type { HostPort } from "../net/address/address.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { within } from "../time/deadline.ts";
import type { LineDecoder, LineFraming } from "../net/framing/line.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { isBlankLine } from "../text/lines.ts";
import type { Client, Responder } from "./responder.ts";
import { ValueEnd } from "./value_end.ts";

/** Bytes that are read ahead while a message waits for its turn or is being handled. */
const AHEAD_BYTES = 1 << 12;

/** Answers that are ready are sent when they reach this many bytes, even if more messages have arrived. */
const BATCH_BYTES = 1 << 16;

const NEWLINE = 0x0a;

/** How {@linkcode serveConnection} serves. */
export interface ServeConnectionOptions {
  /** Answers the messages. */
  responder: Responder;
  /** How messages are separated. */
  framing: LineFraming;
  /** Seconds of silence after which a complete value counts as a message without a newline; `Infinity` for never. */
  completeAfter: number;
  /** Measures that. Default: this computer's clock. */
  clock?: Clock;
  /** Called for each such message, before it is answered. */
  onUnended: (remoteAddr: HostPort) => void;
  /** Called with how many answers did not reach the client, if there are any. */
  onUnanswered: (count: number) => void;
}

/**
 * Serves one connection until it ends: answers its messages one after another, in order. Answers that are ready together are sent
 * together.
 *
 * @param connection The connection.
 * @param options How to separate messages, and what answers them.
 * @returns Resolves when the connection is closed.
 */
export function serveConnection(
  connection: StreamConnection,
  options: ServeConnectionOptions,
): Promise<void> {
  return new Session(connection, options).run();
}

class Session implements Client {
  onGone: (() => void) | undefined;
  readonly #connection: StreamConnection;
  readonly #options: ServeConnectionOptions;
  readonly #decoder: LineDecoder;
  readonly #clock: Clock;
  /** The read-ahead in progress. */
  #ahead: Promise<Uint8Array | null> | null = null;
  /** Buffers for that: one is read into while the messages in the other are answered. */
  #buffers: Uint8Array[] | null = null;
  #turn = 0;
  /** When what is being answered arrived, and what was read ahead; undefined if just now. */
  #since: number | undefined;
  #sinceAhead: number | undefined;
  /** Finds the end of a value without a newline; made when needed. */
  #valueEnd: ValueEnd | null = null;
  /** Answers that wait to be sent, and how many are being sent. */
  #ready: Uint8Array[] | null = null;
  #size = 0;
  #sending = 0;
  /** Settles when the connection has been served. */
  readonly #served = Promise.withResolvers<void>();

  constructor(connection: StreamConnection, options: ServeConnectionOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#decoder = options.framing.decoder();
    this.#clock = options.clock ?? systemClock;
  }

  get remoteAddr(): HostPort {
    return this.#connection.remoteAddr;
  }

  get since(): number | undefined {
    return this.#since;
  }

  get gone(): boolean {
    return this.#connection.broken;
  }

  get halfClosed(): boolean {
    return this.#connection.readEnd === "ended";
  }

  isThere(): Promise<boolean> {
    return this.#connection.check();
  }

  /** Serves the connection. Reading, answering and sending call one another: an answer that need not be waited for costs no promise. */
  run(): Promise<void> {
    this.#read();
    return this.#served.promise;
  }

  /** Reads what arrives next. */
  #read(): void {
    const isInside = this.#decoder.partial && this.#decoder.held.length > 0;
    const reading = isInside && this.#options.completeAfter !== Infinity
      ? this.#readOrComplete()
      : this.#takeAhead();
    if (reading === null) this.#connection.readThen(this.#onChunk);
    else reading.then(this.#onChunk).catch(this.#failed);
  }

  readonly #onChunk = (chunk: Uint8Array | null): void => {
    if (chunk === null) return void this.#end().then(this.#served.resolve, this.#failed);
    this.#since = this.#sinceAhead;
    this.#sinceAhead = undefined;
    // A line that was too long ends without a message.
    if (this.#decoder.skipping && chunk.includes(NEWLINE)) this.#connection.endMessage();
    this.#decoder.push(chunk);
    this.#answerAll();
  };

  /** Answers the messages of a chunk, sends the answers, and reads on. */
  #answerAll(): void {
    try {
      for (let answer; (answer = this.#answer()) !== null;) {
        if (answer instanceof Promise) {
          return void this.#wait(answer).then((last) => {
            this.#add(last);
            this.#answerAll();
          }).catch(this.#failed);
        }
        this.#add(answer);
        if (this.#size >= BATCH_BYTES) break;
      }
      if (this.#size > 0) return this.#send(this.#onSent);
      if (this.#decoder.partial) this.#connection.beginMessage();
      this.#read();
    } catch (error) {
      this.#failed(error);
    }
  }

  readonly #onSent = (taken: boolean): void => {
    this.#sent(taken);
    this.#answerAll();
  };

  /** Ends serving because something has thrown: what is ready is not sent any more. */
  readonly #failed = (error: unknown): void => {
    const unsent = this.#ready?.length ?? 0;
    if (unsent > 0) this.#options.onUnanswered(unsent);
    this.#served.reject(error);
  };

  /** Answers what is left when there is nothing more to read, and ends the connection. */
  #end(): Promise<void> {
    const { readEnd } = this.#connection;
    const isOver = readEnd !== "late" && (readEnd !== "ended" || !this.#decoder.partial);
    return isOver ? this.#connection.end() : this.#endInside();
  }

  /** The same, inside a message. */
  async #endInside(): Promise<void> {
    const { readEnd, error } = this.#connection;
    if (readEnd === "ended") await this.#answerLast();
    else if (error instanceof CodecError) {
      this.#add(this.#options.responder.respondBad(error, this));
      await this.#flush();
    }
    await this.#connection.end();
  }

  /** Reads what arrives next; if nothing does for a while, answers the value received so far, if it is complete. */
  async #readOrComplete(): Promise<Uint8Array | null> {
    const { completeAfter, clock } = this.#options;
    const reading = this.#ahead ??= this.#connection.read().then((chunk) => this.#arrived(chunk));
    const silent = await within(reading, completeAfter, clock) === undefined;
    if (silent && this.#isComplete()) {
      this.#options.onUnended(this.remoteAddr);
      await this.#answerLast();
    }
    return await this.#takeAhead()!;
  }

  #isComplete(): boolean {
    this.#valueEnd ??= new ValueEnd();
    return this.#valueEnd.isComplete(this.#decoder.held);
  }

  /** Begins to read what follows the message being handled, to notice when the client disconnects. */
  #lookAhead(): void {
    if (this.#ahead) return;
    this.#buffers ??= [new Uint8Array(AHEAD_BYTES), new Uint8Array(AHEAD_BYTES)];
    const buffer = this.#buffers[this.#turn]!;
    this.#turn = 1 - this.#turn;
    this.#ahead = this.#connection.readInto(buffer)
      .then((length) => this.#arrived(length === null ? null : buffer.subarray(0, length)));
  }

  #arrived(chunk: Uint8Array | null): Uint8Array | null {
    this.#sinceAhead = this.#clock.now();
    if (chunk === null && this.gone) this.onGone?.();
    return chunk;
  }

  #takeAhead(): Promise<Uint8Array | null> | null {
    const ahead = this.#ahead;
    this.#ahead = null;
    return ahead;
  }

  /** Answers a message that no newline has ended. */
  async #answerLast(): Promise<void> {
    const answer = this.#answer(true);
    if (answer) this.#add(answer instanceof Promise ? await this.#wait(answer) : answer);
    if (this.#size > 0) await this.#flush();
  }

  /** Answers the next message that is not blank, or what is left at the end; null when there is none. */
  #answer(atEnd = false): Uint8Array | Promise<Uint8Array> | null {
    for (;;) {
      let message: Uint8Array | null;
      try {
        message = atEnd ? this.#decoder.end() : this.#decoder.next();
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        this.#valueEnd = null;
        return this.#options.responder.respondBad(error, this);
      }
      if (message === null) return null;
      this.#connection.endMessage();
      this.#valueEnd = null;
      if (!isBlankLine(message)) return this.#options.responder.respond(message, this);
    }
  }

  /** Waits for an answer that takes time. Answers that are ready are sent meanwhile, and the client does not count as idle. */
  async #wait(answer: Promise<Uint8Array>): Promise<Uint8Array> {
    this.#since ??= this.#clock.now();
    const flushed = this.#size > 0 ? this.#flush() : undefined;
    this.#lookAhead();
    const result = await this.#hold(answer);
    // A client that does not read its answers counts as idle.
    if (flushed) await flushed;
    return result;
  }

  async #hold(answer: Promise<Uint8Array>): Promise<Uint8Array> {
    using _hold = this.#connection.hold();
    return await answer;
  }

  #add(answer: Uint8Array): void {
    if (answer.length === 0) return;
    if (this.#ready === null) this.#ready = [answer];
    else this.#ready.push(answer);
    this.#size += answer.length;
  }

  /** Sends the answers that are ready; resolves when the system has accepted them. */
  #flush(): Promise<void> {
    return new Promise((resolve) =>
      this.#send((taken) => {
        this.#sent(taken);
        resolve();
      })
    );
  }

  /** Sends the answers that are ready. */
  #send(then: (taken: boolean) => void): void {
    const answers = this.#ready!;
    const bytes = answers.length === 1 ? answers[0]! : concat(answers);
    this.#ready = null;
    this.#size = 0;
    this.#sending = answers.length;
    this.#connection.writeThen(bytes, then);
  }

  #sent(taken: boolean): void {
    if (!taken) this.#options.onUnanswered(this.#sending);
  }
}
