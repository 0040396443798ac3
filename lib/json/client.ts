import { parseJson, stringifyJson } from "../codecs/json/json.ts";
import { CodecError, ConnectError } from "../errors.ts";
import { formatAddress } from "../net/address/address.ts";
import type { TlsIdentity } from "../net/stream/bind.ts";
import { connectStream } from "../net/stream/connect.ts";
import type { Clock } from "../time/clock.ts";
import { whenOverdue, within } from "../time/deadline.ts";
import { notify } from "../time/lifecycle.ts";
import { type LineDecoder, type LineFraming, lineFraming } from "../net/framing/line.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import { isBlankLine } from "../text/lines.ts";
import { quoted } from "../text/wording.ts";
import { ownProperty } from "./commands.ts";
import { DEFAULT_HOST, DEFAULT_PORT } from "./protocol.ts";
import {
  type AnswerData,
  type BadAnswerResult,
  type FailResult,
  type JsonSendResult,
  type NoAnswerResult,
  readAnswer,
  type SuccessResult,
} from "./read_answer.ts";
import { isWholeObject, ValueEnd } from "./value_end.ts";

/** Seconds of silence after which an answer that is complete needs no newline. */
const COMPLETE_AFTER = 0.1;

/** Where and how a message is sent. The first two and their defaults are the template's. */
export interface JsonSendOptions {
  /** Host name or IP address of the server. Default: `127.0.0.1`. */
  host?: string;
  /** TCP port of the server. Default: 65432. */
  port?: number;
  /** Seconds that connecting, and then each answer, may take. Default: 5. */
  timeout?: number;
  /** How many more times to try to connect. A message is never sent twice. Default: 0. */
  retries?: number;
  /** Seconds between two attempts to connect. Default: 1. */
  retryDelay?: number;
  /** Whether to speak TLS. Default: false, or true where `ca` or `identity` is given. */
  tls?: boolean;
  /** Certificates of authorities to trust beside the usual ones, as PEM text. */
  ca?: string;
  /** Certificate and key to show the server. */
  identity?: TlsIdentity;
  /** Longest answer in bytes. Default: 67,108,864. */
  maxBytes?: number;
  /**
   * Whether answers may have numbers that JavaScript cannot represent, such as `1e400`: they are exact in the `text` of the result, and
   * infinite, or 0, everywhere else. Default: false, such an answer is invalid.
   */
  anyNumber?: boolean;
  /** Cancels everything. */
  signal?: AbortSignal;
  /** Called when the server reports success: the template's `server_success`. */
  onSuccess?: (response: AnswerData, result: SuccessResult) => void;
  /** Called when the server reports a failure: the template's `server_fail`. */
  onFail?: (response: AnswerData, result: FailResult) => void;
  /** Called when there is no answer: the template's `fail_connect`. */
  onConnectFail?: (error: ConnectError, result: NoAnswerResult) => void;
  /** Called when the answer is invalid. */
  onBadAnswer?: (error: Error, result: BadAnswerResult) => void;
  /** Called at each step with what happens; `console.error` makes it the template's `debug=True`. */
  debug?: (message: string) => void;
  /**
   * Measures the time that answers take. Default: this computer's clock.
   *
   * @internal
   */
  clock?: Clock;
}

/**
 * Sends a message to a server, on its own connection, and waits for the answer: the template's `send_data`.
 *
 * @param json The message: any value that JSON can represent.
 * @param options Where the server is, how long to wait, and callbacks.
 * @returns The result. Its `outcome` is `"success"`, `"fail"`, `"no-answer"` or `"bad-answer"`; nothing is thrown for these.
 * @throws {CodecError} If JSON cannot represent the message.
 * @throws {UsageError} If the port is none, or the certificate or key of `identity` cannot be used.
 * @throws The signal's reason, if it is aborted.
 *
 * @example The document's message
 * ```ts
 * import { sendJson, startJsonServer } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startJsonServer({ port: 0 });
 * const data = {
 *   command_id: "test_command",
 *   param1: 100,
 *   param2: "this is text",
 *   param3: true,
 *   param4: [1, 2, 3, 4, "text in list"],
 * };
 * const calls: string[] = [];
 * const answer = await sendJson(data, {
 *   port: server.addr.port,
 *   onSuccess: () => calls.push("Server reported success."),
 *   onFail: (response) => calls.push(`Server reported an error. ${response.error}`),
 *   onConnectFail: () => calls.push("Failed to connect to the server or the server timed out."),
 * });
 * assertEquals(answer.outcome, "success");
 * assertEquals(calls, ["Server reported success."]);
 * ```
 */
export async function sendJson(
  json: unknown,
  options: JsonSendOptions = {},
): Promise<JsonSendResult> {
  const line = stringifyJson(json);
  let client: JsonClient;
  try {
    client = await connectJson(options);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    return report({ outcome: "no-answer", error, sent: false }, options);
  }
  await using open = client;
  return await open.sendLine(line);
}

/**
 * Connects to a server for any number of messages. Messages may be sent without waiting for earlier answers; the answers arrive in the
 * order of the messages. Where that is doubtful the connection is closed, and what has no answer yet gets none: when an answer comes
 * for which nothing was asked, has another `id` than its message, is no object, or is late.
 *
 * @param options Where the server is, how long to wait, and callbacks.
 * @returns The client, to be closed.
 * @throws {ConnectError} If the server cannot be reached.
 * @throws {UsageError} If the port is none, or the certificate or key of `identity` cannot be used.
 *
 * @example Three at once
 * ```ts
 * import { connectJson, startJsonServer } from "@labwire/labwire/json";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = startJsonServer({ port: 0, interact: (data) => data.n * data.n });
 * await using client = await connectJson({ port: server.addr.port });
 * const answers = await Promise.all([1, 2, 3].map((n) => client.send({ n })));
 * assertEquals(answers.map((a) => a.outcome === "success" && a.result), [1, 4, 9]);
 * ```
 */
export async function connectJson(options: JsonSendOptions = {}): Promise<JsonClient> {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, timeout = 5, retries = 0 } = options;
  const { retryDelay, tls, ca, identity, signal, debug } = options;
  const connection = await connectStream({
    host,
    port,
    timeout,
    attempts: retries + 1,
    retryDelay,
    tls,
    ca,
    identity,
    signal,
    onAttemptFailed: (attempt, attempts, error) =>
      notify(
        debug,
        `Attempt ${attempt} of ${attempts}: ${error instanceof Error ? error.message : error}`,
      ),
  });
  notify(debug, `Connected with ${formatAddress({ hostname: host, port })}`);
  return new JsonClient(connection, options);
}

/** A message without an answer. */
interface Waiting {
  /** The message. */
  readonly line: string;
  readonly resolve: (result: JsonSendResult) => void;
  /** Where it ends among all bytes of the connection. */
  readonly end: number;
}

/** Why nothing more can be sent. */
interface Over {
  readonly why: string;
  /** Whether the time was over, so that a message which the system has not accepted has certainly not been sent. */
  readonly late?: boolean;
  readonly cause?: unknown;
}

/** A client on one connection; made by {@linkcode connectJson}. */
export class JsonClient implements AsyncDisposable {
  /** Resolves when the connection is closed, for any reason. */
  readonly finished: Promise<void>;
  readonly #connection: StreamConnection;
  readonly #options: JsonSendOptions;
  readonly #where: string;
  readonly #framing: LineFraming;
  readonly #decoder: LineDecoder;
  readonly #waiting: Waiting[] = [];
  #timer: Disposable | undefined;
  #over: Over | null = null;

  /**
   * Takes over a connection; usually, use `connectJson()`.
   *
   * @param connection The open connection, which the client owns from now on.
   * @param options As for {@linkcode connectJson}.
   *
   * @internal
   */
  constructor(connection: StreamConnection, options: JsonSendOptions = {}) {
    this.#connection = connection;
    this.#options = options;
    const { host = DEFAULT_HOST, port = DEFAULT_PORT } = options;
    this.#where = formatAddress({ hostname: host, port });
    this.#framing = lineFraming({ maxBytes: options.maxBytes ?? 1 << 26 });
    this.#decoder = this.#framing.decoder();
    this.finished = this.#read();
  }

  /** Whether messages can be sent: the connection is open. */
  get open(): boolean {
    return this.#over === null;
  }

  /**
   * Sends a message.
   *
   * @param json The message: any value that JSON can represent.
   * @returns The result, as for {@linkcode sendJson}.
   * @throws {CodecError} If JSON cannot represent the message.
   * @throws The signal's reason, if it is aborted.
   */
  // deno-lint-ignore require-await
  async send(json: unknown): Promise<JsonSendResult> {
    return this.sendLine(stringifyJson(json));
  }

  /**
   * Sends a message that already is one line of JSON.
   *
   * @param line The line, without a newline.
   * @returns The result, as for {@linkcode sendJson}.
   * @throws {CodecError} If there is a newline in it.
   * @throws The signal's reason, if it is aborted.
   */
  async sendLine(line: string): Promise<JsonSendResult> {
    const result = await this.#exchange(line);
    if (result.outcome === "no-answer") this.#options.signal?.throwIfAborted();
    return report(result, this.#options);
  }

  /**
   * Closes the connection. Messages without an answer fail.
   *
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  async close(): Promise<void> {
    this.#end({ why: `The connection with "${this.#where}" was closed` });
    await this.#connection.close();
    await this.finished;
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #exchange(line: string): Promise<JsonSendResult> {
    const { held } = this.#decoder;
    if (this.#waiting.length === 0 && !isBlankLine(held)) {
      this.#giveUp(this.#unsolicited(new TextDecoder().decode(held)));
    }
    if (this.#over) {
      const { why, cause } = this.#over;
      const error = new ConnectError(`Cannot send on a closed connection: ${why}`, { cause });
      return Promise.resolve({ outcome: "no-answer", error, sent: false });
    }
    notify(this.#options.debug, `Sending ${line}`);
    const bytes = this.#framing.encode(line);
    return new Promise((resolve) => {
      const { bytesSent, bytesQueued } = this.#connection;
      this.#waiting.push({ line, resolve, end: bytesSent + bytesQueued + bytes.length });
      if (this.#waiting.length === 1) this.#startTimer();
      void this.#connection.write(bytes);
    });
  }

  async #read(): Promise<void> {
    const decoder = this.#decoder;
    try {
      for (let chunk; (chunk = await this.#readChunk()) !== null;) {
        decoder.push(chunk);
        // At once, so that a message sent because of one answer is not given the next, which came before it.
        for (let line; (line = decoder.next()) !== null;) this.#take(line);
      }
      const last = this.#connection.readEnd === "ended" ? decoder.end() : null;
      if (last) this.#take(last);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#giveUp({ why: error.message, cause: error });
    }
    this.#end(this.#whyOver());
    await this.#connection.close();
  }

  /** Reads on, and takes an answer that is complete but has no newline, when nothing follows for a moment. */
  async #readChunk(): Promise<Uint8Array | null> {
    const decoder = this.#decoder;
    const reading = this.#connection.read();
    if (decoder.held.length === 0) return await reading;
    const isSilent = await within(reading, COMPLETE_AFTER, this.#options.clock) === undefined;
    if (isSilent && new ValueEnd().isComplete(decoder.held)) this.#take(decoder.end()!);
    return await reading;
  }

  /** Takes an answer. One that makes it doubtful which message the next one is for ends the connection. */
  #take(line: Uint8Array): void {
    if (this.#over || isBlankLine(line)) return;
    const waiting = this.#waiting[0];
    const result = readAnswer(line, this.#options);
    if (!waiting) {
      if (result.outcome !== "fail") return this.#giveUp(this.#unsolicited(result.text));
      return this.#giveUp({ why: `"${this.#where}" closed the connection: ${result.error}` });
    }
    notify(this.#options.debug, `Received ${result.text}`);
    const other = otherId(result, waiting.line);
    if (other) return this.#giveUp({ why: `"${this.#where}" answered another message: ${other}` });
    this.#waiting.shift();
    this.#timer?.[Symbol.dispose]();
    waiting.resolve(result);
    if (result.outcome === "bad-answer" && !isWholeObject(line)) {
      return this.#giveUp({
        why: `"${this.#where}" sent ${quoted(result.text)}, which is no answer`,
      });
    }
    if (this.#waiting.length > 0) this.#startTimer();
  }

  #unsolicited(text: string): Over {
    return { why: `"${this.#where}" sent ${quoted(text)}, for which nothing had been asked` };
  }

  #giveUp(over: Over): void {
    this.#end(over);
    void this.#connection.abort();
  }

  /** Limits the wait for the answer to the first unanswered message. */
  #startTimer(): void {
    const { timeout = 5, clock } = this.#options;
    if (timeout === Infinity) return;
    this.#timer = whenOverdue(timeout, () => {
      // A later answer would count as the answer to the next message, so the connection has to be closed.
      this.#end({ why: `No answer from "${this.#where}" within ${timeout} s`, late: true });
      void this.#connection.abort();
    }, clock);
  }

  #whyOver(): Over {
    const { closeReason, readEnd, error: cause } = this.#connection;
    const how = readEnd === "lost" || closeReason === "reset" ? "reset" : "closed";
    const why = cause instanceof ConnectError ? `, as ${cause.message}` : "";
    return { why: `"${this.#where}" ${how} the connection without an answer${why}`, cause };
  }

  #end(over: Over): void {
    this.#over ??= over;
    this.#timer?.[Symbol.dispose]();
    for (const { resolve, end } of this.#waiting.splice(0)) {
      const sent = end <= this.#connection.bytesSent || !this.#over.late;
      resolve({ outcome: "no-answer", error: withoutAnswer(this.#over, sent), sent });
    }
  }
}

function withoutAnswer({ why, cause }: Over, sent: boolean): ConnectError {
  const fate = sent
    ? ": the message was sent, and may still be carried out"
    : ": it has not read the whole message";
  return new ConnectError(why + fate, { cause });
}

/** What shows that an answer is to another message: both have an `id`, a plain one, and not the same. */
function otherId(
  result: SuccessResult | FailResult | BadAnswerResult,
  message: string,
): string | undefined {
  if (result.outcome === "bad-answer" || !message.includes('"id"')) return undefined;
  const found = ownProperty(result.response, "id");
  const wanted = idOf(message);
  if (!isPlain(found) || !isPlain(wanted)) return undefined;
  // A server may write a number in another form.
  if (String(found) === String(wanted) || Number(found) === Number(wanted)) return undefined;
  return `expected the id ${stringifyJson(wanted)}, found ${stringifyJson(found)}`;
}

function idOf(message: string): unknown {
  try {
    return ownProperty(parseJson(message, { anyNumber: true }), "id");
  } catch {
    return undefined; // the server is to say what is wrong with it
  }
}

function isPlain(id: unknown): boolean {
  return id !== undefined && typeof id !== "object";
}

/** Calls the callback, and returns the result. */
function report<R extends JsonSendResult>(result: R, options: JsonSendOptions): R {
  if (result.outcome === "success") options.onSuccess?.(result.response, result);
  else if (result.outcome === "fail") options.onFail?.(result.response, result);
  else if (result.outcome === "no-answer") options.onConnectFail?.(result.error, result);
  else options.onBadAnswer?.(result.error, result);
  return result;
}
