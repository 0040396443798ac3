/** An abort signal that knows how many listen to it. */
export class CountingSignal {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<unknown>();
  readonly signal = this.#controller.signal;

  constructor() {
    const { signal } = this;
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    signal.addEventListener = (type: string, listener: EventListener, options?: unknown) => {
      this.#listeners.add(listener);
      add.call(signal, type, listener, options as AddEventListenerOptions);
    };
    signal.removeEventListener = (type: string, listener: EventListener) => {
      this.#listeners.delete(listener);
      remove.call(signal, type, listener);
    };
  }

  /** How many listen. */
  readonly listeners = (): number => this.#listeners.size;

  /** Aborts it. */
  readonly abort = (reason: unknown): void => this.#controller.abort(reason);
}
