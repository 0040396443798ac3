import { CodecError } from "../../errors.ts";
import { describeLikeness } from "./recognise.ts";
import { kindOf, type Sample, type Timestamp, type Value } from "./sample.ts";

/** The largest part of a timestamp: VILLASnode cuts to 32 bits. */
const UINT32_MAX = 0xffff_ffff;

/**
 * Checks that a text format can carry a sample.
 *
 * @param sample The sample.
 * @param name The format's name.
 * @throws {CodecError} If it is not of type DATA, or a value is unset or of no kind.
 */
export function checkCarried(sample: Sample, name: string): void {
  if (sample.type !== "data") {
    throw new CodecError(
      `Cannot encode type ${
        Deno.inspect(sample.type)
      } as ${name}: expected data, the only type that it has`,
    );
  }
  const unset = sample.values.indexOf(null);
  if (unset >= 0) {
    throw new CodecError(`Cannot encode value ${unset} as ${name}: it is unset`);
  }
  for (const [i, value] of sample.values.entries()) {
    if (isValue(value)) continue;
    throw new CodecError(
      `Cannot encode value ${i} ${
        Deno.inspect(value)
      } as ${name}: expected a float, integer, boolean or complex number`,
    );
  }
  checkInteger("sequence", sample.sequence, BigInt.asUintN, "from 0 to 2^64 - 1");
  for (const [i, value] of sample.values.entries()) {
    if (typeof value === "bigint") {
      checkInteger(`value ${i}`, value, BigInt.asIntN, "from -2^63 to 2^63 - 1");
    }
  }
  for (const timestamp of [sample.origin, sample.received]) {
    if (timestamp) checkTimestamp(timestamp);
  }
}

function isValue(value: Value): boolean {
  if (value === undefined || typeof value === "string" || typeof value === "function") return false;
  return kindOf(value) !== "complex" ||
    typeof (value as { real: unknown }).real === "number" &&
      typeof (value as { imag: unknown }).imag === "number";
}

function checkInteger(
  what: string,
  value: bigint | undefined,
  wrap: (bits: number, value: bigint) => bigint,
  range: string,
): void {
  if (value === undefined || typeof value === "bigint" && wrap(64, value) === value) return;
  throw new CodecError(`Cannot encode ${what} ${Deno.inspect(value)}: expected a bigint ${range}`);
}

function checkTimestamp({ sec, nsec }: Timestamp): void {
  for (const part of [sec, nsec]) {
    if (isTimePart(part)) continue;
    throw new CodecError(
      `Cannot encode time ${part}: expected whole seconds and nanoseconds from 0 to 2^32 - 1`,
    );
  }
}

/** Whether a number can be the seconds or nanoseconds of a timestamp. */
export function isTimePart(part: unknown): part is number {
  return Number.isInteger(part) && part as number >= 0 && part as number <= UINT32_MAX;
}

/**
 * Says why a message does not decode, and what it looks like instead.
 *
 * @param bytes The message.
 * @param name The format that it should have.
 * @param offset Where decoding stopped, in bytes.
 * @param why What was found there, and what was expected.
 */
export function decodeError(
  bytes: Uint8Array,
  name: string,
  offset: number,
  why: string,
): CodecError {
  const likeness = describeLikeness(bytes, name);
  return new CodecError(
    `Cannot decode VILLAS message of ${bytes.length} bytes as ${name} at byte ${offset}: ${why}` +
      (likeness === undefined ? "" : `; ${likeness}`),
    { offset },
  );
}
