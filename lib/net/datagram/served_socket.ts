import { within } from "../../time/deadline.ts";
import { notify, whenAborted } from "../../time/lifecycle.ts";
import type { Endpoint } from "../address/address.ts";
import type { DatagramHandler, DatagramTransportOptions } from "./transport.ts";

/** Seconds in which Deno says what the system has taken. What still waits for room may wait forever, and is given up. */
const LAST_SENDS = 0.1;

/** A datagram that Deno's socket was given and has neither sent nor refused. */
interface Sending {
  readonly bytes: Uint8Array;
  readonly to: Endpoint;
  readonly settled: PromiseWithResolvers<void>;
}

/** What the transports have in common: a socket of Deno's, which is served, sends single datagrams, and is closed in order. */
export abstract class ServedSocket implements AsyncDisposable {
  readonly finished: Promise<void>;
  protected readonly socket: Deno.DatagramConn;
  protected readonly options: DatagramTransportOptions;
  protected readonly counted = { received: 0, sent: 0, unsent: 0, bounced: 0 };
  protected isClosed = false;
  /** Whether the socket is to be closed as soon as no handler has a datagram. */
  protected isEnding = false;
  /** Whether a handler has a datagram. */
  protected isHandling = false;
  readonly #sending = new Set<Sending>();
  readonly #resolveFinished: () => void;
  /** The system holds the port until this has settled. */
  #receiving: Promise<unknown> = Promise.resolve();
  #aborting: Disposable | undefined;

  constructor(socket: Deno.DatagramConn, options: DatagramTransportOptions) {
    this.socket = socket;
    this.options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
  }

  /** Closes the socket with the signal, which may be aborted already: the last thing that a constructor does. */
  protected closeWithSignal(): void {
    this.#aborting = whenAborted(this.options.signal, () => void this.close());
  }

  async serve(handle: DatagramHandler): Promise<void> {
    // A promise that never settles, of the handler or of a send that waits for room, must not outlast the socket.
    await Promise.race([this.serveAll(handle), this.finished]);
  }

  /** Hands on every datagram until the socket is closed. */
  protected abstract serveAll(handle: DatagramHandler): Promise<void>;

  /** Waits for one datagram. */
  protected receiveOne(buffer: Uint8Array): Promise<[Uint8Array, Deno.Addr]> {
    const receiving = this.socket.receive(buffer);
    this.#receiving = receiving;
    return receiving;
  }

  /**
   * Sends one datagram, which Deno refuses once the socket is closed.
   *
   * @param payload What to send.
   * @param bytes The payload as it was passed to `write()`.
   * @param to Where to, as it was passed to `write()`.
   * @param address The same as Deno wants it.
   * @returns Resolves when it was sent, refused, or given up because the socket was closed.
   */
  protected sendOne(
    payload: Uint8Array,
    bytes: Uint8Array,
    to: Endpoint,
    address: Deno.Addr,
  ): Promise<void> {
    const sending = { bytes, to, settled: Promise.withResolvers<void>() };
    this.#sending.add(sending);
    this.socket.send(payload, address).then(
      () => this.#settle(sending),
      (error) => this.#settle(sending, { error }),
    );
    return sending.settled.promise;
  }

  #settle(sending: Sending, refusal?: { error: unknown }): void {
    if (!this.#sending.delete(sending)) return; // it was given up
    const { bytes, to, settled } = sending;
    if (refusal) this.countUnsent(bytes, to, refusal.error);
    else this.counted.sent++;
    settled.resolve();
  }

  protected countUnsent(bytes: Uint8Array, to: Endpoint, error: unknown = closedError()): void {
    this.counted.unsent++;
    notify(this.options.onUnsent, { bytes, to, error });
  }

  async flush(): Promise<void> {
    await Promise.all(Array.from(this.#sending, ({ settled }) => settled.promise));
  }

  /** Whether something that was written has neither been sent nor counted as unsent. */
  protected get isSending(): boolean {
    return this.#sending.size > 0;
  }

  end(): void {
    this.isEnding = true;
    if (!this.isHandling) void this.close();
  }

  close(): Promise<void> {
    if (!this.isClosed) {
      this.beforeClose();
      this.isClosed = true;
      this.#aborting?.[Symbol.dispose](); // not there yet where the signal was aborted from the beginning
      this.socket.close();
      this.afterClose();
      void this.#finish();
    }
    return this.finished;
  }

  /** Does what needs the open socket. */
  protected abstract beforeClose(): void;

  /** Lets go of everything else. */
  protected abstract afterClose(): void;

  async #finish(): Promise<void> {
    await this.#receiving.catch(() => {});
    while (this.isSending) {
      await within(this.flush(), LAST_SENDS);
      for (const sending of this.#sending) this.#settle(sending, { error: closedError() });
    }
    this.#resolveFinished();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What Deno's own sockets say. */
function closedError(): Error {
  return new Deno.errors.BadResource("Socket has been closed");
}
