import { ConnectError, messageOf } from "../errors.ts";
import { formatAddress, type HostPort, isIPv6, resolveHost } from "../net/address/address.ts";
import { bindDatagram, type Datagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { within } from "../time/deadline.ts";
import { closeWhenAborted } from "../time/lifecycle.ts";
import { isLocalhost, LOOPBACK } from "../net/address/localhost.ts";

/** Seconds in which an answer is read that arrived before its sender closed the port. */
const LAST_ANSWER = 0.064;

/** Where {@linkcode connectDatagram} sends. */
export interface DatagramClientOptions {
  /** Host name or IP address. Default: `localhost`, which is 127.0.0.1, or ::1 where the system reports that nobody listens there. */
  host?: string;
  /** UDP port. */
  port: number;
  /** Closes the client. */
  signal?: AbortSignal;
}

/** A datagram that came back. */
export interface DatagramAnswer {
  /** Its payload. */
  readonly bytes: Uint8Array;
  /** Who sent it, which need not be who was asked. */
  readonly from: HostPort;
}

/** A UDP socket and where it sends to. */
interface Socket {
  readonly endpoint: DatagramSocket;
  readonly to: HostPort;
  /** Called when the system reports that nobody listens there. */
  onBounced?: () => void;
}

/** Sends datagrams to one address and receives what comes back from any address; made by {@linkcode connectDatagram}. */
export class DatagramClient implements AsyncDisposable {
  /** Resolves when the client is closed. */
  readonly finished: Promise<void>;
  readonly #options: DatagramClientOptions;
  readonly #finish: () => void;
  /** Addresses that are tried when the present one refuses before it has ever answered. */
  #others: string[];
  #socket: Socket;
  #last: Uint8Array | undefined;
  /** Datagrams given to the present address. */
  #sent = 0;
  #receiving: Promise<Datagram | null> | null = null;
  /** Reports of that kind that have been dealt with. */
  #bounces = 0;
  #closed = false;

  /**
   * Use {@linkcode connectDatagram}.
   *
   * @internal
   */
  constructor(socket: Socket, others: string[], options: DatagramClientOptions) {
    this.#socket = socket;
    this.#others = others;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#finish = resolve;
    closeWhenAborted(options.signal, this.finished, () => void this.close());
  }

  /** Where datagrams go. */
  get remoteAddr(): HostPort {
    return this.#socket.to;
  }

  /** The address that datagrams are sent from. */
  get localAddr(): HostPort {
    const { hostname, port } = this.#socket.endpoint.addr as HostPort;
    return { hostname, port };
  }

  /**
   * Sends a datagram.
   *
   * @param bytes Its payload, at most 65,507 bytes over IPv4; not to be changed before an answer has come.
   * @throws {ConnectError} If the system will not send it: it is too large, or there is no way to the host.
   */
  async send(bytes: Uint8Array): Promise<void> {
    this.#last = bytes;
    this.#sent++;
    const { endpoint, to } = this.#socket;
    try {
      await endpoint.send(bytes, to);
    } catch (error) {
      // Linux may report a refusal of an earlier datagram here, and has then not sent this one.
      if (error instanceof Deno.errors.ConnectionRefused) return await this.#refused(error);
      const why = messageOf(error);
      throw this.#failure(`Cannot send ${bytes.length} bytes to`, why, error);
    }
  }

  /**
   * Waits for a datagram.
   *
   * @param seconds How long; `Infinity` is allowed.
   * @param until Ends the wait when it resolves; it must not reject.
   * @returns The datagram, or undefined when none came in time or the client was closed.
   * @throws {ConnectError} If the system reports that nobody listens there. Windows does; elsewhere no answer comes.
   */
  async receive(seconds: number, until?: Promise<unknown>): Promise<DatagramAnswer | undefined> {
    const end = performance.now() + seconds * 1000;
    while (!this.#closed) {
      const left = Math.max(0, end - performance.now()) / 1000;
      this.#receiving ??= this.#socket.endpoint.receive();
      const events = [this.#receiving, this.#bounced(), until ?? []].flat();
      await within(Promise.race(events), left);
      const refused = this.#isRefused;
      // A program that has closed the port may have answered before: that has arrived, and only has to be read.
      const datagram = await within(this.#receiving, refused ? LAST_ANSWER : 0);
      if (datagram) return this.#taken(datagram);
      if (!refused) return undefined;
      await this.#refused();
    }
    return undefined;
  }

  /** Drops the datagrams that have arrived and were not asked for, such as a second answer. */
  async dropArrived(): Promise<void> {
    // What has arrived is read within one turn of the event loop; a timer would take a millisecond.
    const turn = new Promise<null>((resolve) => setImmediate(resolve, null));
    while (!this.#closed) {
      this.#receiving ??= this.#socket.endpoint.receive();
      const datagram = await Promise.race([this.#receiving, turn]);
      if (!datagram) return;
      this.#taken(datagram);
    }
  }

  /** Whether the system has reported, since the last answer, that nobody listens. */
  get #isRefused(): boolean {
    return this.#socket.endpoint.counters.bounced > this.#bounces;
  }

  /** Resolves when the system reports that nobody listens. */
  #bounced(): Promise<void> {
    if (this.#isRefused) return Promise.resolve();
    return new Promise((resolve) => this.#socket.onBounced = resolve);
  }

  #taken({ bytes, from }: Datagram): DatagramAnswer {
    this.#receiving = null;
    this.#others = [];
    this.#bounces = this.#socket.endpoint.counters.bounced;
    const { hostname, port } = from as HostPort;
    return { bytes: bytes.slice(), from: { hostname, port } };
  }

  /** Closes the client; may be called again. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#release();
      this.#finish();
    }
    await this.finished;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Goes on with another address of the host, if there is one, and it is certain that nobody has what was sent to this one. */
  async #refused(cause?: unknown): Promise<void> {
    const hostname = this.#sent > 1 ? undefined : this.#others.shift();
    if (hostname === undefined) {
      throw this.#failure(
        "Cannot reach",
        "connection refused, nobody listens on that UDP port",
        cause,
      );
    }
    await this.#release();
    this.#bounces = this.#sent = 0;
    this.#socket = await openSocket({ hostname, port: this.#options.port });
    if (this.#last) await this.send(this.#last);
  }

  async #release(): Promise<void> {
    await this.#socket.endpoint.close();
    await this.#receiving;
    this.#receiving = null;
  }

  #failure(what: string, why: string, cause: unknown): ConnectError {
    const { host = "localhost", port } = this.#options;
    return new ConnectError(`${what} "${formatAddress({ hostname: host, port })}": ${why}`, {
      cause,
    });
  }
}

/**
 * Opens a UDP socket to exchange datagrams with one address.
 *
 * @param options Where to.
 * @returns The client.
 * @throws {ConnectError} If there is no such host.
 */
export async function connectDatagram(options: DatagramClientOptions): Promise<DatagramClient> {
  const { host = "localhost", port } = options;
  const [hostname, ...others] = isLocalhost(host) ? LOOPBACK : await resolveHost(host);
  const socket = await openSocket({ hostname: hostname!, port });
  return new DatagramClient(socket, others, options);
}

async function openSocket(to: HostPort): Promise<Socket> {
  const hostname = isIPv6(to.hostname) ? "::" : "0.0.0.0";
  const endpoint = await bindDatagram({
    listen: { hostname, port: 0 },
    onBounced: () => socket.onBounced?.(),
  });
  const socket: Socket = { endpoint, to };
  return socket;
}
