/**
 * The files of unix datagram sockets: a path that is made free before it is bound, and removed afterwards.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { within } from "../../time/deadline.ts";

/** Bytes that the path of a unix socket may have; the shortest of the systems that have them (macOS) takes 103. */
const LONGEST_PATH = Deno.build.os === "linux" ? 107 : 103;

/** Seconds that a program may take to accept a datagram. */
const PROBE_SECONDS = 0.5;

/**
 * Makes a path free to bind: a socket file that nobody listens on is removed.
 *
 * @param path The path.
 * @throws {UsageError} If a program listens there, there is a file of another kind, the path is too long, or the system is Windows.
 */
export async function clearPath(path: string): Promise<void> {
  const where = `Cannot listen on "${path}"`;
  if (Deno.build.os === "windows") {
    throw new UsageError(`${where}: Windows has no unix datagram sockets, use UDP`);
  }
  const length = new TextEncoder().encode(path).length;
  if (length > LONGEST_PATH) {
    throw new UsageError(
      `${where}: the path has ${length} bytes, expected at most ${LONGEST_PATH}`,
    );
  }
  try {
    if (!(await Deno.lstat(path)).isSocket) {
      throw new UsageError(`${where}: there is a file of another kind`);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (await isListening(path)) throw new UsageError(`${where}: another program uses this address`);
  await Deno.remove(path);
}

/** The file of a bound unix socket: this one file and no other that takes its place later. */
export class SocketFile {
  readonly #path: string;
  readonly #inode: number | null;

  /** @param path The path that the socket was bound to. */
  constructor(path: string) {
    this.#path = path;
    this.#inode = inodeOf(path);
  }

  /** Removes the file, if it is still there. */
  remove(): void {
    if (this.#inode !== null && inodeOf(this.#path) === this.#inode) Deno.removeSync(this.#path);
  }
}

/** The inode of a socket's file; null if there is no such file, or it is of another kind. */
function inodeOf(path: string): number | null {
  try {
    const { isSocket, ino } = Deno.lstatSync(path);
    return isSocket ? ino : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Whether a program listens at a unix path: only then an empty datagram, which means nothing to any program, can be sent there. */
async function isListening(path: string): Promise<boolean> {
  const own = await Deno.makeTempDir({ prefix: "labwire-" });
  const probe = Deno.listenDatagram({ transport: "unixpacket", path: `${own}/probe.sock` });
  try {
    // A program that is too busy to take it counts as listening too.
    await within(probe.send(new Uint8Array(), { transport: "unixpacket", path }), PROBE_SECONDS);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.ConnectionRefused);
  } finally {
    probe.close();
    await Deno.remove(own, { recursive: true });
  }
}
