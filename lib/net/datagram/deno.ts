import { whenAborted } from "../../time/lifecycle.ts";
import type { Endpoint } from "../address/address.ts";
import { fixedMemory } from "./memory.ts";
import { joinGroup, type MulticastOptions } from "./multicast.ts";
import type { DatagramHandler, DatagramTransport, DatagramTransportOptions } from "./transport.ts";
import { clearPath, SocketFile } from "./unix.ts";

/** Room for the largest datagram: VILLASnode's own buffers are this size too. */
const MAX_DATAGRAM = 65536;

/**
 * Datagrams by Deno's own sockets: a system call and a promise for each. UDP over IPv4 or IPv6, or a unix datagram socket; datagrams up
 * to 64 KiB arrive whole.
 */
export class DenoDatagrams implements DatagramTransport {
  readonly addr: Endpoint;
  readonly finished: Promise<void>;
  readonly counters = { received: 0, sent: 0, unsent: 0, bounced: 0 };
  readonly #socket: Deno.DatagramConn;
  readonly #options: DatagramTransportOptions;
  readonly #buffer = fixedMemory(MAX_DATAGRAM);
  readonly #file: SocketFile | undefined;
  readonly #aborting: Disposable;
  readonly #resolveFinished: () => void;
  /** The system holds the port until this has settled. */
  #receiving: Promise<unknown> = Promise.resolve();
  #closed = false;
  #ending = false;
  #handling = false;
  /** Datagrams that the system has neither taken nor refused yet. */
  #pending = 0;
  #flushed: PromiseWithResolvers<void> | undefined;
  /** Where the last datagram went, and the same as Deno wants it: most go to the same place. */
  #to: Endpoint | undefined;
  #address: Deno.Addr | undefined;

  /** Use {@linkcode bindDatagram}. */
  constructor(socket: Deno.DatagramConn, options: DatagramTransportOptions) {
    this.#socket = socket;
    this.#options = options;
    this.addr = toEndpoint(socket.addr);
    if ("path" in this.addr) this.#file = new SocketFile(this.addr.path);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
    this.#aborting = whenAborted(options.signal, () => void this.close());
  }

  async serve(handle: DatagramHandler): Promise<void> {
    // A send that waits for a unix socket's reader never settles, not even when this socket is closed.
    await Promise.race([this.#serve(handle), this.finished]);
  }

  async #serve(handle: DatagramHandler): Promise<void> {
    while (!this.#closed) {
      let arrived: [Uint8Array, Deno.Addr];
      try {
        const receiving = this.#socket.receive(this.#buffer);
        this.#receiving = receiving;
        arrived = await receiving;
      } catch (error) {
        this.#checkReceive(error);
        continue;
      }
      this.counters.received++;
      this.#handling = true;
      const waiting = handle(arrived[0], toEndpoint(arrived[1]));
      if (waiting) await waiting;
      this.#handling = false;
      if (this.#ending) await this.close();
    }
  }

  write(bytes: Uint8Array, to: Endpoint): Promise<void> {
    if (to !== this.#to) {
      this.#to = to;
      this.#address = "path" in to
        ? { transport: "unixpacket", path: to.path }
        : { transport: "udp", hostname: to.hostname, port: to.port };
    }
    this.#pending++;
    return this.#socket.send(bytes, this.#address!).then(this.#onSent, (error) => {
      this.counters.unsent++;
      this.#settle();
      this.#options.onUnsent?.({ bytes, to, error });
    });
  }

  async flush(): Promise<void> {
    if (this.#pending === 0) return;
    this.#flushed ??= Promise.withResolvers<void>();
    await Promise.race([this.#flushed.promise, this.finished]);
  }

  end(): void {
    this.#ending = true;
    if (!this.#handling) void this.close();
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#aborting?.[Symbol.dispose](); // not there yet where the signal was aborted from the beginning
      this.#socket.close();
      this.#file?.remove();
      this.#receiving.then(this.#resolveFinished, this.#resolveFinished);
    }
    return this.finished;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onSent = (): void => {
    this.counters.sent++;
    this.#settle();
  };

  #settle(): void {
    if (--this.#pending > 0 || this.#flushed === undefined) return;
    this.#flushed.resolve();
    this.#flushed = undefined;
  }

  /** Lets pass what does not end the socket. */
  #checkReceive(error: unknown): void {
    if (this.#closed) return;
    if (!isBounce(error)) throw error;
    this.counters.bounced++;
    this.#options.onBounced?.(error);
  }
}

/**
 * Binds a socket of Deno's.
 *
 * @param listen An IP address and a port, 0 for one that is free, or the path of a unix socket.
 * @param multicast A group to join.
 * @returns The bound socket.
 * @throws What Deno throws, and {@linkcode UsageError} if a unix path cannot be used.
 */
export async function openDenoSocket(
  listen: Endpoint,
  multicast?: MulticastOptions,
): Promise<Deno.DatagramConn> {
  if (typeof Deno.listenDatagram !== "function") {
    throw new Error(
      'Cannot use datagrams: Deno needs "unstable": ["net"] in deno.json, or --unstable-net',
    );
  }
  if ("path" in listen) await clearPath(listen.path);
  const socket = "path" in listen
    ? Deno.listenDatagram({ transport: "unixpacket", path: listen.path })
    : Deno.listenDatagram({
      transport: "udp",
      hostname: listen.hostname,
      port: listen.port,
      reuseAddress: multicast !== undefined, // several programs of a computer may be in a group
    });
  if (multicast) {
    try {
      await joinGroup(socket, multicast);
    } catch (error) {
      socket.close();
      throw error;
    }
  }
  return socket;
}

function toEndpoint(address: Deno.Addr): Endpoint {
  if (address.transport === "unixpacket" || address.transport === "unix") {
    return { path: address.path ?? "" };
  }
  return address as Deno.NetAddr;
}

/** What a system reports on a socket because an earlier datagram met a closed port. */
function isBounce(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused;
}
