import type { JsonServer } from "../../lib/json/server.ts";

/** Handles a message when the test says so, and notes how many are handled at once. */
export class Gate {
  readonly order: number[] = [];
  most = 0;
  #now = 0;
  readonly #open: (() => void)[] = [];
  readonly #arrivals: (() => void)[] = [];

  readonly interact = async (data: { n: number }) => {
    this.order.push(data.n);
    this.most = Math.max(this.most, ++this.#now);
    await new Promise<void>((resolve) => {
      this.#open.push(resolve);
      this.#arrivals.splice(0).forEach((wake) => wake());
    });
    this.#now--;
    return data.n;
  };

  /** Waits until that many handlers run. */
  async running(count: number): Promise<void> {
    while (this.#open.length < count) {
      await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    }
  }

  /** Lets the handlers that run finish. */
  release(): void {
    this.#open.splice(0).forEach((open) => open());
  }
}

/** Waits until so many messages are pending, which no event tells. */
export async function pending(server: JsonServer, count: number): Promise<void> {
  while (server.stats.pending < count) await new Promise((resolve) => setTimeout(resolve, 1));
}
