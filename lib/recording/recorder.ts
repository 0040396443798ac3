import { UsageError } from "../errors.ts";
import { counted } from "../text/wording.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { notify } from "../time/lifecycle.ts";
import { FileNames } from "./file_names.ts";
import { RecordingFile, whyNot } from "./recording_file.ts";
import { type Period, periodAt, type Rotation } from "./rotation.ts";

/** Bytes that are written together, at most, unless a single entry is larger. */
const CHUNK_BYTES = 1 << 18;
/** Bytes that may wait to be written, unless an option says otherwise. */
const QUEUE_BYTES = 1 << 25;
/** How long an entry may wait before it is written, in ms. */
const FLUSH_MS = 500;
/** Time between two attempts to write to a file that cannot be written, in ms. */
const RETRY_MS = 1000;
/** Attempts after which it is said again that a file cannot be written. */
const NEWS = 60;

/** Something that went wrong with a recording; it goes on. */
export interface RecorderProblem {
  /**
   * `failed`: the file cannot be written. `resumed`: it can again. `removed`: the file was gone, and was made anew. `full`: what has to
   * wait does not fit into memory any more. `keep`: an old file cannot be removed. `sync`: the system does not say that the data is on
   * the disk.
   */
  readonly kind: "failed" | "resumed" | "removed" | "full" | "keep" | "sync";
  /** What happened, for a person. */
  readonly message: string;
  /** What the system said, if it did. */
  readonly error?: unknown;
}

/** How a {@linkcode Recorder} works. */
export interface RecorderOptions {
  /** The file, with fields as of C's `strftime` (`run-%Y%m%d.dat`), in local time. */
  readonly path: string;
  /** When to go on in another file. Default: never. */
  readonly rotate?: Rotation;
  /** How many files to keep, the newest; those of earlier recordings do not count and are never removed. Default: all. */
  readonly keep?: number;
  /** Overwrite a file that is there, unless it is of this very recording. Default: refuse to. */
  readonly force?: boolean;
  /** Files that this program reads meanwhile, 0 for standard input: they are never written to, not even with `force`. Default: none. */
  readonly reads?: readonly (string | number)[];
  /** What each file begins with, asked for when there is a first entry to be written to it. Default: nothing. */
  readonly header?: () => Uint8Array | undefined;
  /** What an entry is called in messages. Default: `entry`. */
  readonly noun?: readonly [singular: string, plural: string];
  /** Bytes that may wait while the file cannot be written; entries beyond them are lost, and counted. Default: 32 MiB. */
  readonly maxQueue?: number;
  /** Called when something is wrong. */
  readonly onProblem?: (problem: RecorderProblem) => void;
  /** Wakes to write. Default: this computer's clock. */
  readonly clock?: Clock;
  /** The wall clock in ms since 1970. Default: the system's. */
  readonly now?: () => number;
}

/** What a recorder has counted so far. */
export interface RecorderStats {
  /** Entries in files. */
  readonly recorded: number;
  /** Entries that were lost, because the file could not be written or could not hold them. */
  readonly unrecorded: number;
  /** Bytes in files, with headers. */
  readonly bytes: number;
  /** Files begun. */
  readonly files: number;
}

/** Entries that are written together: a part of a block of memory, of which a later chunk may have another part. */
interface Chunk {
  readonly block: Uint8Array;
  readonly start: number;
  end: number;
  count: number;
  /** When to begin another file with it, in ms since 1970; undefined if it goes into the file of those before it. */
  begins: number | undefined;
}

/**
 * Writes what happens into files, in the background: whoever records is never held up, by no disk. What was given to it is written, and
 * handed to the disk, within a second; in large pieces that end with a whole entry, so that a file which is cut off has all but the last
 * moment.
 *
 * A file that cannot be written, on a full disk for example, is tried again every second. Meanwhile entries wait in memory, and those
 * that find no room there are lost and counted.
 *
 * @example Two entries
 * ```ts
 * import { Recorder } from "@labwire/labwire/recording";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const recorder = await Recorder.open({ path: `${folder}/run-%Y.log` });
 * for (const text of ["one\n", "two\n"]) recorder.write(new TextEncoder().encode(text));
 * await recorder.close();
 * assertEquals(Deno.readTextFileSync(recorder.path), "one\ntwo\n");
 * Deno.removeSync(folder, { recursive: true });
 * ```
 */
export class Recorder implements AsyncDisposable {
  readonly #options: RecorderOptions;
  readonly #names: FileNames;
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #file: RecordingFile;
  #queue: Chunk[] = [];
  /** A block that no chunk is in. */
  #spare: Uint8Array | undefined;
  #waiting = 0;
  /** Bytes that the present file will have with all that waits for it, without its header. */
  #planned = 0;
  /** How many they may be at most; undefined until it matters, as the header may need to know the first entry. */
  #room: number | undefined;
  /** What the present file, with all that waits for it, is for; undefined where that does not matter. */
  #period: Period | undefined;
  #reopening = false;
  #closing = false;
  #timer: (() => void) | undefined;
  #pumping: Promise<void> | undefined;
  #cutWait: (() => void) | undefined;
  /** The last chunk that is to be written although there is room in it. */
  #flushTo: Chunk | undefined;
  #failures = 0;
  #lostSince = 0;
  #recorded = 0;
  #unrecorded = 0;

  private constructor(options: RecorderOptions) {
    this.#options = options;
    this.#names = new FileNames(options.path);
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? Date.now;
    this.#file = new RecordingFile({
      ...options,
      onProblem: (kind, message, error) => this.#tell(kind, message, error),
    });
  }

  /**
   * Begins a recording.
   *
   * @param options The file, and how it is written.
   * @throws {UsageError} If the file is there already, another recording is in it, or it cannot be made.
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const recorder = new Recorder(options);
    const now = recorder.#now();
    recorder.#plan(now);
    const path = recorder.#names.at(new Date(now));
    try {
      await recorder.#file.begin(path, "refuse");
    } catch (cause) {
      recorder.#file.letGo();
      throw new UsageError(`Cannot record to "${path}": ${whyNot(cause)}`, { cause });
    }
    return recorder;
  }

  /** The file that is written now. */
  get path(): string {
    return this.#file.path;
  }

  /** What was counted so far. */
  get stats(): RecorderStats {
    const [recorded, unrecorded] = [this.#recorded, this.#unrecorded];
    return { recorded, unrecorded, bytes: this.#file.bytes, files: this.#file.count };
  }

  /**
   * Takes something to be recorded; never waits.
   *
   * @param bytes What is written; they may be used again at once.
   * @param count How many entries they are.
   */
  write(bytes: Uint8Array, count = 1): void {
    const { length } = bytes;
    const { maxQueue = QUEUE_BYTES, rotate } = this.#options;
    if (this.#closing || this.#waiting + length > maxQueue) return this.#lose(count);
    const full = rotate?.bytes !== undefined && this.#planned > 0 &&
      this.#planned + length > (this.#room ??= rotate.bytes - this.#file.header.length);
    let chunk = this.#queue.at(-1);
    if (full || this.#isOver()) {
      const now = this.#now();
      // A file may have few entries: what it leaves of a block is for the next one.
      chunk = this.#newChunk(length, now, chunk);
      this.#plan(now);
    } else if (!hasRoom(chunk, length) || this.#isWritten(chunk)) chunk = this.#newChunk(length);
    chunk.block.set(bytes, chunk.end);
    chunk.end += length;
    chunk.count += count;
    this.#waiting += length;
    this.#planned += length;
    if (this.#queue.length > 1) void this.#pump();
    else this.#timer ??= this.#clock.wake(() => this.#onTimer(), FLUSH_MS);
  }

  /** Counts entries that cannot be written in the form of the recording. */
  skip(count: number): void {
    this.#unrecorded += count;
  }

  /** Opens the file anew, under the name of this time: whoever has renamed it may do so with it what he likes. */
  reopen(): void {
    if (this.#closing) return;
    this.#reopening = true;
    this.#plan(this.#now());
    const from = this.#queue.findLastIndex(({ begins }) => begins !== undefined);
    for (const { start, end } of this.#queue.slice(Math.max(0, from))) this.#planned += end - start;
    this.#cutWait?.();
    this.#flush();
  }

  /** Writes what waits, and ends the recording. May be called again. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.();
    this.#timer = undefined;
    this.#cutWait?.();
    await this.#flush();
    await this.#file.sync();
    this.#file.letGo();
  }

  /** Writes what waits, and ends the recording. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Begins to count for a new file. */
  #plan(now: number): void {
    const { rotate } = this.#options;
    this.#planned = 0;
    this.#room = undefined;
    this.#period = rotate?.seconds === undefined ? undefined : periodAt(now, rotate.seconds);
  }

  /** Whether it is time for another file: also if the clock was set back, to a time before that of this one. */
  #isOver(): boolean {
    if (this.#period === undefined) return false;
    const now = this.#now();
    return now >= this.#period.to || now < this.#period.from;
  }

  /** Begins a chunk: behind another one if there is room, else in a block of its own. */
  #newChunk(length: number, begins?: number, behind?: Chunk): Chunk {
    let [block, start] = [this.#spare, 0];
    if (hasRoom(behind, length)) [block, start] = [behind.block, behind.end];
    else if (block && length <= CHUNK_BYTES) this.#spare = undefined;
    else block = new Uint8Array(Math.max(length, CHUNK_BYTES));
    const chunk = { block, start, end: start, count: 0, begins };
    this.#queue.push(chunk);
    return chunk;
  }

  /** Whether a chunk is being written, and must not grow. */
  #isWritten(chunk: Chunk): boolean {
    return this.#pumping !== undefined && chunk === this.#queue[0];
  }

  #lose(count: number): void {
    this.#unrecorded += count;
    if (this.#closing) return;
    if (this.#lostSince === 0) {
      const [, plural] = this.#noun;
      this.#tell("full", `Cannot keep more ${plural} in memory for "${this.path}": they are lost`);
    }
    this.#lostSince += count;
  }

  get #noun(): readonly [string, string] {
    return this.#options.noun ?? ["entry", "entries"];
  }

  #tell(kind: RecorderProblem["kind"], message: string, error?: unknown): void {
    notify(this.#options.onProblem, { kind, message, error });
  }

  async #onTimer(): Promise<void> {
    this.#timer = undefined;
    await this.#flush();
    await this.#file.sync();
  }

  /** Writes all that waits. */
  async #flush(): Promise<void> {
    do {
      this.#flushTo = this.#queue.at(-1);
      await this.#pump();
    } while (this.#closing && this.#queue.length > 0);
  }

  /** Writes chunks that are full, and those that are to be flushed; one call at a time does. */
  #pump(): Promise<void> {
    return this.#pumping ??= this.#writeQueue().finally(() => {
      this.#pumping = undefined;
      if (this.#queue.length > 0 && !this.#closing) {
        this.#timer ??= this.#clock.wake(() => this.#onTimer(), FLUSH_MS);
      }
    });
  }

  async #writeQueue(): Promise<void> {
    await null; // so that #pumping is set
    while (this.#queue.length > 1 || this.#flushTo || this.#reopening) {
      try {
        await this.#writeNext();
        if (this.#failures > 0) this.#resumed();
      } catch (error) {
        if (this.#closing) return this.#giveUp(error);
        this.#failed(error);
        await this.#retryTime();
      }
    }
  }

  async #writeNext(): Promise<void> {
    const chunk = this.#queue[0];
    if (this.#reopening && chunk?.begins === undefined) {
      await this.#file.begin(this.#names.at(new Date(this.#now())), "append");
      this.#planned += this.#file.found;
      this.#reopening = false;
    }
    if (!chunk) {
      this.#flushTo = undefined;
      return;
    }
    if (chunk.begins !== undefined) {
      await this.#names.next(new Date(chunk.begins), (path) => this.#file.begin(path, "next"));
      chunk.begins = undefined;
      this.#reopening = false;
    } else if (!this.#file.isOpen) await this.#file.begin(this.path, "append");
    else if (await this.#file.isRemoved()) {
      await this.#file.begin(this.path, "append");
      const message = `"${this.path}" was removed or renamed: recording goes on in a new file`;
      this.#tell("removed", message);
    }
    await this.#file.write(chunk.block.subarray(chunk.start, chunk.end));
    this.#queue.shift();
    if (chunk === this.#flushTo) this.#flushTo = undefined;
    this.#waiting -= chunk.end - chunk.start;
    this.#recorded += chunk.count;
    const { block } = chunk;
    if (block.length === CHUNK_BYTES && block !== this.#queue[0]?.block) this.#spare = block;
  }

  #failed(error: unknown): void {
    if (this.#failures++ % NEWS !== 0) return;
    const [, plural] = this.#noun;
    const rest = this.#failures > 1
      ? `${this.#unrecorded} ${plural} were not recorded so far`
      : `trying again every second; ${plural} that do not fit into memory meanwhile are lost`;
    this.#tell("failed", `Cannot record to "${this.path}": ${whyNot(error)}; ${rest}`, error);
  }

  #resumed(): void {
    const lost = this.#lostSince;
    const [one, plural] = this.#noun;
    const rest = lost === 0
      ? `no ${one} was lost`
      : `${counted(lost, one, plural)} ${lost === 1 ? "was" : "were"} not recorded`;
    this.#failures = this.#lostSince = 0;
    this.#tell("resumed", `Recording to "${this.path}" goes on; ${rest}`);
  }

  /** Counts what waits as lost. */
  #giveUp(error: unknown): void {
    const lost = this.#queue.reduce((sum, { count }) => sum + count, 0);
    this.#queue = [];
    this.#waiting = 0;
    this.#reopening = false;
    this.#flushTo = undefined;
    this.#unrecorded += lost;
    this.#tell("failed", `Cannot record to "${this.path}": ${whyNot(error)}`, error);
  }

  /** Waits until it is worth another try. */
  async #retryTime(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#clock.wake(resolve, RETRY_MS);
    this.#cutWait = resolve;
    await promise;
    this.#cutWait = undefined;
    callOff();
  }
}

/** Whether so many bytes fit behind a chunk, in its block. */
function hasRoom(chunk: Chunk | undefined, length: number): chunk is Chunk {
  return chunk !== undefined && chunk.end + length <= chunk.block.length;
}
