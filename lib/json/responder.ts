import { createJsonCodec, type JsonValue, stringifyJson } from "../codecs/json.ts";
import { ConnectError } from "../errors.ts";
import type { HostPort } from "../net/address.ts";
import { orAborted } from "../net/deadline.ts";
import { Limit } from "../net/limit.ts";
import { ownProperty } from "./commands.ts";
import type { Answer, FailStatus, Interact } from "./protocol.ts";
import { Queue } from "./queue.ts";

/** A message that was answered. */
export interface Handled {
  /** When the message was there. */
  time: Date;
  /** Who sent it. */
  remoteAddr: HostPort;
  /** What it said; undefined if it could not be read. */
  data: JsonValue | undefined;
  /** What was answered. */
  answer: Answer;
  /** Seconds from the message to its answer, the wait for its turn included. */
  duration: number;
}

/** How a {@linkcode Responder} answers. */
export interface ResponderOptions {
  /** Handles a message. */
  interact: Interact;
  /** How many messages may be handled at once. */
  concurrency: number;
  /** The word that marks a failure. */
  failStatus: FailStatus;
  /** Seconds that handling a message may take; `Infinity` for no limit. */
  handlerTimeout: number;
  /** What handlers see as their signal. */
  signal: AbortSignal;
  /** From when on handlers are not waited for any more, and none is called; its reason is the error of the answers. */
  givenUp: AbortSignal;
  /** Is told of each message that was answered. */
  onMessage?: (handled: Handled) => void;
  /** Is told of what a handler threw. */
  onHandlerError?: (error: unknown) => void;
}

const encoder = new TextEncoder();

/** The answer to most messages, encoded once. */
const SUCCESS = encodeLine('{"status":"success"}');

/** A message's way through the responder. */
interface Request {
  readonly bytes: Uint8Array;
  readonly remoteAddr: HostPort;
  readonly started: number;
  data?: JsonValue;
  /** The message's `id`, as it was before a handler could change it. */
  id?: JsonValue;
}

/** Turns messages into answers: reads them, has them handled in the order of their arrival, and counts. */
export class Responder {
  /** Messages answered with success so far. */
  successes = 0;
  /** Messages answered with a failure so far, those that could not be read among them. */
  failures = 0;
  /** Messages so far that could not be read. */
  invalid = 0;
  readonly #options: ResponderOptions;
  readonly #codec = createJsonCodec();
  readonly #queue: Queue;

  /** @param options How to answer. */
  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#queue = new Queue(options.concurrency);
  }

  /** Messages that are handled or wait for it now. */
  get pending(): number {
    return this.#queue.running + this.#queue.waiting;
  }

  /**
   * Answers one message.
   *
   * @param bytes The message, not to be changed before it is answered.
   * @param remoteAddr Who sent it.
   * @returns The answer with the newline at its end; a promise of it if that takes time.
   */
  respond(bytes: Uint8Array, remoteAddr: HostPort): Uint8Array | Promise<Uint8Array> {
    const request: Request = { bytes, remoteAddr, started: performance.now() };
    try {
      request.data = this.#codec.decode(bytes);
      request.id = ownProperty(request.data, "id") as JsonValue | undefined;
    } catch (error) {
      this.invalid++;
      return this.#fail(request, error);
    }
    return this.#queue.run(() => this.#handle(request));
  }

  /**
   * Answers what is no message at all.
   *
   * @param error What is wrong with it.
   * @param remoteAddr Who sent it.
   * @returns The answer with the newline at its end.
   */
  respondBad(error: Error, remoteAddr: HostPort): Uint8Array {
    this.invalid++;
    return this.#fail(
      { bytes: new Uint8Array(), remoteAddr, started: performance.now() },
      error,
    );
  }

  /**
   * Writes a failure that answers no message, and is not counted as one.
   *
   * @param error What is wrong.
   * @returns The answer with the newline at its end.
   */
  refusal(error: string): Uint8Array {
    return encodeLine(stringifyJson({ status: this.#options.failStatus, error }));
  }

  #handle(request: Request): Uint8Array | Promise<Uint8Array> {
    const { handlerTimeout, signal, givenUp } = this.#options;
    if (givenUp.aborted) return this.#fail(request, givenUp.reason);
    if (handlerTimeout === Infinity) return this.#call(request, signal, givenUp);
    const late = new ConnectError(`The message was not handled within ${handlerTimeout} s`);
    const limit = new Limit(handlerTimeout, late, signal);
    const answer = this.#call(request, limit.signal, limit.signal);
    if (answer instanceof Promise) return answer.finally(() => limit[Symbol.dispose]());
    limit[Symbol.dispose]();
    return answer;
  }

  /**
   * Calls the handler.
   *
   * @param request What it handles.
   * @param signal What it sees.
   * @param end Until when it is waited for.
   */
  #call(
    request: Request,
    signal: AbortSignal,
    end: AbortSignal,
  ): Uint8Array | Promise<Uint8Array> {
    const { bytes, remoteAddr, data } = request;
    let result: unknown;
    let pending: boolean;
    try {
      result = this.#options.interact(data, { remoteAddr, bytes, signal });
      pending = isThenable(result);
    } catch (error) {
      return this.#handlerFailed(request, error);
    }
    if (!pending) return this.#succeed(request, result);
    return orAborted(result as PromiseLike<unknown>, end).then(
      (value) => this.#succeed(request, value),
      (error) => this.#handlerFailed(request, error),
    );
  }

  #succeed(request: Request, result: unknown): Uint8Array {
    const answer = { status: "success", id: request.id, result } as Answer;
    const plain = result === undefined && answer.id === undefined;
    let line: Uint8Array;
    try {
      // Inside of an object it would be left out.
      if (typeof result === "function" || typeof result === "symbol") stringifyJson(result);
      line = plain ? SUCCESS : encodeLine(stringifyJson(answer));
    } catch (error) {
      return this.#handlerFailed(request, error);
    }
    this.successes++;
    this.#tell(request, answer);
    return line;
  }

  #handlerFailed(request: Request, error: unknown): Uint8Array {
    this.#options.onHandlerError?.(error);
    return this.#fail(request, error);
  }

  #fail(request: Request, error: unknown): Uint8Array {
    this.failures++;
    const { failStatus: status } = this.#options;
    const answer: Answer = { status, id: request.id, error: answerText(error) };
    this.#tell(request, answer);
    return encodeLine(stringifyJson(answer));
  }

  #tell({ remoteAddr, data, started }: Request, answer: Answer): void {
    const { onMessage } = this.#options;
    if (!onMessage) return;
    const duration = (performance.now() - started) / 1000;
    const time = new Date(Date.now() - duration * 1000);
    onMessage({ time, remoteAddr, data, answer, duration });
  }
}

function encodeLine(text: string): Uint8Array {
  return encoder.encode(text + "\n");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

/** What was thrown, as the client is told of it: an object as JSON. It can be anything, even what throws when looked at. */
function answerText(thrown: unknown): string {
  try {
    if (typeof thrown !== "object" || thrown === null) return String(thrown);
    const { message, name } = thrown as Partial<Error>;
    if (typeof message !== "string") return stringifyJson(message ?? thrown);
    return message === "" ? String(name ?? "Error") : message;
  } catch {
    return "The handler threw what has no text";
  }
}
