import type { StreamConnection } from "../../net/stream/connection.ts";
import { answerHead, type WebRequest } from "./request.ts";

/** Bytes that a message from a viewer may have. */
const MOST_BYTES = 65_536;
/** Bytes that may wait for a viewer. */
const MOST_QUEUED = 32 * 2 ** 20;
/** Seconds after which a viewer is asked whether it is there still. */
const PING_SECONDS = 10;

/** What a frame is (RFC 6455, section 5.2). */
const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;
/** Why a connection is closed (section 7.4.1). */
const PROTOCOL_ERROR = 1002, TOO_BIG = 1009;

/** What section 1.3 has the server add to the client's key. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The server's side of a WebSocket (RFC 6455): short messages come, and go out one after another. */
export class WebSocketConnection {
  readonly #connection: StreamConnection;
  #bytes: Uint8Array;
  #isClosed = false;

  /**
   * @param connection The connection; the request has been read from it.
   * @param rest What came after the request.
   */
  constructor(connection: StreamConnection, rest: Uint8Array) {
    this.#connection = connection;
    this.#bytes = rest;
  }

  /**
   * Sends a message; a promise that is not resolved yet means that the viewer has not read the last one.
   *
   * @param message Text, or bytes.
   * @returns Whether the system has taken it; false when the connection is gone.
   */
  send(message: string | Uint8Array): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    return typeof message === "string"
      ? this.#frame(TEXT, new TextEncoder().encode(message))
      : this.#frame(BINARY, message);
  }

  /** Closes the WebSocket. */
  async close(code = 1000): Promise<void> {
    if (this.#isClosed) return;
    const closing = this.#frame(CLOSE, new Uint8Array([code >> 8, code & 255]));
    this.#isClosed = true;
    await closing;
  }

  /**
   * Reads text messages until the viewer leaves, and answers what the protocol wants answered.
   *
   * @param onText Called with each.
   */
  async serve(onText: (text: string) => void): Promise<void> {
    const asking = setInterval(() => void this.#ping(), PING_SECONDS * 1000);
    try {
      let text: Uint8Array[] | undefined;
      let size = 0;
      while (!this.#isClosed) {
        const frame = await this.#read();
        if (frame === null) return;
        if (typeof frame === "number") return await this.close(frame);
        const { opcode, isLast, payload } = frame;
        if (opcode === PING) void this.#frame(PONG, payload);
        else if (opcode === CLOSE) return await this.close();
        else if (opcode === PONG) continue;
        else if (opcode === TEXT ? text : opcode !== 0 || !text) {
          return await this.close(opcode === BINARY ? 1003 : PROTOCOL_ERROR);
        } else {
          text ??= [];
          if (payload.length > 0) text.push(payload); // empty ones may come without end
          size += payload.length;
          if (size > MOST_BYTES) return await this.close(TOO_BIG);
          if (!isLast) continue;
          onText(await new Blob(text as Uint8Array<ArrayBuffer>[]).text());
          [text, size] = [undefined, 0];
        }
      }
    } finally {
      clearInterval(asking);
      this.#isClosed = true;
    }
  }

  async #ping(): Promise<void> {
    // What waits for the viewer shows by itself whether it is there.
    if (this.#connection.bytesQueued === 0) await this.#frame(PING, new Uint8Array());
  }

  #frame(opcode: number, payload: Uint8Array): Promise<boolean> {
    // Whoever asks without end and never reads is not answered any more.
    if (this.#connection.bytesQueued > MOST_QUEUED) return Promise.resolve(false);
    const { length } = payload;
    const header = length < 126 ? 2 : length < 65536 ? 4 : 10;
    const frame = new Uint8Array(header + length);
    frame[0] = 0x80 | opcode;
    const view = new DataView(frame.buffer);
    if (header === 2) frame[1] = length;
    else if (header === 4) {
      frame[1] = 126;
      view.setUint16(2, length);
    } else {
      frame[1] = 127;
      view.setBigUint64(2, BigInt(length));
    }
    frame.set(payload, header);
    return this.#connection.write(frame);
  }

  /** The next frame; null at the end, or the code of what is wrong. */
  async #read(): Promise<
    { opcode: number; isLast: boolean; payload: Uint8Array } | number | null
  > {
    if (!await this.#fill(2)) return null;
    const [first, second] = [this.#bytes[0]!, this.#bytes[1]!];
    // No extension was agreed on, and what a browser sends is masked.
    if (first & 0x70 || !(second & 0x80)) return PROTOCOL_ERROR;
    const short = second & 0x7f;
    if (short === 127) return TOO_BIG;
    const header = (short === 126 ? 4 : 2) + 4;
    if (!await this.#fill(header)) return null;
    const length = short === 126 ? this.#bytes[2]! << 8 | this.#bytes[3]! : short;
    if (!await this.#fill(header + length)) return null;
    const mask = this.#bytes.subarray(header - 4, header);
    const payload = this.#bytes.slice(header, header + length);
    for (let i = 0; i < length; i++) payload[i]! ^= mask[i & 3]!;
    this.#bytes = this.#bytes.slice(header + length);
    return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, payload };
  }

  async #fill(size: number): Promise<boolean> {
    while (this.#bytes.length < size) {
      const chunk = await this.#connection.read();
      if (chunk === null) return false;
      const both = new Uint8Array(this.#bytes.length + chunk.length);
      both.set(this.#bytes);
      both.set(chunk, this.#bytes.length);
      this.#bytes = both;
    }
    return true;
  }
}

/**
 * Agrees to a WebSocket (section 4.2).
 *
 * @param connection The connection.
 * @param request The request for it.
 * @returns The WebSocket, or undefined where the request is not for one.
 */
export async function acceptWebSocket(
  connection: StreamConnection,
  { headers, rest }: WebRequest,
): Promise<WebSocketConnection | undefined> {
  const key = headers.get("sec-websocket-key");
  const isOne = headers.get("upgrade")?.toLowerCase() === "websocket" &&
    headers.get("sec-websocket-version") === "13";
  if (!isOne || key === undefined || !/^[\w+/]{22}==$/.test(key)) return undefined;
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + GUID));
  const accept = btoa(String.fromCharCode(...new Uint8Array(digest)));
  await connection.write(answerHead(101, {
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-accept": accept,
  }));
  return new WebSocketConnection(connection, rest);
}
