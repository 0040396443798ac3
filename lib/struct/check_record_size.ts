import type { Struct } from "../codecs/struct.ts";
import { UsageError } from "../errors.ts";

/** Bytes of the largest record that is kept in memory: 1 GiB. */
const MOST = 2 ** 30;

/**
 * Checks that a stream can consist of records of a format.
 *
 * @param struct The format.
 * @throws {UsageError} If a record has no bytes, or more than 1 GiB.
 */
export function checkRecordSize(
  { format, size }: Pick<Struct<string, readonly unknown[]>, "format" | "size">,
): void {
  const about = `Cannot take ${JSON.stringify(format)} for the records of a stream`;
  if (size === 0) throw new UsageError(`${about}: it has no bytes`);
  if (size > MOST) throw new UsageError(`${about}: it has ${size} bytes, more than ${MOST}`);
}
