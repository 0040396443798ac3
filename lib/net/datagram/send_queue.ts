import type { Endpoint } from "../address/address.ts";
import { type Descriptor, Messages, MOST_MESSAGES } from "./libc.ts";
import { ADDRESS_ROOM, encodeAddress, type Senders } from "./socket_address.ts";

/** Room for the payloads of what is to be sent: four of the largest datagrams. */
const SEND_ROOM = 4 * 65_536;

/** A datagram that the system did not take. */
interface Refused {
  /** What was to be sent; lasts until the next call of {@linkcode SendQueue.put}. */
  readonly copy: Uint8Array;
  /** The payload as it was passed to `put()`. */
  readonly bytes: Uint8Array;
  readonly to: Endpoint;
}

/** Datagrams that wait to be sent by one call. */
export class SendQueue {
  readonly #calls: Pick<Descriptor, "send">;
  readonly #senders: Senders;
  readonly #messages = new Messages(MOST_MESSAGES, SEND_ROOM);
  readonly #addresses = new Uint8Array(this.#messages.addresses.buffer);
  /** The payloads as they were passed to `put()`, and where their copies begin. */
  readonly #payloads: Uint8Array[] = Array(MOST_MESSAGES).fill(this.#messages.payload);
  readonly #starts = new Uint32Array(MOST_MESSAGES);
  /** The address that is in each place; the next datagram there often has the same. */
  readonly #targets: (Endpoint | undefined)[] = Array(MOST_MESSAGES).fill(undefined);
  readonly #addressLengths = new Uint8Array(MOST_MESSAGES);
  #first = 0;
  #end = 0;
  #used = 0;

  /**
   * Starts empty.
   *
   * @param calls What sends.
   * @param senders The addresses of those who have sent something lately.
   */
  constructor(calls: Pick<Descriptor, "send">, senders: Senders) {
    this.#calls = calls;
    this.#senders = senders;
  }

  /** Datagrams that wait. */
  get length(): number {
    return this.#end - this.#first;
  }

  /**
   * Copies a datagram into the queue.
   *
   * @returns False if there is no room for it, or its address is not one that the system takes as it is.
   */
  put(bytes: Uint8Array, to: Endpoint): boolean {
    const i = this.#end;
    const start = this.#used;
    if (i === MOST_MESSAGES || start + bytes.length > SEND_ROOM) return false;
    if (this.#targets[i] !== to && !this.#setTarget(i, to)) return false;
    this.#messages.payload.set(bytes, start);
    this.#messages.place(i, start, bytes.length, this.#addressLengths[i]!);
    this.#payloads[i] = bytes;
    this.#starts[i] = start;
    this.#used = start + bytes.length;
    this.#end = i + 1;
    return true;
  }

  #setTarget(i: number, to: Endpoint): boolean {
    if ("path" in to) return false;
    const known = this.#senders.addressOf(to);
    if (known) this.#addresses.set(known, i * ADDRESS_ROOM);
    const { addresses } = this.#messages;
    this.#addressLengths[i] = known?.length ?? encodeAddress(to, addresses, i * ADDRESS_ROOM);
    this.#targets[i] = this.#addressLengths[i] === 0 ? undefined : to;
    return this.#targets[i] !== undefined;
  }

  /**
   * Sends as many as the system takes.
   *
   * @returns How many.
   */
  send(): number {
    const before = this.#first;
    while (this.#first < this.#end) {
      const taken = this.#calls.send(this.#messages, this.#first, this.#end);
      if (taken <= 0) break;
      this.#first += taken;
    }
    const sent = this.#first - before;
    if (this.#first === this.#end) this.#first = this.#end = this.#used = 0;
    return sent;
  }

  /** Takes the first one out of the queue. */
  take(): Refused | undefined {
    if (this.#first === this.#end) return undefined;
    const i = this.#first++;
    const bytes = this.#payloads[i]!;
    const start = this.#starts[i]!;
    const copy = this.#messages.payload.subarray(start, start + bytes.length);
    const to = this.#targets[i]!;
    if (this.#first === this.#end) this.#first = this.#end = this.#used = 0;
    return { copy, bytes, to };
  }
}
