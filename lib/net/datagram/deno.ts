import { notify } from "../../time/lifecycle.ts";
import type { Endpoint } from "../address/address.ts";
import { fixedMemory } from "./memory.ts";
import { ServedSocket } from "./served_socket.ts";
import type {
  DatagramCounters,
  DatagramHandler,
  DatagramTransport,
  DatagramTransportOptions,
} from "./transport.ts";
import { SocketFile } from "./unix.ts";

/** Room for the largest datagram: VILLASnode's own buffers are this size too. */
const MAX_DATAGRAM = 65536;

/**
 * Datagrams by Deno's own sockets: a system call and a promise for each. UDP over IPv4 or IPv6, or a unix datagram socket; datagrams up
 * to 64 KiB arrive whole.
 */
export class DenoDatagrams extends ServedSocket implements DatagramTransport {
  readonly addr: Endpoint;
  readonly #buffer = fixedMemory(MAX_DATAGRAM);
  readonly #file: SocketFile | undefined;
  /** Where the last datagram went, and the same as Deno wants it: most go to the same place. */
  #to: Endpoint | undefined;
  #address: Deno.Addr | undefined;

  /** Use {@linkcode bindDatagram}. */
  constructor(socket: Deno.DatagramConn, options: DatagramTransportOptions) {
    super(socket, options);
    this.addr = toEndpoint(socket.addr);
    if ("path" in this.addr) this.#file = new SocketFile(this.addr.path);
    this.closeWithSignal();
  }

  get counters(): DatagramCounters {
    return this.counted;
  }

  protected override async serveAll(handle: DatagramHandler): Promise<void> {
    while (!this.isClosed) {
      let arrived: [Uint8Array, Deno.Addr];
      try {
        arrived = await this.receiveOne(this.#buffer);
      } catch (error) {
        this.#checkReceive(error);
        continue;
      }
      this.counted.received++;
      this.isHandling = true;
      const waiting = handle(arrived[0], toEndpoint(arrived[1]));
      if (waiting) await waiting;
      this.isHandling = false;
      if (this.isEnding) await this.close();
    }
  }

  write(bytes: Uint8Array, to: Endpoint): Promise<void> {
    if (to !== this.#to) {
      this.#to = to;
      this.#address = "path" in to
        ? { transport: "unixpacket", path: to.path }
        : { transport: "udp", hostname: to.hostname, port: to.port };
    }
    return this.sendOne(bytes, bytes, to, this.#address!);
  }

  protected override beforeClose(): void {}

  protected override afterClose(): void {
    this.#file?.remove();
  }

  /** Lets pass what does not end the socket. */
  #checkReceive(error: unknown): void {
    if (this.isClosed) return;
    if (!isBounce(error)) throw error;
    this.counted.bounced++;
    notify(this.options.onBounced, error);
  }
}

/**
 * Binds a socket of Deno's.
 *
 * @param listen An IP address and a port, 0 for one that is free, or the path of a unix socket, which is free.
 * @param isShared Whether several programs of this computer may bind the same UDP address, as those in a multicast group do.
 * @returns The bound socket.
 * @throws What Deno throws.
 */
export function openDenoSocket(listen: Endpoint, isShared = false): Deno.DatagramConn {
  if (typeof Deno.listenDatagram !== "function") {
    throw new Error(
      'Cannot use datagrams: Deno needs "unstable": ["net"] in deno.json, or --unstable-net',
    );
  }
  if ("path" in listen) {
    return Deno.listenDatagram({ transport: "unixpacket", path: listen.path });
  }
  const { hostname, port } = listen;
  return Deno.listenDatagram({ transport: "udp", hostname, port, reuseAddress: isShared });
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
