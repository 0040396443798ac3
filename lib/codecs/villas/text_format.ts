import { CodecError } from "../../errors.ts";
import { describeLikeness } from "./recognise.ts";
import type { Sample } from "./sample.ts";

/** How many sequence numbers there are. */
const SEQUENCES = 2n ** 64n;
/** The largest integer that a number holds exactly. */
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** The largest part of a timestamp: VILLASnode cuts to 32 bits. */
const UINT32_MAX = 0xffff_ffff;

/**
 * Checks what a sample has beside its values.
 *
 * @param sample The sample.
 * @param name The format's name.
 * @throws {CodecError} If it is not of type DATA, or its sequence number or a time is none.
 */
export function checkHead(sample: Sample, name: string): void {
  const { type, sequence, origin, received } = sample;
  if (type !== "data") {
    throw new CodecError(
      `Cannot encode type ${
        Deno.inspect(type)
      } as ${name}: expected data, the only type that it has`,
    );
  }
  if (
    sequence !== undefined &&
    !(typeof sequence === "bigint" && sequence >= 0n && sequence < SEQUENCES)
  ) {
    throw new CodecError(
      `Cannot encode sequence ${Deno.inspect(sequence)}: expected an integer from 0 to 2^64 - 1`,
    );
  }
  if (origin !== undefined) checkTimestamp(origin.sec, origin.nsec);
  if (received !== undefined) checkTimestamp(received.sec, received.nsec);
}

/** Writes a sequence number, or the negative one in its place, in less time than JavaScript does where it is not huge. */
export function sequenceText(sequence: bigint): string {
  return sequence <= SAFE && sequence >= -SAFE ? String(Number(sequence)) : String(sequence);
}

/**
 * Checks a sample for a format that has no place for a sequence number.
 *
 * @param sample The sample.
 * @param name The format's name.
 * @param wanted Whether it was not said that the sequence number is to be left out.
 * @param other What else would help.
 * @throws {CodecError} If it would be lost.
 */
export function checkNoSequence(
  { sequence }: Sample,
  name: string,
  wanted: boolean,
  other = "",
): void {
  if (sequence === undefined || !wanted) return;
  throw new CodecError(
    `Cannot encode sequence ${sequence} as ${name}: it carries none; ${name},sequence=false leaves it out${other}`,
  );
}

/**
 * Checks samples for a format of which VILLASnode reads one in each datagram.
 *
 * @throws {CodecError} If there are more.
 */
export function checkOne(samples: readonly Sample[], name: string): void {
  if (samples.length <= 1) return;
  throw new CodecError(
    `Cannot encode ${samples.length} samples as ${name}: expected one in each datagram`,
  );
}

function checkTimestamp(sec: number, nsec: number): void {
  if (isTimePart(sec) && isTimePart(nsec)) return;
  throw new CodecError(
    `Cannot encode time ${
      isTimePart(sec) ? nsec : sec
    }: expected whole seconds and nanoseconds from 0 to 2^32 - 1`,
  );
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
