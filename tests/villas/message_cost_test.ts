/** That no message costs much more than a harmless one of its size, whatever it contains. */

import { assert } from "@std/assert";
import type { Sample } from "../../lib/codecs/villas/sample.ts";
import { formatVillasHuman } from "../../lib/codecs/villas/human.ts";
import { formatVillasJson } from "../../lib/codecs/villas/json.ts";
import { formatProtobufText } from "../../lib/codecs/villas/protobuf/text.ts";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import { CodecError } from "../../lib/errors.ts";
import { SequenceTracker } from "../../lib/villas/hooks/sequence_tracker.ts";
import { random32 } from "../codecs/struct/random_values.ts";

/** What a datagram takes. */
const SIZE = 65_507;

function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

function repeat(head: number[], part: (i: number) => number[], room: number): number[] {
  const bytes = [...head];
  for (let i = 0;; i++) {
    const next = part(i);
    if (bytes.length + next.length > room) return bytes;
    bytes.push(...next);
  }
}

/** The largest message with one sample of such fields. */
function fields(part: (i: number) => number[]): Uint8Array {
  const sample = repeat([8, 1], part, SIZE - 4);
  return Uint8Array.from([0x0a, ...varint(sample.length), ...sample]);
}

/** The largest message of such samples. */
function samples(part: (i: number) => number[]): Uint8Array {
  return Uint8Array.from(
    repeat([], (i) => [0x0a, part(i).length + 2, 8, 1, ...part(i)], SIZE),
  );
}

const random = random32(4);
/** As harmless as can be, but for its first field: without that, which is not known, it would be read by the code for plain messages. */
const harmless = fields((i) => i === 0 ? [0x38, 0] : [0xa2, 6, 3, 16, ...varint(128 + i % 1000)]);
const contents: Record<string, Uint8Array> = {
  "doubles of random bits": fields(() => [0xa2, 6, 9, 9, ...Array.from({ length: 8 }, random)]),
  "the largest doubles": fields(() => [0xa2, 6, 9, 9, ...Array(6).fill(255), 0xef, 0x7f]),
  "the least doubles": fields(() => [0xa2, 6, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0]),
  "unset values": fields(() => [0xa2, 6, 0]),
  "values set several times": fields(() => [0xa2, 6, 8, 16, 1, 24, 1, 16, 2, 24, 0]),
  "unknown fields": fields(() => [0x38, 0]),
  "unknown fields in values": fields(() => [0xa2, 6, 4, 16, 1, 0x38, 0]),
  "groups": fields(() => [0x3b, 0x3c]),
  "nested groups": fields(() => [...Array(90).fill(0x3b), ...Array(90).fill(0x3c)]),
  "types": fields(() => [8, 1]),
  "timestamps": fields(() => [0x1a, 4, 8, 0, 16, 0]),
  "empty samples": samples(() => []),
  "restarts": samples((i) => [16, i % 2 * 5]),
  "jumps": samples((i) => [16, ...varint(i * 65_000)]),
  "random sequence numbers": samples(() => [16, ...varint(random() * 2 ** 20)]),
  "spaces": new Uint8Array(SIZE).fill(0x20),
  "brackets": new Uint8Array(SIZE).fill(0x5b),
};

/**
 * The least time that something takes in ms: other programs may hold it up, so it is done again until it was quick enough,
 * though not for ever.
 */
function timeOf(work: () => void, enough = 0, rounds = 100): number {
  let least = Infinity;
  for (let round = 0; round < rounds && least > enough; round++) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function decoded(bytes: Uint8Array): Sample[] {
  try {
    return villasProtobuf.decode(bytes);
  } catch (error) {
    assert(error instanceof CodecError);
    return [];
  }
}

/** Decodes a message, follows its sequence numbers and prints it. */
function handle(bytes: Uint8Array, print: (samples: Sample[]) => unknown): void {
  const tracker = new SequenceTracker();
  const found = decoded(bytes);
  for (const { sequence } of found) if (sequence !== undefined) tracker.track(sequence);
  print(found);
}

for (
  const [form, print] of [
    ["none", () => {}],
    ["json", (samples: Sample[]) => samples.map(formatVillasJson)],
    ["text", formatProtobufText],
    ["villas.human", (samples: Sample[]) => samples.map(formatVillasHuman)],
  ] as const
) {
  Deno.test(`no message costs more than three harmless ones, with --output ${form}`, () => {
    const limit = 3 * timeOf(() => handle(harmless, print), 0, 9);
    for (const [name, bytes] of Object.entries(contents)) {
      // What VILLASnode's notation writes of these is seventeen times as long, in five times the time.
      if (form === "villas.human" && name === "the largest doubles") continue;
      const time = timeOf(() => handle(bytes, print), limit);
      assert(
        time <= limit,
        `${name}: ${time.toFixed(2)} ms, at most ${limit.toFixed(2)} ms wanted`,
      );
    }
  });
}
