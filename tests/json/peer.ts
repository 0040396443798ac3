import type { HostPort } from "../../lib/net/address/address.ts";

/** A bare TCP client of the tests: it knows lines, and nothing of labwire. */
export class Peer implements AsyncDisposable {
  readonly #conn: Deno.TcpConn;
  #text = "";
  #decoder = new TextDecoder();

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Connects to a server. */
  static async connect({ hostname, port }: HostPort): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname, port }));
  }

  /** Sends text or bytes, whole. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Sends a line and returns the next one that comes. */
  async ask(line: string): Promise<string> {
    await this.write(line + "\n");
    const answer = await this.line();
    if (answer === null) throw new Error("The connection was closed without an answer");
    return answer;
  }

  /** Returns the next line without its newline; null at the end of the stream. */
  async line(): Promise<string | null> {
    const buffer = new Uint8Array(65536);
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const length = await this.#conn.read(buffer).catch(() => null);
      if (length === null) return null;
      this.#text += this.#decoder.decode(buffer.subarray(0, length), { stream: true });
    }
  }

  /** Ends this side's half. */
  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.#conn.close();
  }
}
