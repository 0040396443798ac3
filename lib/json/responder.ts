import { type JsonValue, stringifyJson } from "../codecs/json/json.ts";
import { parseJsonText } from "../codecs/json/parse.ts";
import { compactJson, jsonMembers } from "../codecs/json/text.ts";
import { writeJson } from "../codecs/json/write.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { ConnectError } from "../errors.ts";
import type { HostPort } from "../net/address/address.ts";
import { lineFraming } from "../net/framing/line.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { orAborted } from "../time/deadline.ts";
import { whenAborted } from "../time/lifecycle.ts";
import { Limit } from "../time/limit.ts";
import { ownProperty } from "./commands.ts";
import type { Answer, FailStatus, Interact, InteractContext } from "./protocol.ts";
import { Queue } from "../handlers/queue.ts";

/** A message that was answered. */
export interface Handled {
  /** When the message arrived. */
  readonly time: Date;
  /** Who sent it. */
  readonly remoteAddr: HostPort;
  /** The message; undefined if it could not be parsed. */
  readonly data: JsonValue | undefined;
  /** The same as JSON in one line, with the digits as received. */
  readonly text: string | undefined;
  /** The answer. */
  readonly answer: Answer;
  /** The answer as it was sent: JSON in one line. */
  readonly answerText: string;
  /** What the handler threw; undefined if it did not. */
  readonly thrown: unknown;
  /** Seconds from the message to its answer, the wait for its turn included. */
  readonly duration: number;
}

/** How a {@linkcode Responder} answers. */
export interface ResponderOptions {
  /** Handles a message. */
  interact: Interact;
  /** How many messages may be handled at once. */
  concurrency: number;
  /** The `status` of a failure. */
  failStatus: FailStatus;
  /** Maximum time to handle a message in seconds; `Infinity` for no limit. */
  handlerTimeout: number;
  /** Measures that. Default: this computer's clock. */
  clock?: Clock;
  /** The signal that handlers get. */
  signal: AbortSignal;
  /** When aborted, no handler is waited for or called any more; its reason becomes the error of the answers. */
  givenUp: AbortSignal;
  /** Called with each message that was answered. */
  onMessage?: (handled: Handled) => void;
  /** Called with each of these that was answered with a failure. */
  onFailure?: (handled: Handled) => void;
  /** Called with what a handler threw. */
  onHandlerError?: (error: unknown) => void;
  /** Called for each message that is not handled because its client has disconnected. */
  onDropped?: (remoteAddr: HostPort) => void;
  /** Called for each message that had to wait for others for more than a second, with the seconds. */
  onDelayed?: (remoteAddr: HostPort, seconds: number) => void;
}

/** The sender of messages, as answering needs to know it. */
export interface Client {
  /** The address. */
  readonly remoteAddr: HostPort;
  /** Whether it is known that no answer can reach it. */
  readonly gone: boolean;
  /** Whether it has ended its half, so that only {@linkcode Client.isThere} can tell. */
  readonly halfClosed: boolean;
  /** When the message arrived that it sent last, by the responder's clock, in ms; undefined if just now. */
  readonly since: number | undefined;
  /** Checks whether answers can reach it. */
  isThere(): Promise<boolean>;
  /** Called when it disconnects while its message waits for its turn. */
  onGone: (() => void) | undefined;
}

const { encode } = lineFraming();

/** The answer to most messages, encoded once. */
const SUCCESS = '{"status":"success"}';
const SUCCESS_LINE = encode(SUCCESS);
/** What is sent if there is no answer. */
const NOTHING = new Uint8Array();

/** Numbers that `String()` might write differently: `-0`, many digits, exponents, zeros at the end or after the point. */
const OTHER_FORM = /-0|[\d.]{16}|\d[eE]|\.\d*0(?!\d)|0\.000000/;

/** How long a message may wait for others before that is reported, in ms. */
const LONG_WAIT = 1000;

/** Without the byte order mark that files of Windows begin with, which most parsers of JSON refuse. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** The state of a message in the responder. */
class Request {
  readonly bytes: Uint8Array;
  readonly client: Client;
  readonly started: number = performance.now();
  /** When it began to wait for others; undefined if it did not have to. */
  waitsSince: number | undefined;
  text: string | undefined;
  data: JsonValue | undefined;
  /** The message's `id`, before a handler could change it. */
  id: JsonValue | undefined;
  /** The same as received. */
  idText: string | undefined;

  constructor(bytes: Uint8Array, client: Client) {
    this.bytes = bytes;
    this.client = client;
    this.waitsSince = client.since;
  }
}

/** What a handler gets beside the message. */
class MessageContext implements InteractContext {
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
  readonly #client: Client;

  constructor({ bytes, client }: Request, signal: AbortSignal) {
    this.bytes = withoutMark(bytes);
    this.signal = signal;
    this.#client = client;
  }

  get remoteAddr(): HostPort {
    return this.#client.remoteAddr;
  }
}

/** Answers messages: parses them, calls the handler in the order of their arrival, and counts. */
export class Responder {
  /** Messages answered with success so far. */
  successes = 0;
  /** Messages answered with a failure so far, including those that could not be parsed. */
  failures = 0;
  /** Messages so far that could not be parsed. */
  invalid = 0;
  /** Messages so far that were not handled because their client had disconnected. */
  dropped = 0;
  readonly #options: ResponderOptions;
  readonly #queue: Queue;
  readonly #clock: Clock;
  /** What gives up each handler that is waited for. */
  readonly #awaited = new Set<(reason: unknown) => void>();

  /** @param options How to answer. */
  constructor(options: ResponderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { concurrency, interact, givenUp } = options;
    whenAborted(givenUp, () => {
      for (const giveUp of this.#awaited) giveUp(givenUp.reason);
    });
    this.#queue = new Queue(
      "depth" in interact ? () => Math.max(concurrency, interact.depth!) : concurrency,
    );
  }

  /** Messages that are being handled or wait for it. */
  get pending(): number {
    return this.#queue.running + this.#queue.waiting;
  }

  /**
   * Answers one message.
   *
   * @param bytes The message; do not change it before it is answered.
   * @param client Who sent it; no other message of it may be in progress.
   * @returns The answer as a line, empty if the client is gone; a promise of it if that takes time.
   */
  respond(bytes: Uint8Array, client: Client): Uint8Array | Promise<Uint8Array> {
    const request = new Request(bytes, client);
    try {
      this.#read(request);
    } catch (error) {
      this.invalid++;
      return this.#fail(request, error);
    }
    if (client.gone) return this.#drop(request);
    return this.#queue.run(() => this.#begin(request), (callOff) => {
      request.waitsSince ??= this.#clock.now();
      client.onGone = () => callOff(this.#drop(request));
    });
  }

  /**
   * Answers bytes that are not a message.
   *
   * @param error What is wrong with them.
   * @param client Who sent it.
   * @returns The answer as a line.
   */
  respondBad(error: Error, client: Client): Uint8Array {
    this.invalid++;
    return this.#fail(new Request(NOTHING, client), error);
  }

  /**
   * Writes a failure that does not answer a message, and is not counted.
   *
   * @param error What is wrong.
   * @returns The answer as a line.
   */
  refusal(error: string): Uint8Array {
    return encode(stringifyJson({ status: this.#options.failStatus, error }));
  }

  #read(request: Request): void {
    const { bytes } = request;
    const { anyNumber } = this.#options.interact;
    const text = request.text = decodeUtf8(bytes);
    request.data = parseJsonText(text, { anyNumber }, bytes);
    request.id = ownProperty(request.data, "id") as JsonValue | undefined;
    if (request.id !== undefined) request.idText = textOfId(request.id, text);
  }

  /** Handles a message when its turn has come, unless its client has disconnected. */
  #begin(request: Request): Uint8Array | Promise<Uint8Array> {
    const { client, waitsSince } = request;
    client.onGone = undefined;
    if (client.gone) return this.#drop(request);
    if (waitsSince !== undefined) {
      const waited = this.#clock.now() - waitsSince;
      if (waited > LONG_WAIT) this.#options.onDelayed?.(client.remoteAddr, waited / 1000);
    }
    if (!client.halfClosed) return this.#handle(request);
    return client.isThere().then((isThere) =>
      isThere ? this.#handle(request) : this.#drop(request)
    );
  }

  #drop({ client }: Request): Uint8Array {
    this.dropped++;
    this.#options.onDropped?.(client.remoteAddr);
    return NOTHING;
  }

  #handle(request: Request): Uint8Array | Promise<Uint8Array> {
    const { handlerTimeout, clock, signal, givenUp } = this.#options;
    if (givenUp.aborted) return this.#fail(request, givenUp.reason);
    if (handlerTimeout === Infinity) return this.#call(request, signal, givenUp);
    const late = new ConnectError(
      `The message was not handled within ${handlerTimeout} s; its handler may still be at work`,
    );
    const limit = new Limit(handlerTimeout, late, signal, clock);
    const end = () => limit[Symbol.dispose]();
    try {
      const answer = this.#call(request, limit.signal, limit.signal);
      if (answer instanceof Promise) return answer.finally(end);
      end();
      return answer;
    } catch (error) {
      end(); // an onMessage has thrown
      throw error;
    }
  }

  /**
   * Calls the handler.
   *
   * @param request The message.
   * @param signal The handler's signal.
   * @param end Ends the wait for the handler.
   */
  #call(
    request: Request,
    signal: AbortSignal,
    end: AbortSignal,
  ): Uint8Array | Promise<Uint8Array> {
    let result: unknown;
    let pending: boolean;
    try {
      result = this.#options.interact(request.data, new MessageContext(request, signal));
      pending = isThenable(result);
    } catch (error) {
      return this.#handlerFailed(request, error);
    }
    if (!pending) return this.#succeed(request, result);
    if (end === this.#options.givenUp) return this.#await(request, result as PromiseLike<unknown>);
    return orAborted(result as PromiseLike<unknown>, end).then(
      (value) => this.#succeed(request, value),
      (error) => this.#handlerFailed(request, error),
    );
  }

  /** Waits for a handler until all are given up, with one listener for all of them. */
  #await(request: Request, result: PromiseLike<unknown>): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const end = (answer: () => Uint8Array) => {
        if (!this.#awaited.delete(failed)) return;
        try {
          resolve(answer());
        } catch (error) {
          reject(error);
        }
      };
      const failed = (error: unknown) => end(() => this.#handlerFailed(request, error));
      this.#awaited.add(failed);
      result.then((value) => end(() => this.#succeed(request, value)), failed);
    });
  }

  #succeed(request: Request, result: unknown): Uint8Array {
    let text = SUCCESS;
    let line = SUCCESS_LINE;
    if (result !== undefined || request.idText !== undefined) {
      try {
        text = `{"status":"success"${idMember(request)}${resultMember(result)}}`;
        line = encode(text);
      } catch (error) {
        return this.#handlerFailed(request, error);
      }
    }
    this.successes++;
    const { onMessage } = this.#options;
    if (onMessage) {
      const answer = { status: "success", id: request.id, result } as Answer;
      onMessage(new HandledMessage(request, answer, text, undefined));
    }
    return line;
  }

  #handlerFailed(request: Request, error: unknown): Uint8Array {
    this.#options.onHandlerError?.(error);
    return this.#fail(request, error, true);
  }

  #fail(request: Request, error: unknown, thrown = false): Uint8Array {
    this.failures++;
    const { failStatus: status, onMessage, onFailure } = this.#options;
    const reason = answerText(error);
    const text = `{"status":"${status}"${idMember(request)},"error":${JSON.stringify(reason)}}`;
    if (onMessage ?? onFailure) {
      const answer = { status, id: request.id, error: reason };
      const handled = new HandledMessage(request, answer, text, thrown ? error : undefined);
      onMessage?.(handled);
      onFailure?.(handled);
    }
    return encode(text);
  }
}

class HandledMessage implements Handled {
  readonly remoteAddr: HostPort;
  readonly data: JsonValue | undefined;
  readonly answer: Answer;
  readonly thrown: unknown;
  readonly duration: number;
  readonly answerText: string;
  readonly #started: number;
  readonly #text: string | undefined;

  constructor(request: Request, answer: Answer, answerText: string, thrown: unknown) {
    this.duration = (performance.now() - request.started) / 1000;
    this.#started = request.started;
    this.remoteAddr = request.client.remoteAddr;
    this.data = request.data;
    this.answer = answer;
    this.thrown = thrown;
    this.#text = request.text;
    this.answerText = answerText;
  }

  get time(): Date {
    return new Date(Date.now() - (performance.now() - this.#started));
  }

  get text(): string | undefined {
    return this.data === undefined ? undefined : compactJson(this.#text!);
  }
}

/** The `id` of a message as received. */
function textOfId(id: JsonValue, text: string): string {
  if (typeof id !== "number" && typeof id !== "object") return stringifyJson(id);
  return OTHER_FORM.test(text) ? jsonMembers(compactJson(text)).get("id")! : JSON.stringify(id);
}

function idMember({ idText }: Request): string {
  return idText === undefined ? "" : `,"id":${idText}`;
}

function resultMember(result: unknown): string {
  return result === undefined ? "" : `,"result":${writeJson(result, "result")}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

/** The `error` of an answer: text, or an object as JSON. Anything can be thrown, even an object whose properties throw. */
function answerText(thrown: unknown): string {
  try {
    if (typeof thrown !== "object" || thrown === null) return String(thrown);
    const { message, name } = thrown as Partial<Error>;
    if (typeof message !== "string") return stringifyJson(message ?? thrown);
    return message === "" ? String(name ?? "Error") : message;
  } catch {
    return "The handler threw a value that has no text";
  }
}
