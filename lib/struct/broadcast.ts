import { type Clock, systemClock } from "../time/clock.ts";
import { timerDelay } from "../time/deadline.ts";
import type { StructInputs } from "../codecs/struct/types.ts";
import type { LineConnection } from "./line_connection.ts";

/** How many times a peer is checked before it is disconnected. */
const LOOKS = 5;

/** Sends records to several peers, none of which can hold up the others forever. */
export class Broadcast<F extends string> {
  readonly #peers: ReadonlySet<LineConnection<F>>;
  readonly #patience: number;
  /** For each peer with bytes queued: how many bytes it had taken, and for how many checks that has not changed. */
  readonly #stalled = new Map<LineConnection<F>, { bytes: number; looks: number }>();
  readonly #clock: Clock;
  #pending = 0;
  #callOff: (() => void) | undefined;

  /**
   * @param peers The peers that are connected now.
   * @param patience Seconds after which a peer that reads nothing of what waits for it is disconnected.
   * @param clock Measures that. Default: this computer's.
   */
  constructor(
    peers: ReadonlySet<LineConnection<F>>,
    patience: number,
    clock: Clock = systemClock,
  ) {
    this.#peers = peers;
    this.#patience = patience;
    this.#clock = clock;
  }

  /**
   * Sends a record to all peers.
   *
   * @param values The record.
   * @returns Resolves when every peer has taken it or is gone, with whether one has taken it.
   * @throws {CodecError} At once, if the values do not fit the format.
   */
  send(values: StructInputs<F>): Promise<boolean> {
    const sends = Array.from(this.#peers, (peer) => peer.send(values));
    this.#pending++;
    if (!this.#callOff) this.#lookLater();
    return Promise.all(sends).then((taken) => {
      if (--this.#pending === 0) this.#rest();
      return taken.includes(true);
    });
  }

  #lookLater(): void {
    this.#callOff = this.#clock.wake(() => this.#look(), timerDelay(this.#patience / LOOKS));
  }

  #look(): void {
    this.#lookLater();
    // If all of them are slow, none is kept waiting by another.
    const someWait = [...this.#peers].some((peer) => peer.bytesQueued === 0);
    for (const peer of this.#peers) {
      const before = this.#stalled.get(peer);
      const bytes = peer.bytesSent;
      if (peer.bytesQueued === 0) this.#stalled.delete(peer);
      else if (before?.bytes !== bytes) this.#stalled.set(peer, { bytes, looks: 0 });
      else if (++before.looks >= LOOKS && someWait) peer.giveUp();
    }
  }

  #rest(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#stalled.clear();
  }
}
