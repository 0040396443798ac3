import { type HostPort, isIPv6, resolveHost } from "../net/address.ts";
import { bindDatagram, type DatagramEndpoint } from "../net/datagram.ts";
import { within } from "../net/deadline.ts";
import { type ClockMessage, decodeClockMessage, encodeClockMessage } from "./clock_message.ts";
import { preciseClock } from "./precise_clock.ts";

/** What asking another computer for its time brought. */
export interface ClockAnswers {
  /** Requests sent. */
  readonly asked: number;
  /** Requests answered. */
  readonly answered: number;
  /** Replies that came from a port that was not asked. */
  readonly unasked: number;
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
}

/**
 * Asks another computer's `labwire doctor --serve` for its time, as NTP does: of each exchange four times are known, and
 * the exchange with the shortest way counts.
 *
 * @param peer Where it listens.
 * @param options How often, and for how long.
 * @throws {ConnectError} If there is no such host.
 */
export async function askClock(
  peer: HostPort,
  options: AskClockOptions = {},
): Promise<ClockAnswers> {
  const { rounds = 16, timeout = 0.5, clock = preciseClock() } = options;
  const [address] = await resolveHost(peer.hostname);
  const to = { hostname: address!, port: peer.port };
  const hostname = isIPv6(to.hostname) ? "::" : "0.0.0.0";
  await using socket = await bindDatagram({ listen: { hostname, port: 0 } });
  const waiting = new Map<string, (arrived: readonly [ClockMessage, number]) => void>();
  const reading = dispatch(socket, clock, waiting);
  const arrival = (key: string) =>
    new Promise<readonly [ClockMessage, number]>((resolve) => waiting.set(key, resolve));
  const exchanges: { offset: number; delay: number }[] = [];
  const unasked: Promise<unknown>[] = [];
  for (let id = 0; id < rounds; id++) {
    const reply = arrival(`reply ${id}`);
    unasked.push(within(arrival(`unasked ${id}`), timeout * 2));
    await socket.send(encodeClockMessage({ kind: "request", id, times: [clock(), 0, 0] }), to);
    const arrived = await within(reply, timeout);
    if (arrived) exchanges.push(exchangeOf(...arrived));
    else if (id === 2 && exchanges.length === 0) break; // nobody there
  }
  const others = (await Promise.all(unasked)).filter((message) => message !== undefined);
  await socket.close();
  await reading;
  const best = exchanges.toSorted((a, b) => a.delay - b.delay)[0] ?? { offset: NaN, delay: NaN };
  return { asked: unasked.length, answered: exchanges.length, unasked: others.length, ...best };
}

/** Hands each reply, with the time of its arrival, to who waits for it. */
async function dispatch(
  socket: DatagramEndpoint,
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
