import { type Clock, systemClock } from "../../time/clock.ts";
import { within } from "../../time/deadline.ts";
import { FirstBytes } from "./first_bytes.ts";

/** Seconds of silence after which bytes that could still begin a request are passed on. */
const SILENCE = 0.5;
/** Seconds after which they are passed on in any case. */
const LONGEST = 5;
/** Bytes that are read at once while some are held back. */
const PIECE = 1 << 12;

/** Reads what has arrived into a buffer; null at the end. */
export type ReadSome = (buffer: Uint8Array) => Promise<number | null>;

/** What a server refuses unless it expects it: an HTTP request, TLS, or a STUN request of WebRTC. */
export type ForeignProtocol = "http" | "tls" | "stun";

/**
 * Stands between a connection and its reader until the first bytes have shown that the peer is not a browser. Bytes are held back
 * only while they can still be the beginning of a request, and only briefly if nothing follows them; even then, what follows is still
 * checked.
 */
export class FirstBytesGate {
  readonly #readSome: ReadSome;
  readonly #onRefused: (protocol: ForeignProtocol) => void;
  readonly #clock: Clock;
  readonly #first = new FirstBytes();
  /** Bytes that are held back, or wait to be read. */
  #held = new Uint8Array(0);
  #length = 0;
  /** A read in progress, although the bytes held back before it have been passed on. */
  #reading: Promise<number | null> | null = null;
  #piece: Uint8Array<ArrayBuffer> | null = null;
  #ended = false;
  #refused = false;

  /**
   * @param readSome Reads from the system.
   * @param onRefused Called when a request arrives; nothing is read after it.
   * @param clock Measures how long bytes are held back. Default: this computer's.
   */
  constructor(
    readSome: ReadSome,
    onRefused: (protocol: ForeignProtocol) => void,
    clock: Clock = systemClock,
  ) {
    this.#readSome = readSome;
    this.#onRefused = onRefused;
    this.#clock = clock;
  }

  /** Whether the peer is not a browser: from now on the connection can be read directly. */
  get open(): boolean {
    return this.#first.verdict === "other" && this.#length === 0 && this.#reading === null;
  }

  /**
   * Reads from the connection, but nothing of a request.
   *
   * @param buffer Where the bytes go.
   * @returns How many there are, or null at the end, which a request is too.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#length === 0 && this.#reading === null && !this.#ended) {
      const length = await this.#readSome(buffer);
      return length === null ? null : await this.pass(buffer, length);
    }
    await this.#wait();
    return this.#take(buffer);
  }

  /**
   * The same with bytes that have been read already.
   *
   * @param buffer Where they are, and those that are passed on go.
   * @param count How many there are.
   */
  async pass(buffer: Uint8Array, count: number): Promise<number | null> {
    const bytes = buffer.subarray(0, count);
    if (!this.#judge(bytes)) return null;
    if (!this.#first.suspicious) return count;
    this.#hold(bytes);
    await this.#wait();
    return this.#take(buffer);
  }

  /**
   * Waits for the first bytes, without consuming them.
   *
   * @param seconds How long.
   * @returns Whether the connection can be served: false if a request has come.
   */
  async look(seconds: number): Promise<boolean> {
    await this.#next(seconds);
    if (this.#first.suspicious) await this.#wait();
    return !this.#refused;
  }

  /** Waits until what is held back can be passed on: it is not a request, or nothing more arrives. */
  async #wait(): Promise<void> {
    let end = Infinity;
    while (!this.#refused && !this.#ended) {
      if (this.#length === 0) {
        await this.#next(Infinity);
        continue;
      }
      if (!this.#first.suspicious) return;
      const now = this.#clock.now();
      end = Math.min(end, now + LONGEST * 1000);
      if (!await this.#next(Math.min(SILENCE, (end - now) / 1000))) return;
    }
  }

  /** Reads the next bytes after those held back; false if none arrive in time. */
  async #next(seconds: number): Promise<boolean> {
    const piece = this.#piece ??= new Uint8Array(PIECE);
    if (this.#reading === null) {
      this.#reading = this.#readSome(piece);
      this.#reading.catch(() => {}); // the next read reports the error
    }
    const length = await within(this.#reading, Math.max(seconds, 0), this.#clock);
    if (length === undefined) return false;
    this.#reading = null;
    if (length === null) this.#ended = true;
    else if (this.#judge(piece.subarray(0, length))) this.#hold(piece.subarray(0, length));
    return true;
  }

  /** Whether bytes may be read; reports a request. */
  #judge(bytes: Uint8Array): boolean {
    const verdict = this.#first.push(bytes);
    if (verdict === "undecided" || verdict === "other") return true;
    this.#refused = this.#ended = true;
    this.#length = 0;
    this.#onRefused(verdict);
    return false;
  }

  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#held.length));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(bytes, this.#length);
    this.#length = length;
  }

  #take(buffer: Uint8Array): number | null {
    const length = Math.min(buffer.length, this.#length);
    if (length === 0) return null;
    buffer.set(this.#held.subarray(0, length));
    this.#held.copyWithin(0, length, this.#length);
    this.#length -= length;
    return length;
  }
}
