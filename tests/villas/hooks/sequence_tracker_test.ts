import { assert, assertEquals, assertMatch } from "@std/assert";
import { SequenceTracker } from "../../../lib/villas/hooks/sequence_tracker.ts";
import { random32 } from "../../codecs/struct/random_values.ts";

interface Counts {
  missed: number;
  reordered: number;
  duplicates: number;
  restarts: number;
}

/** What a tracker counts. */
function counted(sequences: Iterable<number | bigint>): Counts {
  const tracker = new SequenceTracker();
  for (const sequence of sequences) tracker.track(sequence);
  const { missed, reordered, duplicates, restarts } = tracker;
  return { missed, reordered, duplicates, restarts };
}

const NOTHING: Counts = { missed: 0, reordered: 0, duplicates: 0, restarts: 0 };

/** The definition, where no number is damaged: keeps all numbers, and counts what is missing among them at the end. */
function model(sequences: bigint[]): Counts {
  const [first] = sequences as [bigint];
  let highest = first, present = 1;
  const seen = new Set<bigint>();
  const counts = { ...NOTHING };
  for (const sequence of sequences) {
    if (seen.has(sequence)) counts.duplicates++;
    else if (sequence < highest) counts.reordered++;
    else highest = sequence;
    seen.add(sequence);
  }
  present = [...seen].filter((sequence) => sequence >= first).length;
  return { ...counts, missed: Number(highest - first) + 1 - present };
}

/** How a random stream is disturbed; each is a part of its numbers. */
interface Disturbance {
  lost: number;
  repeated: number;
  /** How often a burst begins, whose numbers come in any order, and how long it is at most. */
  shuffled: number;
  burst: number;
}

function* stream(
  seed: number,
  start: bigint,
  { lost, repeated, shuffled, burst }: Disturbance,
): Generator<bigint> {
  const random = random32(seed);
  const happens = (part: number) => random() < part * 2 ** 32;
  const end = start + 1000n;
  for (let next = start; next < end;) {
    const length = happens(shuffled) ? 2 + random() % (burst - 1) : 1;
    const block = Array.from({ length }, (_, i) => next + BigInt(i));
    for (let i = length - 1; i > 0; i--) {
      const other = random() % (i + 1);
      [block[i], block[other]] = [block[other]!, block[i]!];
    }
    next += BigInt(length);
    for (const number of block) {
      if (number < end - 100n && happens(lost)) continue;
      yield number;
      if (happens(repeated)) yield number;
    }
  }
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
  assertEquals(counted([1, 65534, 65535, 65536, 1]), { ...NOTHING, missed: 65532, duplicates: 1 });
  assertEquals(counted([1, 65535, 65536, 65537, 2, 2]), {
    ...NOTHING,
    missed: 65532,
    reordered: 1,
    duplicates: 1,
  });
});

Deno.test("SequenceTracker believes a jump far ahead once two more numbers go on from there", () => {
  assertEquals(counted([0, 1, 1_000_000]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([0, 1, 1_000_000, 1_000_001, 1_000_002]), { ...NOTHING, missed: 999_998 });
  assertEquals(counted([0, 1, 1_000_000, 999_999, 999_999]), {
    ...NOTHING,
    missed: 999_997,
    reordered: 1,
    duplicates: 1,
  });
  assertEquals(counted([0, 1, 1_000_000, 2, 3]), { ...NOTHING, reordered: 1 });
  assertEquals(counted([0, 1, 1_000_000, 1_000_001, 2, 3]), { ...NOTHING, reordered: 2 });
  assertEquals(counted([0, 1, 1_000_000, 0, 1]), { ...NOTHING, reordered: 1, restarts: 1 });
});

Deno.test("SequenceTracker counts what a source leaves out that takes large steps", () => {
  assertEquals(counted([0, 100, 200, 300, 400]), { ...NOTHING, missed: 4 * 99 });
  assertEquals(counted([0, 10, 20, 30]), { ...NOTHING, missed: 27 });
  assertEquals(counted([5, 5000, 5100, 9000, 9001]).reordered, 0);
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
});

Deno.test("SequenceTracker counts no more than a number holds exactly, and never with an exponent", () => {
  const steps = Array.from({ length: 400 }, (_, i) => [1n, 2n ** 64n - 3n + BigInt(i % 3)]).flat();
  const jumps = [1n, 2n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 63n + 2n, 0n, 1n];
  for (const sequences of [steps, [...jumps, ...jumps, ...jumps]]) {
    for (const count of Object.values(counted(sequences))) {
      assert(Number.isSafeInteger(count) && count >= 0);
      assertMatch(String(count), /^\d+$/);
    }
  }
  assertEquals(counted(jumps).missed, Number.MAX_SAFE_INTEGER);
});

/** Every stream of numbers from a start in which one bit of one number is flipped. */
function* damaged(start: bigint, length: number): Generator<[name: string, sequences: bigint[]]> {
  const whole = Array.from({ length }, (_, i) => start + BigInt(i));
  for (let i = 0; i < length; i++) {
    for (let bit = 0n; bit < 64n; bit++) {
      yield [`bit ${bit} of ${whole[i]}`, whole.with(i, whole[i]! ^ 1n << bit)];
    }
  }
}

for (const start of [0n, 1n, 60n, 32_700n, 65_500n, 2n ** 32n - 70n, 2n ** 53n - 70n, 2n ** 63n]) {
  Deno.test(`SequenceTracker counts a flipped bit as one lost and one out of turn, from ${start}`, () => {
    for (const [name, sequences] of damaged(start, 140)) {
      const tracker = new SequenceTracker();
      for (const [i, sequence] of sequences.entries()) {
        tracker.track(sequence);
        const { missed, reordered, duplicates, restarts } = tracker;
        assert(missed <= 64, `${missed} missed after ${i + 1} numbers, ${name}`);
        assert(reordered + duplicates <= 3 && restarts <= 1, `${i + 1} numbers, ${name}`);
      }
      const { missed, reordered, duplicates, restarts } = tracker;
      // With nothing before it, or nothing behind it, a small flip looks like a gap.
      const isLast = sequences.at(-1) !== start + 139n;
      const atEnd = isLast || sequences[0] !== start;
      assert(missed <= (atEnd ? 64 : 1) && reordered <= 1 && duplicates <= 1, name);
      assertEquals(restarts, isLast && sequences.at(-1) === 0n ? 1 : 0, name);
    }
  });
}

Deno.test("SequenceTracker counts hundreds of flipped bits as hundreds", () => {
  for (const bits of [16, 32, 64]) {
    const random = random32(bits);
    const sequences = Array.from({ length: 100_000 }, (_, i) => BigInt(1000 + i));
    let flips = 0;
    for (const i of sequences.keys()) {
      if (random() % 100 > 0) continue;
      flips++;
      sequences[i]! ^= 1n << BigInt(random() % bits);
    }
    const { missed, reordered, duplicates, restarts } = counted(sequences);
    assert(missed > 0.9 * flips && missed < 1.1 * flips, `${missed} missed, ${flips} flips`);
    assert(reordered + duplicates < 1.2 * flips, `${reordered} + ${duplicates}, ${flips} flips`);
    assertEquals(restarts, 0);
  }
});

Deno.test("SequenceTracker goes on where a counter of 32 bits wraps", () => {
  const end = 2 ** 32;
  assertEquals(counted([end - 3, end - 2, end - 1, 0, 1, 2]), NOTHING);
  assertEquals(counted([end - 3, end - 1, 0, 2, 3]), { ...NOTHING, missed: 2 });
  assertEquals(counted([end - 2, 2, 3, 4, 1]), { ...NOTHING, missed: 2, reordered: 1 });
  assertEquals(counted([end - 2, end - 1, end, end + 1]), NOTHING); // 64 bits
  assertEquals(counted([end - 100_000, end - 99_999, 0, 1]), { ...NOTHING, restarts: 1 });
});

Deno.test("SequenceTracker takes a 0 for damaged where the stream goes on behind it", () => {
  assertEquals(counted([62, 63, 0, 65, 66]), { ...NOTHING, missed: 1, reordered: 1 });
  assertEquals(counted([0, 1, 2, 0, 4]), { ...NOTHING, missed: 1, duplicates: 1 });
  assertEquals(counted([1022, 1023, 0, 1021, 1025]), { ...NOTHING, missed: 1, reordered: 2 });
});

Deno.test("SequenceTracker takes as long for numbers of any kind as for those in order", () => {
  const time = (numberAt: (i: number) => number) => {
    const tracker = new SequenceTracker();
    const start = performance.now();
    for (let i = 0; i < 50_000; i++) tracker.track(numberAt(i));
    return performance.now() - start;
  };
  const random = random32(1);
  for (
    const numberAt of [
      (i: number) => i * 65_000,
      (i: number) => i * 65_537,
      (i: number) => i % 2 * 5,
      (i: number) => i % 2 * 1e9 + i,
      () => random() * 2 ** 20,
    ]
  ) {
    // A number costs 0.2 to 0.6 µs, its sample twenty times as much; it was 40 µs once.
    const best = Math.min(...[1, 2, 3].map(() => time(numberAt)));
    assert(best < 1000, `${best} ms`);
  }
});

for (const start of [1n, 123_456n, 2n ** 53n - 500n, 2n ** 63n, 2n ** 64n - 1001n]) {
  Deno.test(`SequenceTracker agrees with a list of all numbers, from ${start}`, () => {
    for (
      const disturbance of [
        { lost: 0.1, repeated: 0.1, shuffled: 0, burst: 2 },
        { lost: 0, repeated: 0, shuffled: 0.05, burst: 40 },
        { lost: 0.05, repeated: 0, shuffled: 0.05, burst: 12 },
        { lost: 0, repeated: 0, shuffled: 1, burst: 16 },
      ]
    ) {
      let same = 0;
      for (let seed = 0; seed < 40; seed++) {
        const sequences = [...stream(seed, start, disturbance)];
        const wanted = model(sequences);
        const found = counted(sequences);
        assertEquals(found.missed, wanted.missed, `seed ${seed}`);
        // A number that came early may look like a damaged one by chance.
        assert(Math.abs(found.reordered - wanted.reordered) <= 64, `seed ${seed}`);
        assertEquals([found.duplicates, found.restarts], [wanted.duplicates, 0], `seed ${seed}`);
        if (found.reordered === wanted.reordered) same++;
        if (sequences.every((sequence) => sequence <= BigInt(Number.MAX_SAFE_INTEGER))) {
          assertEquals(counted(sequences.map(Number)), found, `seed ${seed}, as numbers`);
        }
      }
      assert(same >= 30, `${same} of 40 the same`);
    }
  });
}
