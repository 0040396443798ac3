import { type HostPort, isIPv4, isIPv6, resolveHost } from "../net/address/address.ts";
import { bindDatagram, type DatagramSocket } from "../net/datagram/datagram.ts";
import { within } from "../time/deadline.ts";
import { type ClockMessage, decodeClockMessage, encodeClockMessage } from "./clock_message.ts";
import { wallClock } from "../time/wall_clock.ts";
import { SendError } from "./send_error.ts";
import { type System, thisSystem } from "./system.ts";

/** The answers of another computer that was asked for its time. */
export interface ClockAnswers {
  /** The IP address that was asked. */
  readonly address: string;
  /** Requests sent, or refused by the system. */
  readonly asked: number;
  /** Requests answered. */
  readonly answered: number;
  /** Replies that came from a port that was not asked. */
  readonly unsolicited: number;
  /** How far the other clock is ahead of this one, in ms, from the fastest exchange; NaN without an answer. */
  readonly offset: number;
  /** Round-trip time of the fastest exchange in ms; the offset is exact to half of it. */
  readonly delay: number;
}

/** How {@linkcode askClock} asks. */
export interface AskClockOptions {
  /** How often. Default: 16. */
  rounds?: number;
  /** Seconds to wait for each answer. Default: 0.5. */
  timeout?: number;
  /** The clock, in ms since the Unix epoch. Default: this computer's. */
  clock?: () => number;
  /** The computer. */
  system?: Pick<System, "send">;
}

/**
 * Asks another computer's `labwire doctor --serve` for its time, as NTP does: of each exchange four times are known, and
 * the exchange with the shortest way counts.
 *
 * @param peer Where it listens.
 * @param options How often, and for how long.
 * @throws {ConnectError} If there is no such host.
 * @throws {SendError} If the system refuses to send, and nothing was answered.
 */
export async function askClock(
  peer: HostPort,
  options: AskClockOptions = {},
): Promise<ClockAnswers> {
  const { rounds = 16, timeout = 0.5, clock = wallClock(), system = thisSystem } = options;
  const addresses = await resolveHost(peer.hostname);
  // The other doctor listens on IPv4 by default.
  const address = addresses.find(isIPv4) ?? addresses[0]!;
  const to = { hostname: address, port: peer.port };
  await using socket = await bindFor(address);
  const waiting = new Map<string, (arrived: readonly [ClockMessage, number]) => void>();
  const reading = dispatch(socket, clock, waiting);
  const arrival = (key: string) =>
    new Promise<readonly [ClockMessage, number]>((resolve) => waiting.set(key, resolve));
  const exchanges: { offset: number; delay: number }[] = [];
  const unsolicited: Promise<unknown>[] = [];
  let asked = 0;
  for (let id = 0; id < rounds; id++) {
    asked++;
    const reply = arrival(`reply ${id}`);
    const other = arrival(`unsolicited ${id}`);
    try {
      const request = encodeClockMessage({ kind: "request", id, times: [clock(), 0, 0] });
      await system.send(socket, request, to);
    } catch (cause) {
      if (exchanges.length === 0) throw new SendError(address, cause);
      continue;
    }
    unsolicited.push(within(other, timeout * 2));
    const arrived = await within(reply, timeout);
    if (arrived) exchanges.push(exchangeOf(...arrived));
    else if (id === 2 && exchanges.length === 0) break; // no answer at all
  }
  const others = (await Promise.all(unsolicited)).filter((message) => message !== undefined);
  await socket.close();
  await reading;
  const best = exchanges.toSorted((a, b) => a.delay - b.delay)[0] ?? { offset: NaN, delay: NaN };
  return { address, asked, answered: exchanges.length, unsolicited: others.length, ...best };
}

/** Binds a socket that can send to an address. */
async function bindFor(address: string): Promise<DatagramSocket> {
  try {
    return await bindDatagram({
      listen: { hostname: isIPv6(address) ? "::" : "0.0.0.0", port: 0 },
    });
  } catch (error) {
    throw new SendError(address, error instanceof Error ? error.cause ?? error : error);
  }
}

/** Hands each reply, with the time of its arrival, to the exchange that waits for it. */
async function dispatch(
  socket: DatagramSocket,
  clock: () => number,
  waiting: Map<string, (arrived: readonly [ClockMessage, number]) => void>,
): Promise<void> {
  for await (const { bytes } of socket) {
    const now = clock();
    const message = decodeClockMessage(bytes);
    if (message) waiting.get(`${message.kind} ${message.id}`)?.([message, now]);
  }
}

/** NTP's arithmetic (RFC 5905, section 8). */
function exchangeOf({ times: [t1, t2, t3] }: ClockMessage, t4: number) {
  return { offset: ((t2 - t1) + (t3 - t4)) / 2, delay: (t4 - t1) - (t3 - t2) };
}
