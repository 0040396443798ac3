import { UsageError } from "../../errors.ts";
import { strftime } from "../../text/strftime.ts";
import { isSameFile } from "./same_file.ts";

/**
 * Checks that what a command reads is not what it writes, which would destroy it; before anything is opened.
 *
 * @param read The file that is read.
 * @param written The file that is written.
 * @throws {UsageError} If they are the same file, also by another name or a link.
 */
export async function checkNotOverwritten(read: string, written: string): Promise<void> {
  if (!await isSameFile(read, written)) return;
  throw new UsageError(`Cannot write "${written}": it is the file that is read`);
}

/**
 * The same for recordings, whose names may hold the time.
 *
 * @param read The file that is read; undefined if none is.
 * @param records The recordings; undefined where none is wanted.
 * @throws {UsageError} If one of them is the file that is read.
 */
export async function checkNotRecorded(
  read: string | undefined,
  ...records: readonly (string | undefined)[]
): Promise<void> {
  for (const record of records) {
    if (read === undefined || record === undefined) continue;
    await checkNotOverwritten(read, strftime(record, new Date()));
  }
}
