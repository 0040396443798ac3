import { CodecError } from "../../errors.ts";
import { type HostPort, unmapped } from "../address/address.ts";
import { within } from "../../time/deadline.ts";
import { explainLoss } from "./connect_failure.ts";
import { FirstBytesGate, type ForeignProtocol } from "./first_bytes_gate.ts";
import { closeWhenAborted } from "../../time/lifecycle.ts";
import type { Clock } from "../../time/clock.ts";
import { IdleClock, IdleTimer } from "../../time/idle_timer.ts";
import { type ReadEnd, ReadSide } from "./read_side.ts";
import type {
  CloseReason,
  GraceOptions,
  RawConnection,
  StreamConnectionOptions,
} from "./connection_options.ts";
import { WriteSide } from "./write_side.ts";

export type { CloseReason, GraceOptions, RawConnection, StreamConnectionOptions };

/** Seconds to wait for the last system calls of a closed connection. */
const SETTLING = 0.2;
/** Writing it sends nothing, but fails on a broken connection. */
const NOTHING = new Uint8Array();
const DONE = Promise.resolve();
/** Bytes that fit into a packet of any network. */
const ONE_PACKET = 1200;

type OnForeign = NonNullable<StreamConnectionOptions["onForeign"]>;

/**
 * A TCP or TLS connection.
 *
 * No method throws because of what a peer does: when the connection is gone, `read()` returns null and `write()` false, and
 * `closeReason` and `error` say why.
 *
 * @example Read to the end
 * ```ts
 * import { connectStream, listenStream } from "@labwire/labwire/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listenStream({
 *   port: 0,
 *   onConnection: async (connection) => void await connection.write(new Uint8Array([1, 2, 3])),
 * });
 * await using connection = await connectStream({ port: listener.addr.port });
 * for await (const chunk of connection) assertEquals(chunk, new Uint8Array([1, 2, 3]));
 * assertEquals(connection.readEnd, "ended");
 * ```
 */
export class StreamConnection implements AsyncDisposable {
  readonly #conn: RawConnection;
  /** Whether this is TCP without TLS. */
  readonly #plain: boolean;
  /** Whether the system still delays small packets. */
  #delays: boolean;
  readonly #idle: IdleTimer;
  readonly #messageClock: IdleClock;
  /** Runs while a message has begun and not ended; made where one arrives in parts. */
  #message: IdleTimer | null = null;
  readonly #reads: ReadSide;
  readonly #writes: WriteSide;
  /** Worked out where somebody asks for it: Deno makes the objects of addresses such that reading them takes long. */
  #remoteAddr: HostPort | null = null;
  /** Made where somebody waits for it while the connection is open. */
  #finished: PromiseWithResolvers<void> | null = null;
  #writeEnd: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #released: Promise<void> | null = null;
  #lost: CloseReason | undefined;
  #closeReason: CloseReason | undefined;
  #error: Error | undefined;

  /**
   * Takes over a connection; see `connectStream()` and `listenStream()` for the usual ways to get one.
   *
   * @param conn The open connection, which belongs to the new object from now on.
   * @param options How it behaves.
   *
   * @internal
   */
  constructor(conn: RawConnection, options: StreamConnectionOptions = {}) {
    const { idleTimeout = Infinity, messageTimeout = Infinity, clock, onForeign, signal } = options;
    this.#conn = conn;
    this.#messageClock = options.messageClock ?? new IdleClock(messageTimeout, { clock });
    const idleClock = options.idleClock ?? new IdleClock(idleTimeout, { clock });
    this.#idle = new IdleTimer(idleClock, () => void this.abort("idle"));
    this.#reads = new ReadSide(
      conn,
      this.#idle,
      onForeign ? () => this.#makeGate(onForeign, clock) : null,
    );
    this.#writes = new WriteSide(conn, this.#idle);
    this.#plain = (conn as Partial<Deno.TcpConn>).setNoDelay !== undefined;
    this.#delays = this.#plain;
    if (signal) closeWhenAborted(signal, this.finished, () => void this.abort("aborted"));
  }

  /** Resolves when the connection is closed. */
  get finished(): Promise<void> {
    return this.#released ?? (this.#finished ??= Promise.withResolvers()).promise;
  }

  /** The peer's address. */
  get remoteAddr(): HostPort {
    return this.#remoteAddr ??= hostPort(this.#conn.remoteAddr);
  }

  /** This side's address. */
  get localAddr(): HostPort {
    return hostPort(this.#conn.localAddr);
  }

  /** Why the connection is closed; undefined while it is open. */
  get closeReason(): CloseReason | undefined {
    return this.#closeReason;
  }

  /**
   * The system's error, if the connection was lost; a `ConnectError` if that was because the other side asks for a certificate that
   * it trusts; or a {@linkcode CodecError}, if a message was not complete in time.
   */
  get error(): Error | undefined {
    const error = this.#error ?? this.#reads.error ?? this.#writes.error;
    return error === undefined ? undefined : explainLoss(error);
  }

  /** Whether it is known that nothing written now can arrive: see {@linkcode StreamConnection.check}. */
  get broken(): boolean {
    return this.#reason !== undefined || this.#released !== null;
  }

  /** Why there is nothing more to read, `"open"` as long as there may be. */
  get readEnd(): ReadEnd {
    return this.#reads.end;
  }

  /** Bytes read so far. */
  get bytesReceived(): number {
    return this.#reads.bytes;
  }

  /** Bytes that the system has taken to send so far. */
  get bytesSent(): number {
    return this.#writes.bytes;
  }

  /** Bytes given to `write()` that the system has not taken yet. */
  get bytesQueued(): number {
    return this.#writes.waiting;
  }

  /**
   * Reads what arrives next.
   *
   * @returns One or more bytes, valid until the next call, or null when the peer has ended its side or the connection is gone.
   * @throws {TypeError} If another read is in progress.
   */
  read(): Promise<Uint8Array | null> {
    return this.#reads.read();
  }

  /**
   * Reads what arrives next, with a call instead of a promise.
   *
   * @param then Takes it, as `read()` resolves with it; must not throw.
   * @throws {TypeError} If another read is in progress.
   *
   * @internal
   */
  readThen(then: (chunk: Uint8Array | null) => void): void {
    this.#reads.readThen(then);
  }

  /**
   * Reads what arrives next into the caller's buffer.
   *
   * @param buffer Where the bytes go; not to be touched before the promise resolves. If it was called off by `stopReading()`, by
   * `end()` or because a message was late, the system may still write into it until the connection is closed.
   * @returns How many bytes were written to its start, or null as for {@linkcode StreamConnection.read}.
   * @throws {TypeError} If another read is in progress.
   */
  readInto(buffer: Uint8Array): Promise<number | null> {
    return this.#reads.readInto(buffer);
  }

  /**
   * Waits for the first bytes, without consuming them, for servers that send first but must not serve a browser. Do not call while
   * reading.
   *
   * @param seconds How long; a peer may wait for this side to send first.
   * @returns Whether the connection can be served: false if it was refused or closed.
   */
  async firstBytes(seconds: number): Promise<boolean> {
    return await this.#reads.firstBytes(seconds) && this.#released === null;
  }

  /**
   * Starts the `messageTimeout`, unless it runs already: a message has begun and its rest has not arrived.
   */
  beginMessage(): void {
    if (this.#released !== null) return; // nobody would stop the time
    this.#message ??= new IdleTimer(this.#messageClock, () => this.#onLate());
    if (!this.#message.waiting) this.#message.begin();
  }

  /** Stops the `messageTimeout`: the message is complete. */
  endMessage(): void {
    if (this.#message?.waiting) this.#message.end();
  }

  /**
   * Writes bytes, whole and in the order of the calls. Calls need not wait for one another; await each to keep memory bounded when
   * the peer reads slowly.
   *
   * @param bytes What to write; do not change it before the promise resolves.
   * @returns Whether the system has taken them; false when the connection is gone.
   */
  write(bytes: Uint8Array): Promise<boolean> {
    if (this.#delays) this.#sendAtOnce(bytes.length);
    return this.#writes.write(bytes);
  }

  /**
   * Writes bytes as `write()` does, with a call instead of a promise.
   *
   * @param bytes What to write; do not change it before the call.
   * @param then Takes whether the system has taken them; must not throw.
   *
   * @internal
   */
  writeThen(bytes: Uint8Array, then: (taken: boolean) => void): void {
    if (this.#delays) this.#sendAtOnce(bytes.length);
    this.#writes.writeThen(bytes, then);
  }

  /**
   * Ends this side's half after everything written so far; the peer reads the end, and may still send.
   *
   * @returns Resolves when that is done. Does nothing on a connection that is gone.
   */
  closeWrite(): Promise<void> {
    return this.#writeEnd ??= this.#writes.finish().then(async (written) => {
      if (!written || this.#released) return;
      await this.#conn.closeWrite().catch(() => {}); // the peer is gone already
    });
  }

  /**
   * Asks the system whether the peer still accepts data. After the peer has ended its half, reading does not show when it drops the
   * other half too.
   *
   * @returns False if it is known that the connection is broken.
   */
  async check(): Promise<boolean> {
    // A write that waits for the peer would delay this one, and will fail by itself if the connection is broken.
    if (this.#plain && !this.broken && this.#writes.waiting === 0) {
      await this.#conn.write(NOTHING).catch((error) => this.#lose(error));
    }
    return !this.broken;
  }

  /**
   * Makes reads end as if the peer had ended its side, so that a reading loop ends after the message being handled. What arrives
   * afterwards is not read.
   */
  stopReading(): void {
    this.#reads.stop("stopped");
  }

  /**
   * Suspends the idle timeout, e.g. while an answer is being prepared.
   *
   * @returns Resumes the timeout when disposed.
   */
  hold(): Disposable {
    this.#idle.hold();
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#idle.release();
        held = false;
      },
    };
  }

  /**
   * Ends the connection so that the peer receives everything: sends what is queued, ends this side's half, and reads and drops what
   * arrives until the peer has ended too. Closing with unread bytes makes the system reset the connection, and the peer can lose the
   * last bytes sent to it.
   *
   * @param options Maximum time to wait for the peer in seconds, 1 by default.
   * @returns Resolves when the connection is closed.
   */
  end(options: GraceOptions = {}): Promise<void> {
    // Closing is enough if everything written has been sent and everything received has been read.
    const done = this.#plain && this.#reads.end === "ended" && this.#writes.waiting === 0;
    return this.#released || done ? this.close({ grace: 0 }) : this.#end(options.grace ?? 1);
  }

  /**
   * Closes the connection.
   *
   * @param options Maximum time in seconds for the system to accept what is queued, 1 by default.
   * @returns Resolves when nothing is left open. May be called any number of times.
   */
  close(options: GraceOptions = {}): Promise<void> {
    return this.#closing ??= this.#writes.waiting > 0
      ? this.#close(options.grace ?? 1)
      : this.#release();
  }

  /**
   * Closes the connection at once.
   *
   * @param reason The `closeReason`.
   * @returns Resolves when nothing is left open.
   */
  abort(reason: CloseReason = "aborted"): Promise<void> {
    this.#lost ??= this.#reason ?? reason;
    return this.#release();
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Reads what arrives, chunk by chunk, to the end.
   *
   * @returns Chunks, each valid until the next one is requested.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let chunk; (chunk = await this.read()) !== null;) yield chunk;
  }

  /**
   * Makes the system send small packets without waiting for earlier ones. That costs a system call, so it is done only once the
   * connection sends more than one packet.
   */
  #sendAtOnce(size: number): void {
    if (this.bytesSent + this.bytesQueued === 0 && size <= ONE_PACKET) return;
    this.#delays = false;
    try {
      (this.#conn as Deno.TcpConn).setNoDelay(true);
    } catch {
      // the peer is gone already
    }
  }

  #makeGate(onForeign: OnForeign, clock?: Clock): FirstBytesGate {
    const onRefused = (protocol: ForeignProtocol) => {
      onForeign(protocol, this.remoteAddr);
      void this.abort("refused");
    };
    return new FirstBytesGate((buffer) => this.#conn.read(buffer), onRefused, clock);
  }

  async #end(grace: number): Promise<void> {
    await within(Promise.all([this.closeWrite(), this.#reads.drain()]), grace);
    await this.close({ grace: 0 });
  }

  async #close(grace: number): Promise<void> {
    if (!this.#released) await within(this.#writes.finish(), grace);
    await this.#release();
  }

  #release(): Promise<void> {
    return this.#released ??= this.#letGo();
  }

  #letGo(): Promise<void> {
    this.#closeReason = this.#reason ?? (this.#reads.end === "ended" ? "ended" : "closed");
    this.#reads.stop(this.#lost === "idle" ? "lost" : "stopped");
    this.#writes.fail();
    this.#idle.stop();
    this.#message?.stop();
    try {
      this.#conn.close();
    } catch {
      // the system has closed it already
    }
    // Deno before 2.9 ends a write that waits for the peer only when the peer reads or disconnects.
    const { reading } = this.#reads;
    const { writing } = this.#writes;
    if (reading || writing) {
      return within(Promise.all([reading, writing]), SETTLING)
        .then(() => this.#finished?.resolve());
    }
    this.#finished?.resolve();
    return DONE;
  }

  /** Why the connection cannot be used any more; undefined while it can. */
  get #reason(): CloseReason | undefined {
    if (this.#lost !== undefined) return this.#lost;
    const isReset = this.#reads.error !== undefined || this.#writes.error !== undefined;
    return isReset ? "reset" : undefined;
  }

  #lose(error: unknown): void {
    if (this.#released) return;
    this.#lost ??= "reset";
    this.#error ??= error instanceof Error ? error : new Error(String(error));
  }

  #onLate(): void {
    const { seconds } = this.#messageClock;
    this.#error ??= new CodecError(`Cannot read message: it was not complete within ${seconds} s`);
    this.#lost ??= "late";
    this.#reads.stop("late");
  }
}

/** Host and port of a socket's address, an IPv4 one always as such. */
export function hostPort(address: Deno.Addr): HostPort {
  if (!("hostname" in address)) return { hostname: "", port: 0 };
  return { hostname: unmapped(address.hostname), port: address.port };
}
