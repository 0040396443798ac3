import type { HostPort } from "../net/address/address.ts";
import { bindDatagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { decodeClockMessage, encodeClockMessage } from "./clock_message.ts";
import { wallClock } from "../time/wall_clock.ts";

/** How a responder is started. */
export interface ClockResponderOptions {
  /** Where to listen. */
  listen: HostPort;
  /** Ends it when aborted. */
  signal?: AbortSignal;
  /** The clock, in ms since the Unix epoch. Default: this computer's. */
  clock?: () => number;
  /** Called for each request, with the address it came from. */
  onRequest?: (from: HostPort) => void;
}

/** Answers other computers with the time; made by {@linkcode startClockResponder}. */
export class ClockResponder implements AsyncDisposable {
  /** The address that is really bound. */
  readonly addr: HostPort;
  /** Resolves when it is closed. */
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket;
  readonly #other: DatagramSocket;

  /** Use {@linkcode startClockResponder}. */
  constructor(
    socket: DatagramSocket,
    other: DatagramSocket,
    options: ClockResponderOptions,
  ) {
    this.addr = socket.addr as HostPort;
    this.#socket = socket;
    this.#other = other;
    this.finished = this.#serve(options);
  }

  async #serve({ clock = wallClock(), onRequest }: ClockResponderOptions): Promise<void> {
    for await (const { bytes, from } of this.#socket) {
      const arrived = clock();
      const request = decodeClockMessage(bytes);
      if (request?.kind !== "request") continue;
      const { id, times: [sent] } = request;
      try {
        const reply = encodeClockMessage({ kind: "reply", id, times: [sent, arrived, clock()] });
        await this.#socket.send(reply, from);
        const unsolicited = encodeClockMessage({
          kind: "unsolicited",
          id,
          times: [sent, arrived, clock()],
        });
        await this.#other.send(unsolicited, from);
        onRequest?.(from as HostPort);
      } catch {
        // The way back is closed, or the responder is: the other side will notice.
      }
    }
    await this.#other.close();
  }

  /** Ends it; may be called again. */
  async close(): Promise<void> {
    await this.#socket.close();
    await this.finished;
  }

  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Starts to answer other computers with the time, over UDP.
 *
 * @param options Where.
 * @returns The responder.
 * @throws {UsageError} If the address cannot be bound.
 */
export async function startClockResponder(
  options: ClockResponderOptions,
): Promise<ClockResponder> {
  const { listen, signal } = options;
  const socket = await bindDatagram({ listen, signal });
  try {
    const other = await bindDatagram({ listen: { hostname: listen.hostname, port: 0 } });
    return new ClockResponder(socket, other, options);
  } catch (error) {
    await socket.close();
    throw error;
  }
}
