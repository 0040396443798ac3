import type { Struct } from "../codecs/struct/struct.ts";
import { checkValueCount } from "../codecs/struct/fields.ts";
import { counted, quoted } from "../text/wording.ts";
import { UsageError } from "../errors.ts";

/** Bytes of the largest record that is kept in memory: 1 GiB. */
const MOST = 2 ** 30;

/**
 * Checks that a stream can carry records of a format.
 *
 * @param struct The format.
 * @throws {UsageError} If a record has no bytes, more than 1 GiB, or more than 16,777,216 values.
 */
export function checkRecordSize(
  { layout }: Pick<Struct<string, readonly unknown[]>, "layout">,
): void {
  const { format, size } = layout;
  const about = `Cannot use ${quoted(format)} for the records of a stream`;
  if (size === 0) throw new UsageError(`${about}: it has no bytes`);
  if (size > MOST) {
    throw new UsageError(`${about}: it has ${counted(size, "byte")}, more than ${MOST}`);
  }
  checkValueCount(layout);
}
