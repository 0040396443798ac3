/**
 * Messages on their way from one thread to another, in a ring of shared memory: what the sender does for each is a look for room and a
 * copy, and nothing ever waits for the other side.
 *
 * | entry | |
 * |---|---|
 * | u32 | bytes of the message |
 * | u32 | what it is: {@linkcode MESSAGE} and the others, and the lane above that |
 * | f64 | when it passed, in s since 1970 |
 * | | the message, up to a multiple of 8 bytes |
 *
 * @module
 */

/** A message of samples. */
const MESSAGE = 0;
/** The message before passed this lane too. */
const AGAIN = 1;
/** So many messages found no room before this. */
const LOST = 2;
/** The rest of the memory is not used. */
const TURN = 3;

/** Bytes before the entries. */
const HEAD = 192;
/** Bytes before a message. */
const ENTRY = 16;
/**
 * The numbers that both sides share: bytes written and read so far, modulo 2³², and whether the reader has to be woken. None lies in a line
 * of the processors' caches with another one.
 */
const [WRITTEN, READ, ASLEEP] = [0, 16, 32] as const;

/** Takes what has passed. */
export interface RingHandler {
  /** A message; its bytes are valid until the function returns. */
  message(lane: number, time: number, bytes: Uint8Array): void;
  /** The message before has passed another lane too. */
  again(lane: number, time: number): void;
  /** Messages found no room. */
  lost(lane: number, count: number): void;
}

/** What both sides know. */
class Ring {
  protected readonly control: Int32Array;
  protected readonly words: Uint32Array;
  protected readonly times: Float64Array;
  protected readonly bytes: Uint8Array;
  protected readonly size: number;

  constructor(memory: SharedArrayBuffer) {
    this.size = memory.byteLength - HEAD;
    this.control = new Int32Array(memory, 0, HEAD / 4);
    this.words = new Uint32Array(memory, HEAD);
    this.times = new Float64Array(memory, HEAD);
    this.bytes = new Uint8Array(memory, HEAD);
  }
}

/**
 * Makes the memory of a ring.
 *
 * @param size Bytes for messages; a power of two.
 */
export function ringMemory(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD + size);
}

/** The side that puts messages in. */
export class RingWriter extends Ring {
  readonly #wake: () => void;
  #written = 0;
  /** How far the other side had read when that was looked at last. */
  #read = 0;
  /** For each lane, how many messages found no room since that was said. */
  readonly #lost: number[] = [];

  /**
   * @param memory The shared memory.
   * @param wake Called when the other side waits to be woken.
   */
  constructor(memory: SharedArrayBuffer, wake: () => void) {
    super(memory);
    this.#wake = wake;
  }

  /**
   * Copies a message.
   *
   * @param lane The lane that it passes.
   * @param time When, in s since 1970.
   * @param bytes The message.
   * @returns Whether there was room; what is lost is told to the other side.
   */
  put(lane: number, time: number, bytes: Uint8Array): boolean {
    const { length } = bytes;
    const at = this.#place(ENTRY + length);
    if (at < 0) return this.lose(lane);
    this.bytes.set(bytes, at + ENTRY);
    this.#publish(at, ENTRY + length, length, MESSAGE | lane << 8, time);
    return true;
  }

  /** Says that the message which was put in last has passed another lane too. */
  again(lane: number, time: number): boolean {
    const at = this.#place(ENTRY);
    if (at < 0) return this.lose(lane);
    this.#publish(at, ENTRY, 0, AGAIN | lane << 8, time);
    return true;
  }

  /** Notes that a message is not put in, which is told to the other side. */
  lose(lane: number): false {
    this.#lost[lane] = (this.#lost[lane] ?? 0) + 1;
    return false;
  }

  /** Finds a place for so many bytes in one piece, behind what is to be said of lost messages; -1 where there is none. */
  #place(size: number): number {
    for (let lane = 0; lane < this.#lost.length; lane++) {
      const count = this.#lost[lane];
      if (!count) continue;
      const at = this.#find(ENTRY);
      if (at < 0) return -1;
      this.#lost[lane] = 0;
      this.#publish(at, ENTRY, count, LOST | lane << 8, 0);
    }
    return this.#find(size);
  }

  #find(size: number): number {
    const at = (this.#written >>> 0) % this.size;
    const left = this.size - at;
    const needed = size + 7 & ~7;
    if (!this.#hasRoom(needed > left ? left + needed : needed)) return -1;
    if (needed <= left) return at;
    this.words[(at >>> 2) + 1] = TURN;
    this.#written = this.#written + left | 0;
    return 0;
  }

  #hasRoom(size: number): boolean {
    if (this.size - (this.#written - this.#read >>> 0) >= size) return true;
    this.#read = Atomics.load(this.control, READ);
    return this.size - (this.#written - this.#read >>> 0) >= size;
  }

  #publish(at: number, size: number, length: number, kind: number, time: number): void {
    const word = at >>> 2;
    this.words[word] = length;
    this.words[word + 1] = kind;
    this.times[at + 8 >>> 3] = time;
    this.#written = this.#written + (size + 7 & ~7) | 0;
    Atomics.store(this.control, WRITTEN, this.#written);
    if (Atomics.load(this.control, ASLEEP) === 0) return;
    Atomics.store(this.control, ASLEEP, 0);
    this.#wake();
  }
}

/** The side that takes messages out. */
export class RingReader extends Ring {
  #read = 0;
  /** The message that is being taken: not every function takes shared memory. */
  #copy = new Uint8Array(4096);

  /**
   * Takes what is there.
   *
   * @param handler Takes each.
   * @param goesOn Asked after each message whether another one is to be taken.
   * @returns Whether all has been taken.
   */
  drain(handler: RingHandler, goesOn: () => boolean = () => true): boolean {
    const written = Atomics.load(this.control, WRITTEN);
    while (this.#read !== written) {
      this.#take(handler);
      Atomics.store(this.control, READ, this.#read);
      if (!goesOn()) return this.#read === written;
    }
    return true;
  }

  /** How much of the memory waits to be taken, from 0 to 1. */
  get filled(): number {
    return (Atomics.load(this.control, WRITTEN) - this.#read >>> 0) / this.size;
  }

  /**
   * Asks to be woken by the next message.
   *
   * @returns False if there is one already.
   */
  sleep(): boolean {
    Atomics.store(this.control, ASLEEP, 1);
    if (Atomics.load(this.control, WRITTEN) === this.#read) return true;
    Atomics.store(this.control, ASLEEP, 0);
    return false;
  }

  #take(handler: RingHandler): void {
    const at = (this.#read >>> 0) % this.size;
    const [length, kind] = [this.words[at >>> 2]!, this.words[(at >>> 2) + 1]!];
    const lane = kind >>> 8;
    let used = ENTRY;
    switch (kind & 255) {
      case MESSAGE:
        used += length;
        if (length > this.#copy.length) this.#copy = new Uint8Array(2 * length);
        this.#copy.set(this.bytes.subarray(at + ENTRY, at + used));
        handler.message(lane, this.times[at + 8 >>> 3]!, this.#copy.subarray(0, length));
        break;
      case AGAIN:
        handler.again(lane, this.times[at + 8 >>> 3]!);
        break;
      case LOST:
        handler.lost(lane, length);
        break;
      default:
        used = this.size - at;
    }
    this.#read = this.#read + (used + 7 & ~7) | 0;
  }
}
