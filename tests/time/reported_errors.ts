/** Collects what is given to `reportError()`, which would otherwise end the tests. */
export class ReportedErrors implements Disposable {
  readonly messages: string[] = [];
  #arrival = Promise.withResolvers<void>();
  readonly #onError = (event: ErrorEvent) => {
    event.preventDefault();
    this.messages.push(event.error.message);
    this.#arrival.resolve();
  };

  constructor() {
    addEventListener("error", this.#onError);
  }

  /** Resolves when there are so many. */
  async reach(count: number): Promise<void> {
    while (this.messages.length < count) {
      this.#arrival = Promise.withResolvers();
      await this.#arrival.promise;
    }
  }

  [Symbol.dispose](): void {
    removeEventListener("error", this.#onError);
  }
}
