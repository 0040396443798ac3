import type { Endpoint, HostPort } from "../address/address.ts";
import { type Descriptor, Messages, MOST_MESSAGES } from "./libc.ts";
import { fixedMemory } from "./memory.ts";
import { SendQueue } from "./send_queue.ts";
import { ServedSocket } from "./served_socket.ts";
import { ADDRESS_ROOM, Senders } from "./socket_address.ts";
import { Turn } from "./turn.ts";
import type {
  ArrivalClock,
  DatagramCounters,
  DatagramHandler,
  DatagramTransport,
  DatagramTransportOptions,
} from "./transport.ts";

/** Room for the largest datagram. */
const MAX_DATAGRAM = 65_536;
/** From the beginning of one datagram to that of the next: no power of two, or all would compete for the same lines of the cache. */
const STRIDE = MAX_DATAGRAM + 192;
/** A turn ends after so many datagrams, … */
const TURN_DATAGRAMS = 512;
/** … or so many milliseconds, looked at after so many datagrams. */
const TURN_MS = 2;
const LOOK_EVERY = 8;

/** The system calls of a descriptor; a test puts others in their place. */
export type BatchCalls =
  & Pick<Descriptor, "receive" | "wait" | "send" | "dropped" | "lastTime" | "now">
  & Disposable
  & { times: boolean };

/**
 * Datagrams by system calls that take up to 64 of them: Deno's own socket waits for the first of a burst, the rest is taken from the same
 * descriptor, and what is written meanwhile leaves together. UDP over IPv4 or IPv6, on Linux.
 *
 * What the system does not take is given to Deno's socket once more, which waits for room or says what is wrong.
 */
export class BatchDatagrams extends ServedSocket implements DatagramTransport {
  readonly addr: HostPort;
  readonly clock: ArrivalClock | undefined;
  readonly #calls: BatchCalls;
  readonly #first = fixedMemory(MAX_DATAGRAM);
  /** Who sent the first datagram of the last burst. */
  #firstSender: HostPort = { hostname: "", port: 0 };
  readonly #arrived: Messages;
  readonly #addressWords: Int32Array;
  readonly #senders = new Senders();
  /** What was in each place last: the next datagram there often has the same length. */
  readonly #views: Uint8Array[] = [];
  readonly #queue: SendQueue;
  #dropped = 0;
  /** Pending while Deno's socket sends what the system did not take. */
  #blocked: Promise<void> | undefined;
  /** Whether what is written now is sent by whoever is running: `serve()`, or a task that is queued. */
  #gathering = false;
  #arrivedAt = NaN;
  /** How long to wait without Deno, in ms. */
  #linger: number;
  /** Whether more than one datagram came when one was waited for last. */
  #isBurst = false;
  /** Datagrams since everything else in this process had its turn. */
  #turn = 0;
  #others: Turn | undefined;
  /** When that was looked at first; 0 if it was not. */
  #turnStart = 0;

  /** Use {@linkcode bindDatagram}. */
  constructor(socket: Deno.DatagramConn, calls: BatchCalls, options: DatagramTransportOptions) {
    super(socket, options);
    this.#calls = calls;
    this.#linger = options.linger ?? 0;
    const { hostname, port } = socket.addr as Deno.NetAddr;
    this.addr = { hostname, port };
    this.#arrived = new Messages(MOST_MESSAGES, MOST_MESSAGES * STRIDE, options.times);
    this.#addressWords = new Int32Array(this.#arrived.addresses.buffer);
    for (let i = 0; i < MOST_MESSAGES; i++) {
      this.#arrived.place(i, i * STRIDE, MAX_DATAGRAM, ADDRESS_ROOM);
      this.#views.push(this.#arrived.payload.subarray(i * STRIDE, i * STRIDE));
    }
    this.#queue = new SendQueue(calls, this.#senders);
    if (options.times) this.clock = this.#startClock();
    this.closeWithSignal();
  }

  get counters(): DatagramCounters {
    const dropped = this.#dropped + (this.isClosed ? 0 : this.#calls.dropped);
    return { ...this.counted, dropped };
  }

  protected override async serveAll(handle: DatagramHandler): Promise<void> {
    let isFirst = false;
    while (!this.isClosed) {
      this.#gathering = true;
      // A look for a second datagram costs 5 µs: where none is to be expected, the reply to the first one leaves before it.
      const most = isFirst && !this.#isBurst ? 1 : MOST_MESSAGES;
      const count = this.#calls.receive(this.#arrived, most);
      if (count <= 0) {
        const sending = this.#send();
        if (sending) await sending;
        // Where the system announced a datagram and then gives none, Deno's socket hears why.
        if (this.#linger === 0 || isFirst) {
          isFirst = false;
          await this.#serveFirst(handle);
        } else if (this.#isTurnOver()) await this.#nextTurn();
        else if (!(isFirst = this.#calls.wait(this.#linger))) await this.#serveFirst(handle);
        continue;
      }
      this.#isBurst = !isFirst || count > 1;
      isFirst = false;
      for (let i = 0; i < count && !this.isClosed; i++) {
        const waiting = this.#hand(handle, i);
        if (waiting) await waiting;
        if (++this.#turn % LOOK_EVERY === 0 && this.#isTurnOver()) await this.#nextTurn();
      }
      this.#arrived.reset(count);
      const sending = this.#send();
      if (sending) await sending;
    }
  }

  /** Waits for a datagram: it is the only one of its burst that comes through Deno. */
  async #serveFirst(handle: DatagramHandler): Promise<void> {
    this.#gathering = false;
    if (this.clock) this.#calls.times = false;
    let arrived: [Uint8Array, Deno.Addr];
    try {
      arrived = await this.receiveOne(this.#first);
    } catch (error) {
      if (this.isClosed) return;
      throw error;
    }
    if (this.isClosed) return;
    if (this.clock) {
      this.#arrivedAt = this.#calls.lastTime();
      this.#calls.times = true;
    }
    this.#turn++;
    this.#turnStart = 0;
    const { hostname, port } = arrived[1] as Deno.NetAddr;
    const known = this.#firstSender;
    if (known.port !== port || known.hostname !== hostname) this.#firstSender = { hostname, port };
    this.#gathering = true;
    const waiting = this.#call(handle, arrived[0], this.#firstSender);
    if (waiting) await waiting;
    // Where bursts come, the reply waits for those to the rest; else it leaves before anything else is done.
    if (!this.#isBurst) {
      const sending = this.#send();
      if (sending) await sending;
    }
    this.#isBurst = false;
  }

  #hand(handle: DatagramHandler, i: number): void | Promise<void> {
    const arrived = this.#arrived;
    if (arrived.isCut(i)) {
      this.#dropped++;
      return undefined;
    }
    const length = arrived.lengthOf(i);
    let bytes = this.#views[i]!;
    if (bytes.length !== length) {
      bytes = this.#views[i] = arrived.payload.subarray(i * STRIDE, i * STRIDE + length);
    }
    if (this.clock) this.#arrivedAt = arrived.timeOf(i);
    const from = this.#senders.at(this.#addressWords, arrived.addresses, i * ADDRESS_ROOM / 4);
    return this.#call(handle, bytes, from!); // a socket of IPv4 or IPv6 has no other senders
  }

  #call(handle: DatagramHandler, bytes: Uint8Array, from: Endpoint): void | Promise<void> {
    this.counted.received++;
    this.isHandling = true;
    const waiting = handle(bytes, from);
    if (waiting) return this.#handled(waiting);
    this.isHandling = false;
    if (this.isEnding) return this.#sendAndClose();
  }

  /** Waits for a handler; what is to be sent does not wait for it. */
  async #handled(waiting: Promise<void>): Promise<void> {
    this.#linger = 0; // what it waits for needs the event loop
    const sending = this.#send();
    this.#gathering = false;
    if (sending) await sending;
    await waiting;
    this.#gathering = true;
    this.isHandling = false;
    if (this.isEnding) await this.#sendAndClose();
  }

  async #sendAndClose(): Promise<void> {
    await this.#send();
    await this.close();
  }

  #isTurnOver(): boolean {
    if (this.#turn >= TURN_DATAGRAMS) return true;
    const now = performance.now();
    if (this.#turnStart === 0) this.#turnStart = now;
    return now - this.#turnStart >= TURN_MS;
  }

  /** Lets timers, signals and other sockets have their turn. */
  async #nextTurn(): Promise<void> {
    const sending = this.#send();
    if (sending) await sending;
    this.#gathering = false;
    if (this.isClosed) return;
    try {
      await (this.#others ??= new Turn()).pass();
    } catch (error) {
      if (!this.isClosed) throw error;
    }
    this.#gathering = true;
    this.#turn = 0;
    this.#turnStart = 0;
  }

  write(bytes: Uint8Array, to: Endpoint): void | Promise<void> {
    if (this.isClosed) return this.#sendAlone(bytes, bytes, to);
    if (this.#blocked) return this.#writeAfter(this.#blocked, bytes, to);
    if (!this.#queue.put(bytes, to)) {
      const sending = this.#send();
      if (sending) return this.#writeAfter(sending, bytes, to);
      if (!this.#queue.put(bytes, to)) return this.#block(this.#sendAlone(bytes, bytes, to));
    }
    if (this.#queue.length === MOST_MESSAGES) return this.#send();
    if (this.#gathering) return;
    this.#gathering = true;
    queueMicrotask(this.#sendGathered);
  }

  /** Resolves when the system has taken or refused the datagram: whoever has waited already need not flush, too. */
  async #writeAfter(sending: Promise<void>, bytes: Uint8Array, to: Endpoint): Promise<void> {
    await sending;
    await this.write(bytes, to);
    await this.flush();
  }

  /** What is written while `serve()` does not run leaves as soon as whoever wrote it is done. */
  readonly #sendGathered = (): void => {
    this.#gathering = false;
    void this.#send();
  };

  /** Sends everything in the queue. */
  #send(): Promise<void> | undefined {
    if (this.#blocked || this.#queue.length === 0) return this.#blocked;
    this.options.onSend?.();
    this.counted.sent += this.#queue.send();
    if (this.#queue.length > 0) return this.#block(this.#sendRest());
  }

  async #sendRest(): Promise<void> {
    for (let next = this.#queue.take(); next; next = this.#queue.take()) {
      await this.#sendAlone(next.copy, next.bytes, next.to);
      if (!this.isClosed) this.counted.sent += this.#queue.send();
    }
  }

  /** Sends one datagram by Deno's socket. */
  #sendAlone(copy: Uint8Array, bytes: Uint8Array, to: Endpoint): Promise<void> {
    return this.sendOne(copy, bytes, to, { transport: "udp", ...to as HostPort });
  }

  /** Has `write()` and `flush()` wait for what is being sent. */
  #block(sending: Promise<void>): Promise<void> {
    this.#blocked = sending.finally(() => this.#blocked = undefined);
    return this.#blocked;
  }

  override async flush(): Promise<void> {
    await this.#send();
  }

  protected override get isSending(): boolean {
    return this.#blocked !== undefined || super.isSending;
  }

  protected override beforeClose(): void {
    if (!this.#blocked) this.counted.sent += this.#queue.send();
    this.#dropped += this.#calls.dropped;
    this.#calls[Symbol.dispose]();
  }

  protected override afterClose(): void {
    this.#others?.[Symbol.dispose]();
    for (let next = this.#queue.take(); next; next = this.#queue.take()) {
      this.countUnsent(next.bytes, next.to);
    }
  }

  /** The system keeps the times of arrival from the first question on. */
  #startClock(): ArrivalClock {
    this.#calls.lastTime();
    const arrivedAt = () => this.#arrivedAt;
    return { arrived: arrivedAt, now: () => this.#calls.now() };
  }
}
