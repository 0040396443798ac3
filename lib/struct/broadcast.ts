import type { StructInputs } from "../codecs/struct/types.ts";
import type { LineConnection } from "./line_connection.ts";

/** How often the peers are looked at before one is given up. */
const LOOKS = 5;

/** Sends records to several peers, none of which can hold up the others for ever. */
export class Broadcast<F extends string> {
  readonly #peers: ReadonlySet<LineConnection<F>>;
  readonly #patience: number;
  /** What each peer that has something to take had taken at the last look, and how many looks ago that was new. */
  readonly #stalled = new Map<LineConnection<F>, { bytes: number; looks: number }>();
  #pending = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param peers Who is connected, at any time.
   * @param patience Seconds that a peer may take nothing of what waits for it; then it is given up.
   */
  constructor(peers: ReadonlySet<LineConnection<F>>, patience: number) {
    this.#peers = peers;
    this.#patience = patience;
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
    this.#timer ??= setInterval(() => this.#look(), this.#patience * 1000 / LOOKS);
    return Promise.all(sends).then((taken) => {
      if (--this.#pending === 0) this.#rest();
      return taken.includes(true);
    });
  }

  #look(): void {
    // Where all of them are slow, none is kept waiting by another.
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
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stalled.clear();
  }
}
