import { UsageError } from "../../errors.ts";
import { type Endpoint, type HostPort, listenError } from "../address/address.ts";
import { BatchDatagrams } from "./batch.ts";
import { DenoDatagrams, openDenoSocket } from "./deno.ts";
import { batchObstacle, Descriptor } from "./libc.ts";
import { checkMulticast, joinGroup, type MulticastOptions, wayToGroup } from "./multicast.ts";
import type {
  ArrivalClock,
  DatagramCounters,
  DatagramHandler,
  DatagramTransport,
  DatagramTransportOptions,
  UnsentDatagram,
} from "./transport.ts";
import { clearPath } from "./unix.ts";

/** One datagram as it arrived. */
export interface Datagram {
  /** Its payload. The memory is used again for the next datagram: copy what must last. */
  readonly bytes: Uint8Array;
  /** The sender; a unix socket without a name has an empty path. */
  readonly from: Endpoint;
}

/**
 * The system calls that datagrams are received and sent by: Deno's own, one for each; or up to 64 datagrams with one, which Linux has
 * for UDP and Deno permits with `--allow-ffi`. `auto` is `batch` where that works already, without a question to the user.
 */
export type DatagramIo = "auto" | "deno" | "batch";

/** The receive buffer that is asked for, in bytes, unless an option says otherwise. */
export const RECEIVE_BUFFER = 4 * 2 ** 20;

const NOT_FOUND = "the socket was not found among the files of this process";

/** How a datagram socket is bound. */
export interface BindDatagramOptions extends DatagramTransportOptions {
  /** Where to listen: an IP address and a port, 0 for one that is free, or the path of a unix socket. */
  listen: Endpoint;
  /** A multicast group to join, and how to send to groups; for UDP. */
  multicast?: MulticastOptions;
  /** The system calls to use. Default: `auto`. */
  io?: DatagramIo;
  /**
   * Bytes that the system is to keep for a program that is busy. It may grant less: see {@linkcode DatagramSocket.receiveBuffer}. Default:
   * 4 MiB where `batch` works, else what the system gives.
   */
  receiveBuffer?: number;
}

/**
 * A datagram transport with a way to receive and send one datagram at a time, for exchanges of question and answer. Use either
 * {@linkcode DatagramSocket.serve}, which is the fast way, or {@linkcode DatagramSocket.receive} and the iterator.
 *
 * @example A datagram to oneself
 * ```ts
 * import { bindDatagram } from "@labwire/labwire/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
 * await socket.send(new Uint8Array([1, 2, 3]), socket.addr);
 * const datagram = await socket.receive();
 * assertEquals(datagram?.bytes, new Uint8Array([1, 2, 3]));
 * ```
 */
export class DatagramSocket implements DatagramTransport {
  readonly #transport: DatagramTransport;
  readonly #refused: WeakMap<Uint8Array, UnsentDatagram>;
  /** The system calls that are used. */
  readonly io: "deno" | "batch";
  /** Bytes that the system keeps for a program that is busy; undefined where the system does not say. */
  readonly receiveBuffer: number | undefined;
  readonly #waiting: PromiseWithResolvers<Datagram | null>[] = [];
  #state: "idle" | "receiving" | "ended" = "idle";
  #failure: { readonly error: unknown } | undefined;
  /** Lets the transport overwrite the datagram that was received last. */
  #release: (() => void) | undefined;

  /**
   * Use {@linkcode bindDatagram}.
   *
   * @internal
   */
  constructor(
    transport: DatagramTransport,
    refused: WeakMap<Uint8Array, UnsentDatagram>,
    receiveBuffer?: number,
  ) {
    this.#transport = transport;
    this.#refused = refused;
    this.io = transport instanceof BatchDatagrams ? "batch" : "deno";
    this.receiveBuffer = receiveBuffer;
  }

  /** The address that is really bound. */
  get addr(): Endpoint {
    return this.#transport.addr;
  }

  /** Resolves when the socket is closed. */
  get finished(): Promise<void> {
    return this.#transport.finished;
  }

  /** What was counted so far. */
  get counters(): DatagramCounters {
    return this.#transport.counters;
  }

  /** When datagrams arrive, where that was asked for and the system says it. */
  get clock(): ArrivalClock | undefined {
    return this.#transport.clock;
  }

  /** Hands every datagram to a function until the socket is closed; see {@linkcode DatagramTransport.serve}. */
  serve(handle: DatagramHandler): Promise<void> {
    return this.#transport.serve(handle);
  }

  /** Sends one datagram, and does not say what happened to it; see {@linkcode DatagramTransport.write}. */
  write(bytes: Uint8Array, to: Endpoint): void | Promise<void> {
    return this.#transport.write(bytes, to);
  }

  /** Resolves when the system has taken, or refused, everything that was written. */
  flush(): Promise<void> {
    return this.#transport.flush();
  }

  /**
   * Sends one datagram and waits until the system has it.
   *
   * @param bytes Its payload, at most 65,507 bytes over IPv4. Must stay unchanged until the promise resolves.
   * @param to Where to; a host name is resolved each time, so pass an IP address.
   * @returns How many bytes the system took: all of them. Rejects with what the system says if it takes none.
   */
  async send(bytes: Uint8Array, to: Endpoint): Promise<number> {
    // Another object for each call: the same bytes may be on their way to somebody else.
    const datagram = bytes.subarray();
    await (this.#transport.write(datagram, to) ?? this.#transport.flush());
    const refused = this.#refused.get(datagram);
    if (refused) throw refused.error;
    return bytes.length;
  }

  /**
   * Waits for the next datagram.
   *
   * @returns The datagram, whose bytes last until the next call, or null once the socket is closed.
   */
  receive(): Promise<Datagram | null> {
    if (this.#state === "ended") {
      return this.#failure ? Promise.reject(this.#failure.error) : Promise.resolve(null);
    }
    const next = Promise.withResolvers<Datagram | null>();
    this.#waiting.push(next);
    if (this.#state === "idle") void this.#receiveAll();
    else this.#release?.();
    return next.promise;
  }

  async #receiveAll(): Promise<void> {
    this.#state = "receiving";
    try {
      await this.#transport.serve((bytes, from) => this.#hand({ bytes, from }));
    } catch (error) {
      this.#failure = { error };
    }
    this.#state = "ended";
    for (const next of this.#waiting.splice(0)) {
      if (this.#failure) next.reject(this.#failure.error);
      else next.resolve(null);
    }
  }

  /** Gives a datagram to the call that has waited longest; the next datagram is taken when `receive()` is called again. */
  #hand(datagram: Datagram): Promise<void> {
    this.#waiting.shift()?.resolve(datagram);
    if (this.#waiting.length > 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    return promise;
  }

  /** Yields datagrams until the socket is closed; see {@linkcode Datagram.bytes} for how long each lasts. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Datagram, void, void> {
    for (let datagram = await this.receive(); datagram; datagram = await this.receive()) {
      yield datagram;
    }
  }

  /** Closes the socket as soon as {@linkcode DatagramSocket.serve} is done with the datagram that is being handled. */
  end(): void {
    this.#transport.end();
  }

  /** Closes the socket; may be called again. A unix socket's file is removed. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Closes the socket. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Binds a datagram socket: UDP over IPv4 or IPv6, or a unix datagram socket.
 *
 * A socket file left behind at a unix path is removed first; any other kind of file is left alone and is an error.
 *
 * @param options Where to listen.
 * @returns The bound socket.
 * @throws {UsageError} If the address is taken, not of this computer, or of a kind that the platform does not have.
 */
export async function bindDatagram(options: BindDatagramOptions): Promise<DatagramSocket> {
  const { listen, multicast, io = "auto", receiveBuffer, signal, onUnsent } = options;
  signal?.throwIfAborted();
  if (multicast) checkMulticast(multicast, batchObstacle());
  const refused = new WeakMap<Uint8Array, UnsentDatagram>();
  const watched = {
    ...options,
    onUnsent(datagram: UnsentDatagram) {
      refused.set(datagram.bytes, datagram);
      onUnsent?.(datagram);
    },
  };
  let obstacle = multicast ? "groups are joined with Deno's own calls" : obstacleTo(listen, io);
  const isBatchNeeded = io === "batch" || receiveBuffer !== undefined;
  if (obstacle !== undefined && isBatchNeeded) throw cannotBatch(io, obstacle);
  const socket = await openSocket(listen, multicast).catch((cause) => {
    throw listenError(listen, cause);
  });
  if (obstacle === undefined) {
    const descriptor = Descriptor.find(socket.addr as HostPort);
    if (descriptor) {
      const granted = descriptor.raiseReceiveBuffer(receiveBuffer ?? RECEIVE_BUFFER);
      return new DatagramSocket(new BatchDatagrams(socket, descriptor, watched), refused, granted);
    }
    obstacle = NOT_FOUND;
    if (isBatchNeeded) {
      socket.close();
      throw cannotBatch(io, obstacle);
    }
  }
  return new DatagramSocket(new DenoDatagrams(socket, watched), refused);
}

/** Binds a socket, and has it join a group. */
async function openSocket(
  listen: Endpoint,
  multicast: MulticastOptions | undefined,
): Promise<Deno.DatagramConn> {
  if (!multicast) {
    if ("path" in listen) await clearPath(listen.path);
    return openDenoSocket(listen);
  }
  if ("path" in listen) {
    throw new UsageError(
      `Cannot join multicast group "${multicast.group}" with a unix socket: use UDP`,
    );
  }
  const isLed = batchObstacle() === undefined;
  // Others of this process may be bound to the same address.
  const others = isLed ? Descriptor.files(listen) : [];
  const socket = openDenoSocket(listen, true);
  try {
    if (isLed) {
      using descriptor = Descriptor.find(socket.addr as HostPort, others);
      if (descriptor) descriptor.leadGroups(wayToGroup(multicast));
      else checkMulticast(multicast, NOT_FOUND, NOT_FOUND);
    }
    await joinGroup(socket, multicast);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Why datagrams of a socket cannot be received and sent in batches, or are not to be; undefined if they can. */
function obstacleTo(listen: Endpoint, io: DatagramIo): string | undefined {
  if (io === "deno") return "Deno's own calls are to be used";
  return "path" in listen ? "it is for UDP, not for unix sockets" : batchObstacle();
}

function cannotBatch(io: DatagramIo, obstacle: string): UsageError {
  return new UsageError(
    io === "batch"
      ? `Cannot receive datagrams in batches: ${obstacle}`
      : `Cannot set the receive buffer, which needs datagrams in batches: ${obstacle}`,
  );
}
