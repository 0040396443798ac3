import { messageOf } from "../errors.ts";
import { isSameFile } from "./same_file.ts";

const NOTHING = new Uint8Array();
/** Whether a file is locked while it is recorded into. On Windows, nobody could even read it meanwhile. */
const LOCKS = Deno.build.os !== "windows";

/**
 * What is to become of a file that is there already; one that is read, or that another recording is in, is touched in no case.
 * `refuse`: it is not touched unless it is empty, or `force` is set. `append`: it goes on. `next`: it is not touched unless `force` is
 * set, and never if it is of this recording; another name is to be tried.
 */
export type Existing = "refuse" | "append" | "next";

/** How a {@linkcode RecordingFile} works. */
export interface RecordingFileOptions {
  /** What each file begins with, asked for when there is something to be written to it. Default: nothing. */
  readonly header?: () => Uint8Array | undefined;
  /** Overwrite a file that is there, unless it was begun here. Default: refuse to. */
  readonly force?: boolean;
  /** Files that are read meanwhile, which are never written to, by whatever name. */
  readonly reads?: readonly (string | number)[];
  /** How many files to keep, the newest; only those that were begun here count. Default: all. */
  readonly keep?: number;
  /** Called when an old file cannot be removed (`keep`), or the system does not say that the data is on the disk (`sync`). */
  readonly onProblem: (kind: "keep" | "sync", message: string, error: unknown) => void;
}

/** The file that a recording is in at the time: what is written to it is there as a whole, or not at all. */
export class RecordingFile {
  readonly #options: RecordingFileOptions;
  /** The files that count for how many are kept, the oldest first. */
  readonly #kept: { readonly path: string; identity: string }[] = [];
  /** The paths of all files that this recording has begun and not removed. */
  readonly #begun = new Set<string>();
  #path = "";
  #file: Deno.FsFile | undefined;
  /** Tells one file from another of the same name; undefined for what is no file on a disk. */
  #identity: string | undefined;
  /** Whether the header of the present file is still to be written. */
  #headerDue = false;
  #unsynced = false;
  #bytes = 0;
  #count = 0;
  #found = 0;

  /** @param options How it works. */
  constructor(options: RecordingFileOptions) {
    this.#options = options;
  }

  /** Its path. */
  get path(): string {
    return this.#path;
  }

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** What the file begins with. */
  get header(): Uint8Array {
    return this.#options.header?.() ?? NOTHING;
  }

  /** Bytes that were in it when it was opened. */
  get found(): number {
    return this.#found;
  }

  /** Bytes written to all files, with headers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Files begun. */
  get count(): number {
    return this.#count;
  }

  /**
   * Opens a file, in place of the one that is open. Its folder is made if it is not that of the file before, as with a time in its name:
   * one that is gone may be that of a disk which comes back.
   *
   * @param path Its path.
   * @param existing What to do about a file that is there.
   * @returns Whether it is open; false if the next name is to be tried.
   * @throws If it is refused, or a directory; the message is why. What the system says is passed on. No file is open then.
   */
  async begin(path: string, existing: Existing): Promise<boolean> {
    const { force = false, reads = [] } = this.#options;
    await this.sync();
    this.letGo();
    if (folderOf(path) !== folderOf(this.#path)) await makeFolderOf(path);
    const info = await statOf(path);
    const isNext = existing === "next";
    if (isNext && (this.#begun.has(path) || info && (info.isDirectory || !force))) return false;
    if (info?.isDirectory) throw new Error("it is a directory");
    for (const read of reads) {
      if (!await isSameFile(read, path)) continue;
      if (isNext) return false;
      throw new Error("it is the file that is read");
    }
    const why = await this.#open(path, existing, info === undefined);
    if (why !== undefined) {
      this.letGo();
      if (isNext) return false;
      throw new Error(why);
    }
    this.#begun.add(path);
    this.#path = path;
    if (existing !== "append" || !info) this.#count++;
    await this.#keep();
    return true;
  }

  /** Opens a file, and makes it empty unless it is to go on; returns why it must not be touched, if so. */
  async #open(path: string, existing: Existing, isNew: boolean): Promise<string | undefined> {
    const isThere =
      "it is there already; --force overwrites it, and a name such as run-%Y%m%d-%H%M%S.dat is new each time";
    const goesOn = existing === "append";
    try {
      // Another program may make it at the same moment.
      const createNew = isNew && (existing === "next" || !LOCKS && !goesOn);
      this.#file = await Deno.open(path, { write: true, create: true, createNew });
    } catch (error) {
      if (isNew && error instanceof Deno.errors.AlreadyExists) return isThere;
      throw error;
    }
    const file = this.#file;
    if (!await isOurs(file)) return "another recording is in it";
    const info = await file.stat();
    this.#identity = identityOf(info);
    const found = info.isFile ? info.size : 0;
    if (found > 0 && existing === "refuse" && !this.#options.force) return isThere;
    if (found > 0 && !goesOn) await file.truncate();
    this.#found = goesOn ? found : 0;
    this.#headerDue = this.#found === 0;
  }

  /** Writes all of some bytes, or none, at the end of the open file; before the first of all, its header. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#headerDue) {
      await this.#writeWhole(this.header);
      this.#headerDue = false;
    }
    await this.#writeWhole(bytes);
  }

  /** Whether the file has another name now, or none. */
  async isRemoved(): Promise<boolean> {
    if (this.#identity === undefined) return false;
    const info = await statOf(this.#path);
    return info === undefined || identityOf(info) !== this.#identity;
  }

  /** Has the system put on the disk what was written, so that it survives a loss of power. */
  async sync(): Promise<void> {
    if (!this.#unsynced || !this.#file || this.#identity === undefined) return;
    this.#unsynced = false;
    try {
      await this.#file.syncData();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return; // the file was changed for another one meanwhile, and closed
      const message = `Cannot bring "${this.#path}" to the disk: ${whyNot(error)}`;
      this.#options.onProblem("sync", message, error);
    }
  }

  /** Closes the file. */
  letGo(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #writeWhole(bytes: Uint8Array): Promise<void> {
    const file = this.#file!;
    const at = this.#identity === undefined ? 0 : await file.seek(0, Deno.SeekMode.End);
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    } catch (error) {
      if (this.#identity !== undefined) await file.truncate(at).catch(() => {});
      throw error;
    }
    this.#unsynced = true;
    this.#bytes += bytes.length;
  }

  /** Counts the open file, if it was begun here, and removes the oldest where there are more than are to be kept. */
  async #keep(): Promise<void> {
    const { keep = Infinity, onProblem } = this.#options;
    const [path, identity] = [this.#path, this.#identity];
    if (keep === Infinity || identity === undefined) return;
    const known = this.#kept.find((each) => each.path === path);
    if (known) known.identity = identity;
    else if (this.#headerDue) this.#kept.push({ path, identity });
    while (this.#kept.length > keep) {
      const old = this.#kept.shift()!;
      try {
        // Another program may have put another file there.
        const info = await statOf(old.path);
        if (info && identityOf(info) === old.identity) await Deno.remove(old.path);
        this.#begun.delete(old.path); // the name may come again
      } catch (error) {
        const message = `Cannot remove the old recording "${old.path}": ${whyNot(error)}`;
        onProblem("keep", message, error);
      }
    }
  }
}

/**
 * Takes a file for this recording alone, until it is closed; what is no file on a disk, such as `/dev/null` or a pipe, serves several.
 *
 * @returns Whether nobody else has it.
 */
async function isOurs(file: Deno.FsFile): Promise<boolean> {
  try {
    return !LOCKS || !(await file.stat()).isFile || await file.tryLock(true);
  } catch {
    return true; // not every file system knows this
  }
}

/** Makes the folder that a file is to lie in; as VILLASnode does, only the last one. */
async function makeFolderOf(path: string): Promise<void> {
  const folder = folderOf(path);
  if (folder === "" || await statOf(folder)) return;
  await Deno.mkdir(folder);
}

function folderOf(path: string): string {
  return path.replace(/[^/\\]*$/, "").replace(/(?<=.)[/\\]+$/, "");
}

/** Why a file cannot be written, for a person. */
export function whyNot(error: unknown): string {
  return error instanceof Deno.errors.NotFound ? "no such directory" : messageOf(error);
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** What tells a file from others; on systems that number none, all are the same. Undefined for what is no file on a disk. */
function identityOf({ isFile, dev, ino }: Deno.FileInfo): string | undefined {
  return isFile ? `${dev} ${ino}` : undefined;
}
