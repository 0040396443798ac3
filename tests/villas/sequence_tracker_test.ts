import { assert, assertEquals } from "@std/assert";
import { SequenceTracker } from "../../lib/villas/sequence_tracker.ts";
import { random32 } from "../codecs/random_values.ts";

interface Counts {
  missed: number;
  reordered: number;
  duplicates: number;
  restarts: number;
}

function counted(sequences: Iterable<number | bigint>): Counts {
  const tracker = new SequenceTracker();
  for (const sequence of sequences) tracker.track(sequence);
  const { missed, reordered, duplicates, restarts } = tracker;
  return { missed, reordered, duplicates, restarts };
}

const NOTHING: Counts = { missed: 0, reordered: 0, duplicates: 0, restarts: 0 };

const FAR = 65536n;

/** The definition: keeps all numbers since the last restart, and counts what is missing among them at the end. */
function model(sequences: bigint[]): Counts {
  const counts = { ...NOTHING };
  let seen = new Set<bigint>();
  let first = 0n, highest = 0n;
  const missing = () => {
    let present = 0n;
    for (const sequence of seen) if (sequence >= first) present++;
    return seen.size === 0 ? 0 : Number(highest - first + 1n - present);
  };
  const begin = (sequence: bigint) => {
    counts.missed += missing();
    seen = new Set([sequence]);
    first = highest = sequence;
  };
  const isFar = (a: bigint, b: bigint) => a - b >= FAR || b - a >= FAR;
  for (const [i, sequence] of sequences.entries()) {
    if (seen.size === 0) begin(sequence);
    else if (sequence === 0n && highest !== 0n) {
      counts.restarts++;
      begin(sequence);
    } else if (isFar(sequence, highest)) {
      const next = sequences[i + 1];
      const ahead = sequence > highest;
      const stray = next === undefined || next === 0n ? !ahead : isFar(next, sequence);
      if (stray) counts.reordered++;
      else if (ahead) seen.add(highest = sequence);
      else {
        counts.restarts++;
        begin(sequence);
      }
    } else if (seen.has(sequence)) {
      counts.duplicates++;
    } else if (sequence > highest) {
      seen.add(highest = sequence);
    } else {
      counts.reordered++;
      seen.add(sequence);
    }
  }
  counts.missed += missing();
  return counts;
}

/** Random streams: mostly the next number, with gaps, late ones, repeats and restarts, some of them far. */
function* stream(seed: number, start: bigint, steps: number): Generator<bigint> {
  const random = random32(seed);
  let next = start;
  for (let i = 0; i < steps; i++) {
    const choice = random() % 100;
    if (choice < 70) yield next++;
    else if (choice < 80) yield next += BigInt(random() % 10);
    else if (choice < 90) yield clamp(next - BigInt(random() % 40));
    else if (choice < 94) yield clamp(next - BigInt(65_500 + random() % 72));
    else if (choice < 96) yield next += BigInt(65_500 + random() % 72);
    else if (choice < 98) yield clamp(next - BigInt(random() % 200_000));
    else if (choice < 99) yield next += BigInt(random() % 200_000);
    else if (random() % 20 === 0) yield next = 0n;
  }
}

function clamp(sequence: bigint): bigint {
  const limit = 2n ** 64n - 1n;
  return sequence < 0n ? 0n : sequence > limit ? limit : sequence;
}

Deno.test("SequenceTracker counts nothing in an unbroken stream", () => {
  assertEquals(counted([]), NOTHING);
  assertEquals(counted([0, 1, 2, 3]), NOTHING);
  assertEquals(counted([1000, 1001n, 1002]), NOTHING);
});

Deno.test("SequenceTracker counts a gap, and takes back what comes late", () => {
  assertEquals(counted([5, 9]), { ...NOTHING, missed: 3 });
  assertEquals(counted([5, 9, 7, 6]), { ...NOTHING, missed: 1, reordered: 2 });
  assertEquals(counted([5, 9, 7, 7]), { ...NOTHING, missed: 2, reordered: 1, duplicates: 1 });
});

Deno.test("SequenceTracker never counts what is before the first number as missed", () => {
  assertEquals(counted([5, 3]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([5, 3, 3, 4]), { ...NOTHING, reordered: 2, duplicates: 1 });
});

Deno.test("SequenceTracker takes 0 after another number for a restart", () => {
  assertEquals(counted([0, 1, 2, 0, 1, 2]), { ...NOTHING, restarts: 1 });
  assertEquals(counted([7, 0, 2]), { ...NOTHING, missed: 1, restarts: 1 });
  assertEquals(counted([2n ** 64n - 1n, 0n, 1n]), { ...NOTHING, restarts: 1 });
});

Deno.test("SequenceTracker takes 0 after 0 for a duplicate", () => {
  assertEquals(counted([0, 0, 0n, 1]), { ...NOTHING, duplicates: 2 });
});

Deno.test("SequenceTracker remembers the last 65,536 numbers", () => {
  assertEquals(counted([1, 65536, 1]), { ...NOTHING, missed: 65534, duplicates: 1 });
  assertEquals(counted([1, 65536, 65537, 2, 2]), {
    ...NOTHING,
    missed: 65533,
    reordered: 1,
    duplicates: 1,
  });
});

Deno.test("SequenceTracker believes a jump far ahead at once, until another number contradicts it", () => {
  assertEquals(counted([0, 1, 1_000_000]), { ...NOTHING, missed: 999_998 });
  assertEquals(counted([0, 1, 1_000_000, 1_000_001]), { ...NOTHING, missed: 999_998 });
  assertEquals(counted([0, 1, 1_000_000, 999_999, 999_999]), {
    ...NOTHING,
    missed: 999_997,
    reordered: 1,
    duplicates: 1,
  });
  assertEquals(counted([0, 1, 1_000_000, 2, 3]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([0, 1, 1_000_000, 0, 1]), { ...NOTHING, missed: 999_998, restarts: 1 });
});

Deno.test("SequenceTracker takes numbers far below for a restart whose 0 was lost, but not a single one", () => {
  assertEquals(counted([500_000, 500_001, 3]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([500_000, 500_001, 3, 5]), { ...NOTHING, missed: 1, restarts: 1 });
  assertEquals(counted([500_000, 500_001, 3, 500_002]), { ...NOTHING, reordered: 1 });
});

Deno.test("SequenceTracker is exact beyond 2⁵³", () => {
  for (const exponent of [53n, 62n, 63n]) {
    const around = 2n ** exponent;
    assertEquals(counted([around - 2n, around - 1n, around, around + 1n]), NOTHING);
    assertEquals(counted([around - 1n, around + 3n, around + 1n, around - 1n]), {
      ...NOTHING,
      missed: 2,
      reordered: 1,
      duplicates: 1,
    });
  }
  const limit = 2n ** 64n - 1n;
  assertEquals(counted([limit - 2n, limit, limit - 1n, limit]), {
    ...NOTHING,
    reordered: 1,
    duplicates: 1,
  });
});

Deno.test("SequenceTracker survives strays and jumps across the whole range", () => {
  const limit = 2n ** 64n - 1n;
  assertEquals(counted([1n, limit, 2n, 3n]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([1n, limit, 2n, 2n ** 63n, 5n]), { ...NOTHING, missed: 2, reordered: 2 });
  assertEquals(counted([limit, 1n, 2n, 4n]), { ...NOTHING, missed: 1, restarts: 1 });
  assertEquals(counted([limit - 2n, 7n, limit - 1n]), { ...NOTHING, reordered: 1 });
  const { missed, ...others } = counted([1n, limit - 1n, limit, limit - 2n]);
  assertEquals(others, { reordered: 1, duplicates: 0, restarts: 0 });
  assert(Math.abs(missed - 2 ** 64) < 2 ** 12);
});

for (const start of [0n, 1n, 123_456n, 2n ** 53n - 500n, 2n ** 63n, 2n ** 64n - 200_000_000n]) {
  Deno.test(`SequenceTracker agrees with a list of all numbers, from ${start}`, () => {
    let total = { ...NOTHING };
    for (let seed = 0; seed < 60; seed++) {
      const sequences = [...stream(seed, start, 500)];
      const wanted = model(sequences);
      assertEquals(counted(sequences), wanted, `seed ${seed}`);
      if (sequences.every((sequence) => sequence <= BigInt(Number.MAX_SAFE_INTEGER))) {
        assertEquals(counted(sequences.map(Number)), wanted, `seed ${seed}, as numbers`);
      }
      total = {
        missed: total.missed + wanted.missed,
        reordered: total.reordered + wanted.reordered,
        duplicates: total.duplicates + wanted.duplicates,
        restarts: total.restarts + wanted.restarts,
      };
    }
    for (const count of Object.values(total)) assert(count > 0);
  });
}
