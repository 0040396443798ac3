import { UsageError } from "../../errors.ts";
import { within } from "../../time/deadline.ts";
import { type Endpoint, listenError, unmapped } from "../address/address.ts";
import { isLocalAddress, isWildcard } from "../address/local_address.ts";

/** Room for the largest datagram: VILLASnode's own buffers are this size too. */
const MAX_DATAGRAM = 65536;

/** Bytes that the path of a unix socket may have; the shortest of the systems that have them (macOS) takes 103. */
const LONGEST_PATH = Deno.build.os === "linux" ? 107 : 103;

/** How long a program may take to accept a datagram. */
const PROBE_SECONDS = 0.5;

/** One datagram as it arrived. */
export interface Datagram {
  /** Its payload. The memory is used again for the next datagram: copy what must last. */
  readonly bytes: Uint8Array;
  /** Who sent it; a unix socket without a name has an empty path. */
  readonly from: Endpoint;
}

/** How a datagram socket is bound. */
export interface BindDatagramOptions {
  /** Where to listen: an IP address and a port, 0 for one that is free, or the path of a unix socket. */
  listen: Endpoint;
  /** Closes the socket when aborted. */
  signal?: AbortSignal;
}

/**
 * A bound datagram socket: UDP over IPv4 or IPv6, or a unix datagram socket. Datagrams up to 64 KiB arrive whole.
 *
 * @example A datagram to oneself
 * ```ts
 * import { bindDatagram } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
 * await socket.send(new Uint8Array([1, 2, 3]), socket.addr);
 * const datagram = await socket.receive();
 * assertEquals(datagram?.bytes, new Uint8Array([1, 2, 3]));
 * ```
 */
export class DatagramEndpoint implements AsyncDisposable {
  /** The address that is really bound. */
  readonly addr: Endpoint;
  /** Resolves when the socket is closed. */
  readonly finished: Promise<void>;
  /** Errors that the system reported for datagrams sent earlier (Windows tells of closed ports this way). */
  bounced = 0;
  readonly #socket: Deno.DatagramConn;
  readonly #buffer = new Uint8Array(MAX_DATAGRAM);
  readonly #port: number | undefined;
  readonly #resolveFinished: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => void this.close();
  /** The inode of a unix socket's file, to remove this one and no other. */
  readonly #inode: number | null;
  #closed = false;
  #ending = false;
  #handling = false;
  /** Where the last datagram went, and the same as Deno wants it: most go to the same place. */
  #to: Endpoint | undefined;
  #address: Deno.Addr | undefined;

  /** Use {@linkcode bindDatagram}. */
  constructor(socket: Deno.DatagramConn, signal?: AbortSignal) {
    this.#socket = socket;
    this.addr = toEndpoint(socket.addr);
    this.#port = "path" in this.addr ? undefined : this.addr.port;
    this.#inode = "path" in this.addr ? inodeOf(this.addr.path) : null;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    this.#resolveFinished = resolve;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Waits for the next datagram.
   *
   * @returns The datagram, or null once the socket is closed.
   */
  async receive(): Promise<Datagram | null> {
    while (!this.#closed) {
      try {
        const [bytes, from] = await this.#socket.receive(this.#buffer);
        return { bytes, from: toEndpoint(from) };
      } catch (error) {
        this.#checkReceive(error);
      }
    }
    return null;
  }

  /**
   * Hands every datagram to a function until the socket is closed: the fast way to receive, with no promise and no object
   * per datagram beyond the system's own. Closing does not wait for the function; {@linkcode DatagramEndpoint.end} does.
   *
   * @param handle Takes one datagram, whose bytes last until it returns or its promise resolves.
   */
  async serve(handle: (bytes: Uint8Array, from: Endpoint) => void | Promise<void>): Promise<void> {
    // A send that waits for a unix socket's reader never settles, not even when this socket is closed.
    await Promise.race([this.#serve(handle), this.finished]);
  }

  async #serve(handle: (bytes: Uint8Array, from: Endpoint) => void | Promise<void>): Promise<void> {
    while (!this.#closed) {
      let arrived: [Uint8Array, Deno.Addr];
      try {
        arrived = await this.#socket.receive(this.#buffer);
      } catch (error) {
        this.#checkReceive(error);
        continue;
      }
      this.#handling = true;
      const waiting = handle(arrived[0], toEndpoint(arrived[1]));
      if (waiting) await waiting;
      this.#handling = false;
      if (this.#ending) await this.close();
    }
  }

  /** Closes the socket as soon as {@linkcode DatagramEndpoint.serve} is done with the datagram in hand. */
  end(): void {
    this.#ending = true;
    if (!this.#handling) void this.close();
  }

  /**
   * Sends one datagram.
   *
   * @param bytes Its payload, at most 65,507 bytes over IPv4. Must stay unchanged until the promise resolves.
   * @param to Where to; a host name is resolved each time, so pass an IP address.
   * @returns How many bytes the system took: all of them. Rejects if a unix path has nobody behind it.
   */
  send(bytes: Uint8Array, to: Endpoint): Promise<number> {
    if (to !== this.#to) {
      this.#to = to;
      this.#address = "path" in to
        ? { transport: "unixpacket", path: to.path }
        : { transport: "udp", hostname: to.hostname, port: to.port };
    }
    return this.#socket.send(bytes, this.#address!);
  }

  /**
   * Whether an address is this socket's own. A datagram that seems to come from there was forged, or sent back by mistake; who
   * answers it, answers himself, and never ends.
   *
   * @param from Who sent a datagram.
   */
  isOwn(from: Endpoint): boolean {
    if ("path" in from) return from.path !== "" && sameEndpoint(from, this.addr);
    if (from.port !== this.#port || "path" in this.addr) return false;
    const { hostname } = this.addr;
    return isWildcard(hostname)
      ? isLocalAddress(from.hostname)
      : unmapped(from.hostname) === unmapped(hostname);
  }

  /** Lets pass what does not end the socket. */
  #checkReceive(error: unknown): void {
    if (this.#closed) return;
    if (!isBounce(error)) throw error;
    this.bounced++;
  }

  /** Yields datagrams until the socket is closed; see {@linkcode Datagram.bytes} for how long each lasts. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, void, void> {
    for (let datagram = await this.receive(); datagram; datagram = await this.receive()) {
      yield datagram;
    }
  }

  /** Closes the socket; may be called again. A unix socket's file is removed. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#signal?.removeEventListener("abort", this.#onAbort);
      this.#socket.close();
      if ("path" in this.addr && inodeOf(this.addr.path) === this.#inode) {
        Deno.removeSync(this.addr.path);
      }
      this.#resolveFinished();
    }
    return this.finished;
  }

  /** Closes the socket. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Binds a datagram socket.
 *
 * A socket file left behind at a unix path is removed first; any other kind of file is left alone and is an error.
 *
 * @param options Where to listen.
 * @returns The bound socket.
 * @throws {UsageError} If the address is taken, not of this computer, or of a kind that the platform does not have.
 */
export async function bindDatagram(options: BindDatagramOptions): Promise<DatagramEndpoint> {
  const { listen, signal } = options;
  if (typeof Deno.listenDatagram !== "function") {
    throw new Error(
      'Cannot use datagrams: Deno needs "unstable": ["net"] in deno.json, or --unstable-net',
    );
  }
  if ("path" in listen && Deno.build.os === "windows") {
    throw new UsageError(
      `Cannot listen on "${listen.path}": Windows has no unix datagram sockets, use UDP`,
    );
  }
  signal?.throwIfAborted();
  try {
    if ("path" in listen) await clearPath(listen.path);
    const socket = "path" in listen
      ? Deno.listenDatagram({ transport: "unixpacket", path: listen.path })
      : Deno.listenDatagram({ transport: "udp", hostname: listen.hostname, port: listen.port });
    return new DatagramEndpoint(socket, signal);
  } catch (cause) {
    throw listenError(listen, cause);
  }
}

/**
 * Whether two addresses are the same; an IPv4 address that an IPv6 socket reports counts as that IPv4 address.
 *
 * @param a One address, with an IP address and not a name.
 * @param b The other.
 */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  if ("path" in a || "path" in b) return "path" in a && "path" in b && a.path === b.path;
  return a.port === b.port &&
    (a.hostname === b.hostname || unmapped(a.hostname) === unmapped(b.hostname));
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

/** The inode of a socket's file; null if there is no such file, or it is of another kind. */
function inodeOf(path: string): number | null {
  try {
    const { isSocket, ino } = Deno.lstatSync(path);
    return isSocket ? ino : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Makes a path free to bind: a socket file that nobody listens on is removed.
 *
 * @throws {UsageError} If a program listens there, there is a file of another kind, or the path is too long.
 */
async function clearPath(path: string): Promise<void> {
  const where = `Cannot listen on "${path}"`;
  const length = new TextEncoder().encode(path).length;
  if (length > LONGEST_PATH) {
    throw new UsageError(
      `${where}: the path has ${length} bytes, expected at most ${LONGEST_PATH}`,
    );
  }
  try {
    if (!(await Deno.lstat(path)).isSocket) {
      throw new UsageError(`${where}: there is a file of another kind`);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (await isListening(path)) throw new UsageError(`${where}: another program uses this address`);
  await Deno.remove(path);
}

/** Whether a program listens at a unix path: only then it takes a datagram, an empty one, which means nothing to anybody. */
async function isListening(path: string): Promise<boolean> {
  const own = await Deno.makeTempDir({ prefix: "labwire-" });
  const probe = Deno.listenDatagram({ transport: "unixpacket", path: `${own}/probe.sock` });
  try {
    // A program that is too busy to take it is there too.
    await within(probe.send(new Uint8Array(), { transport: "unixpacket", path }), PROBE_SECONDS);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused);
  } finally {
    probe.close();
    await Deno.remove(own, { recursive: true });
  }
}
