import { concat } from "@std/bytes/concat";
import { ConnectError } from "../errors.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import { connectStream, type ConnectStreamOptions } from "../net/stream/connect.ts";
import { within } from "../time/deadline.ts";
import type { GraceOptions, StreamConnection } from "../net/stream/connection.ts";

/** Seconds in which a message is at its end once its last piece is sent. */
const LAST_PIECE = 0.1;

/** When an answer is complete. Without `count` or `wait` it is when the peer is silent for `quiet`, or ends. */
export interface ReceiveOptions {
  /** Seconds to wait for the first byte, and with `count` for each further one. Default: 5. */
  timeout?: number;
  /** Seconds of silence that end the answer. Default: 0.1. */
  quiet?: number;
  /** Bytes that make the answer; more are left for the next one. */
  count?: number;
  /** Seconds in which to receive whatever comes, once the message is sent. */
  wait?: number;
  /** Resolves when the message is sent: time counts from then on, and until then only while the peer takes nothing. */
  sending?: Promise<unknown>;
}

/** How {@linkcode ByteClient.ask} sends and receives. */
export interface AskOptions extends Omit<ReceiveOptions, "sending"> {
  /** End this side of the connection after the message; the answer is then complete when the server ends its side, or is silent for `timeout`. */
  halfClose?: boolean;
  /** Called when the answer was complete before all of the message was sent, or it was known that there is no more of it. */
  onUnsent?: () => void;
}

/**
 * A connection for plain bytes, on which messages are sent and answers received; made by {@linkcode connectBytes}.
 */
export class ByteClient implements AsyncDisposable {
  /** The underlying connection, for whatever this class does not do; it must not be read from. */
  readonly connection: StreamConnection;
  readonly #name: string;
  #reading: Promise<Uint8Array | null> | null = null;
  /** What arrived beyond the last answer. */
  #rest: Uint8Array | null = null;

  /**
   * Use {@linkcode connectBytes}.
   *
   * @internal
   */
  constructor(connection: StreamConnection, name: string) {
    this.connection = connection;
    this.#name = name;
  }

  /** The server's address. */
  get remoteAddr(): HostPort {
    return this.connection.remoteAddr;
  }

  /** This side's address. */
  get localAddr(): HostPort {
    return this.connection.localAddr;
  }

  /** Resolves when the connection is closed. */
  get finished(): Promise<void> {
    return this.connection.finished;
  }

  /**
   * Sends bytes, and waits as long as the peer does not take them.
   *
   * @param message What to send; not to be changed before the promise resolves.
   * @throws {ConnectError} If the connection is gone.
   */
  async send(message: Uint8Array): Promise<void> {
    if (await this.connection.write(message)) return;
    throw new ConnectError(`Cannot send to "${this.#name}": ${this.#howItEnded()}`);
  }

  /** Ends this side; the peer reads the end and may still answer. */
  async closeWrite(): Promise<void> {
    await this.connection.closeWrite();
  }

  /**
   * Receives one answer, piece by piece as it comes.
   *
   * @param options When it is complete.
   * @returns The pieces, each valid until the next one is asked for.
   * @throws {ConnectError} If nothing comes in time, the connection is closed before anything has come, or it ends before `count`
   * bytes have come.
   */
  async *receive(options: ReceiveOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    const { timeout = 5, quiet = 0.1, count = Infinity, wait, sending } = options;
    let sent = sending === undefined;
    let since = performance.now();
    let wake = () => {};
    const onSent = () => {
      sent = true;
      since = performance.now();
      wake();
    };
    void sending?.then(onSent, onSent);
    for (let total = 0; total < count;) {
      const isBegun = total > 0 && count === Infinity;
      const left = (wait ?? 0) - (performance.now() - since) / 1000;
      const wasSent = sent;
      const silence = wait !== undefined ? Math.max(0, left) : isBegun ? quiet : timeout;
      const before = this.connection.bytesSent;
      const chunk = wasSent
        ? await this.#next(silence)
        : await this.#next(timeout, new Promise((resolve) => wake = () => resolve(undefined)));
      if (chunk === undefined) {
        if (!wasSent && (sent || this.#isTaking(before))) continue;
        if (wasSent && isBegun) return;
        throw total === 0 || count < Infinity
          ? this.#incomplete(`in ${wasSent && wait !== undefined ? wait : timeout} s`, total, count)
          : new ConnectError(`Cannot send to "${this.#name}": it took nothing for ${timeout} s`);
      }
      if (chunk === null) {
        if (total > 0 && count === Infinity) return;
        throw this.#incomplete(`before ${this.#howItEnded()}`, total, count);
      }
      const piece = chunk.subarray(0, count - total);
      if (piece.length < chunk.length) this.#rest = chunk.slice(piece.length);
      total += piece.length;
      yield piece;
    }
  }

  /**
   * Sends a message and receives its answer, both at the same time and piece by piece.
   *
   * @param message The pieces of the message.
   * @param options When the answer is complete.
   * @returns The pieces of the answer, each valid until the next one is asked for.
   * @throws {ConnectError} As {@linkcode ByteClient.receive} does.
   * @throws What reading the message throws.
   */
  async *ask(
    message: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: AskOptions = {},
  ): AsyncGenerator<Uint8Array, void, void> {
    const { halfClose = false, onUnsent, timeout = 5 } = options;
    let isUnsent = true;
    let failure: { error: unknown } | undefined;
    const sending = (async () => {
      for await (const piece of message) await this.send(piece);
      isUnsent = false;
      if (halfClose) await this.closeWrite();
    })();
    sending.catch((error) => {
      // The server may answer, and close, without having read everything; a message that cannot be read is another matter.
      if (error instanceof ConnectError) return;
      failure = { error };
      void this.connection.abort();
    });
    const quiet = halfClose ? timeout : options.quiet;
    try {
      yield* this.receive({ ...options, quiet, sending });
    } catch (error) {
      throw failure ? failure.error : error;
    }
    // The end of a file, for example, shows a moment after its last piece.
    if (isUnsent) await within(sending.catch(() => {}), LAST_PIECE);
    if (failure) throw failure.error;
    if (isUnsent) onUnsent?.();
  }

  /**
   * Sends a message and receives its answer whole. What comes later, after a timeout too, is the beginning of the next answer: where that
   * could be, go on with another connection.
   *
   * @param message What to send.
   * @param options When the answer is complete.
   * @returns The answer.
   * @throws {ConnectError} As {@linkcode ByteClient.receive} does.
   */
  async exchange(message: Uint8Array, options: AskOptions = {}): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.ask([message], options)) pieces.push(piece.slice());
    return concat(pieces);
  }

  /**
   * Closes the connection.
   *
   * @param options Most seconds to wait until what was sent has left, 1 by default.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options?: GraceOptions): Promise<void> {
    return this.connection.close(options);
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The next bytes; undefined if none come in time, or when woken; null at the end. A read that was not done in time goes on. */
  async #next(
    seconds: number,
    woken?: Promise<undefined>,
  ): Promise<Uint8Array | null | undefined> {
    if (this.#rest) {
      const rest = this.#rest;
      this.#rest = null;
      return rest;
    }
    this.#reading ??= this.connection.read();
    const reading = this.#reading;
    let chunk = await within(woken ? Promise.race([reading, woken]) : reading, seconds);
    // A timer that fires late, as where the computer slept, has not seen what came meanwhile.
    if (chunk === undefined) chunk = await within(reading, 0);
    if (chunk !== undefined) this.#reading = null;
    return chunk;
  }

  /** Whether the peer has taken something since so many bytes were sent, or there was nothing for it to take. */
  #isTaking(before: number): boolean {
    const { bytesSent, bytesQueued } = this.connection;
    return bytesSent > before || bytesQueued === 0;
  }

  #incomplete(why: string, total: number, count: number): ConnectError {
    const what = total === 0 ? "No answer" : `Only ${total} of ${count} bytes`;
    return new ConnectError(`${what} from "${this.#name}" ${why}`);
  }

  #howItEnded(): string {
    const { readEnd, error, closeReason } = this.connection;
    if (closeReason === "aborted") return "the exchange was called off";
    if (readEnd === "lost") return `the connection broke${error ? `: ${error.message}` : ""}`;
    return "the server closed the connection";
  }
}

/** Where {@linkcode connectBytes} connects. */
export type ConnectBytesOptions = ConnectStreamOptions;

/**
 * Connects to a server that speaks plain bytes over TCP or TLS.
 *
 * @param options Where and how.
 * @returns The client.
 * @throws {ConnectError} If no connection is made; see `connectStream()`.
 * @throws {UsageError} If the port is none, or the certificate or key of `identity` cannot be used.
 *
 * @example Ask an echo
 * ```ts
 * import { connectBytes, listenBytes } from "@labwire/labwire/socket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = listenBytes({ port: 0 });
 * await using client = await connectBytes({ port: server.addr.port });
 * const answer = await client.exchange(new TextEncoder().encode("Hello, world"));
 * assertEquals(new TextDecoder().decode(answer), "Hello, world");
 * ```
 */
export async function connectBytes(options: ConnectBytesOptions): Promise<ByteClient> {
  const { host = "localhost", port } = options;
  const connection = await connectStream(options);
  return new ByteClient(connection, formatAddress({ hostname: host, port }));
}
