import type { HandlerPeer } from "../module_handler.ts";
import type { PythonProcess } from "./process.ts";

const encoder = new TextEncoder();

/** The peers of a module in Python, which knows them by numbers. */
export class NumberedPeers {
  readonly #numbers = new Map<HandlerPeer, number>();
  readonly #peers = new Map<number, HandlerPeer>();
  /** Peers that have gone; some of their calls may still be waiting. */
  readonly #gone = new WeakSet<HandlerPeer>();
  /** Those that the process knows of. */
  readonly #introduced = new Set<number>();
  #last = 0;

  /** The peer of a number, if it is still there. */
  get(number: number): HandlerPeer | undefined {
    return this.#peers.get(number);
  }

  /** Whether a peer has gone. */
  isGone(peer: HandlerPeer): boolean {
    return this.#gone.has(peer);
  }

  /**
   * Makes a peer known to the process, unless it knows it.
   *
   * @param peer The peer.
   * @param to The process.
   * @returns Its number.
   */
  introduce(peer: HandlerPeer, to: PythonProcess): number {
    let number = this.#numbers.get(peer);
    if (number === undefined) {
      number = ++this.#last;
      this.#numbers.set(peer, number);
      this.#peers.set(number, peer);
    }
    if (!this.#introduced.has(number)) {
      this.#introduced.add(number);
      to.add("P", number, encoder.encode(peer.address));
    }
    return number;
  }

  /**
   * Lets go of a peer.
   *
   * @returns Its number, if the process knows it.
   */
  release(peer: HandlerPeer): number | undefined {
    this.#gone.add(peer);
    const number = this.#numbers.get(peer);
    if (number === undefined) return undefined;
    this.#numbers.delete(peer);
    this.#peers.delete(number);
    return this.#introduced.delete(number) ? number : undefined;
  }

  /** There is a new process, which knows nobody. */
  introduceAgain(): void {
    this.#introduced.clear();
  }
}
