import { connectJson, type JsonClient, type JsonSendOptions } from "../../json/client.ts";
import { ConnectError } from "../../errors.ts";
import type { JsonSendResult } from "../../json/read_answer.ts";

/** Sends lines of JSON, each on its own connection as the template does, or all on one. */
export class Sender implements AsyncDisposable {
  readonly #options: JsonSendOptions;
  readonly #keepOpen: boolean;
  #client: JsonClient | null = null;
  #isWaiting = false;

  /**
   * @param options Where to, and how.
   * @param keepOpen Whether to use one connection for all messages.
   */
  constructor(options: JsonSendOptions, keepOpen: boolean) {
    this.#options = { ...options, anyNumber: true };
    this.#keepOpen = keepOpen;
  }

  /** Whether a message has been sent and its result is unknown. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /**
   * Sends a message and waits for its result.
   *
   * @param line One line of JSON.
   * @returns The result.
   */
  async send(line: string): Promise<JsonSendResult> {
    try {
      if (!this.#client?.open) {
        await this.#client?.close();
        this.#client = await connectJson(this.#options);
      }
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      return { outcome: "no-answer", error, sent: false };
    }
    this.#isWaiting = true;
    const result = await this.#client.sendLine(line);
    this.#isWaiting = false;
    if (!this.#keepOpen) await this.#client.close();
    return result;
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
  }
}
