import type { Struct } from "../codecs/struct/struct.ts";
import type { StructInputs } from "../codecs/struct/types.ts";
import type { HostPort } from "../net/address/address.ts";
import { readRecords } from "../net/framing/read_records.ts";
import type { CloseReason, StreamConnection } from "../net/stream/connection.ts";
import type { Clock } from "../time/clock.ts";
import { within } from "../time/deadline.ts";
import { notify } from "../time/lifecycle.ts";
import { wallClock } from "../time/wall_clock.ts";
import type { LinePeer } from "./peer.ts";
import { SendBuffer } from "./send_buffer.ts";

const now = wallClock();

/**
 * A connection of a line. Who uses the library sees of it what {@linkcode LinePeer} has.
 *
 * @typeParam F The format of the records.
 */
export class LineConnection<F extends string = string> implements LinePeer<F> {
  readonly #connection: StreamConnection;
  readonly #struct: Struct<F, readonly unknown[]>;
  readonly #sends: SendBuffer<F>;
  readonly #clock: Clock | undefined;
  readonly #sendEnd = Promise.withResolvers<void>();
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;
  #time = 0;
  #arrived = 0;

  /**
   * Takes over a connection; used by `Line`.
   *
   * @param connection The connection, which this object owns from now on.
   * @param struct The format of the records.
   * @param onSent Called with the bytes of records that the system has taken.
   * @param clock Measures how long it takes nothing. Default: this computer's.
   */
  constructor(
    connection: StreamConnection,
    struct: Struct<F, readonly unknown[]>,
    onSent?: (bytes: Uint8Array, peer: LinePeer<F>) => void,
    clock?: Clock,
  ) {
    this.#clock = clock;
    this.#connection = connection;
    this.#struct = struct;
    this.#sends = new SendBuffer(struct, async (bytes) => {
      const taken = await connection.write(bytes);
      if (taken) notify(onSent, bytes, this);
      else this.#sendEnd.resolve();
      return taken;
    });
    connection.finished.then(() => this.#sendEnd.resolve());
  }

  /** Its address. */
  get remoteAddr(): HostPort {
    return this.#connection.remoteAddr;
  }

  /** The address on this side. */
  get localAddr(): HostPort {
    return this.#connection.localAddr;
  }

  /** Why the connection is closed; undefined while it is open. */
  get closeReason(): CloseReason | undefined {
    return this.#connection.closeReason;
  }

  /** Whether the connection was lost before either side had ended it. */
  get lost(): boolean {
    return this.#connection.readEnd === "lost";
  }

  /** The system's error, if the connection was lost. */
  get error(): Error | undefined {
    return this.#connection.error;
  }

  /** Records that the system has accepted for sending. */
  get sent(): number {
    return this.#sends.sent;
  }

  /** Bytes that the system has accepted for sending. */
  get bytesSent(): number {
    return this.#connection.bytesSent;
  }

  /** Bytes that the system has not accepted yet because the peer reads slowly. */
  get bytesQueued(): number {
    return this.#connection.bytesQueued;
  }

  /** Bytes received. */
  get bytesReceived(): number {
    return this.#connection.bytesReceived;
  }

  /** The bytes of the record that the action handles; valid only until it is done. */
  get recordBytes(): Uint8Array {
    return this.#block.subarray(this.#at, this.#at + this.#struct.size);
  }

  /** When the record that the action handles had arrived, in ms since 1970, with fractions. */
  get recordTime(): number {
    return this.#time;
  }

  /**
   * Sends a record to this peer. Records sent in the same turn of the event loop are written together. Await each, or one in every few
   * thousand, to keep memory bounded when the peer reads slowly.
   *
   * @param values The record.
   * @returns Whether the system has accepted it; false if the connection is closed.
   * @throws {CodecError} Immediately, if the values do not fit the format.
   */
  send(values: StructInputs<F>): Promise<boolean> {
    return this.#sends.send(values);
  }

  /**
   * Sends records that are bytes already, as `send()` does.
   *
   * @param records The bytes of whole records; copied at once.
   * @returns Whether the system has accepted the last of them; false if the connection is closed.
   * @throws {CodecError} Immediately, if they end inside a record.
   */
  sendBytes(records: Uint8Array): Promise<boolean> {
    return this.#sends.sendBytes(records);
  }

  /** Ends this side's half after everything sent so far: the peer reads the end, and may still send. */
  async closeWrite(): Promise<void> {
    await this.#sends.flush();
    await this.#connection.closeWrite();
    this.#sendEnd.resolve();
  }

  /** Resolves when the system has accepted everything sent so far, or the connection is closed. */
  async flush(): Promise<void> {
    await this.#sends.flush();
  }

  /**
   * Closes the connection after everything sent so far.
   *
   * @param patience Seconds after which a peer that takes none of it does not get the rest. Default: 1.
   */
  async close(patience = 1): Promise<void> {
    const flushing = this.#sends.flush();
    for (let before = -1; before < this.bytesSent;) {
      before = this.bytesSent;
      const flushed = await within(flushing, patience, this.#clock);
      if (flushed !== undefined) return await this.#connection.end();
    }
    await this.#connection.abort("idle");
  }

  /** Aborts the connection because the peer reads nothing. */
  giveUp(): void {
    void this.#connection.abort("idle");
  }

  /** Stops receiving, and expects nothing more to be sent. */
  stop(): void {
    this.#connection.stopReading();
    this.#sendEnd.resolve();
  }

  /** Notes that a block of records has arrived now. */
  stampArrival(): void {
    this.#arrived = now();
  }

  /**
   * Notes which record is being handled.
   *
   * @param block The block that it is in.
   * @param at Its offset.
   * @param time When it arrived. Default: with the last block.
   */
  point(block: Uint8Array, at: number, time = this.#arrived): void {
    this.#block = block;
    this.#at = at;
    this.#time = time;
  }

  /** Resolves when this side's half has been ended or the connection is gone. */
  get sendEnd(): Promise<void> {
    return this.#sendEnd.promise;
  }

  /**
   * Receives, to the end.
   *
   * @returns Blocks of one or more whole records, each valid until the next one is requested.
   * @throws {CodecError} If the stream ends inside a record.
   */
  blocks(): AsyncGenerator<Uint8Array, void, void> {
    return readRecords(this.#connection, this.#struct.size);
  }
}
