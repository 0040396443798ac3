import { assert, assertEquals } from "@std/assert";
import { PlainScanner } from "../../../lib/codecs/villas/protobuf/scan.ts";
import { kindOf, type Sample } from "../../../lib/codecs/villas/sample.ts";
import { villasProtobuf } from "../../../lib/codecs/villas/protobuf.ts";
import { hexLines } from "../../fixtures/read.ts";
import { randomSamples } from "../struct/random_values.ts";

const scanner = new PlainScanner();
const captures = (await Promise.all(
  ["lab19", "vectorize3", "types-cast", "noseq", "newframe"].map((name) => hexLines(`${name}.hex`)),
)).flat();

/** What the decoder knows of a message that may go back as it came; undefined if it may not. */
function decoded(bytes: Uint8Array) {
  try {
    const samples = villasProtobuf.decode(bytes);
    if (samples.some(({ type, values }) => type !== "data" || values.includes(null))) {
      return undefined;
    }
    return {
      samples: samples.length,
      sequences: samples.flatMap(({ sequence }) =>
        sequence === undefined ? [] : [Number(sequence)]
      ),
    };
  } catch {
    return undefined;
  }
}

function scanned(bytes: Uint8Array) {
  const samples = scanner.scan(bytes);
  return samples < 0 ? undefined : { samples, sequences: [...scanner.sequences] };
}

Deno.test("PlainScanner.scan() knows every captured message", () => {
  for (const bytes of captures) {
    assert(scanned(bytes) !== undefined);
    assertEquals(scanned(bytes), decoded(bytes));
  }
  assertEquals(scanned(new Uint8Array()), { samples: 0, sequences: [] });
});

Deno.test("PlainScanner.scan() knows what the decoder knows of random messages", () => {
  let known = 0;
  for (const sample of randomSamples(2000)) {
    const values = sample.values.map((value) =>
      kindOf(value) === "complex" ? { real: 1, imag: NaN } : value
    );
    const bytes = villasProtobuf.encode([{ ...sample, values }, { ...sample, values }]);
    const result = scanned(bytes);
    if (result === undefined) continue;
    known++;
    assertEquals(result, decoded(bytes));
  }
  assert(known > 300, `${known} of 2000`);
});

Deno.test("PlainScanner.scan() never takes a mutated message that the decoder would not", () => {
  let state = 7;
  const random = (below: number) =>
    (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
  let taken = 0;
  for (let i = 0; i < 100_000; i++) {
    const bytes = captures[random(captures.length)]!.slice();
    for (let k = random(3); k >= 0; k--) bytes[random(Math.min(bytes.length, 60))] = random(256);
    const message = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    const result = scanned(message);
    if (result === undefined) continue;
    taken++;
    assertEquals(result, decoded(message));
  }
  assert(taken > 1000, `${taken} taken`);
});

Deno.test("PlainScanner.scan() leaves to the decoder what VILLASnode would abort on", () => {
  for (
    const hex of ["0a020802", "0a050801a20600", "0a0408010807", "0a00", "0a", "12", "0a0408013805"]
  ) {
    assertEquals(scanner.scan(Uint8Array.fromHex(hex)), -1, hex);
  }
});

Deno.test("PlainScanner.scan() takes only values of the kinds that it is told", () => {
  const kinds = ["float", "integer", "boolean", "complex"] as const;
  const strict = new PlainScanner(kinds);
  const scan = (...values: Sample["values"]) =>
    strict.scan(villasProtobuf.encode([{ type: "data", values }, { type: "data", values }]));
  const all: Sample["values"] = [1, 1n, true, { real: 1, imag: 1 }];
  for (let count = 0; count <= all.length; count++) assertEquals(scan(...all.slice(0, count)), 2);
  assertEquals(scan(...all, 1), -1);
  for (const i of all.keys()) {
    for (const [k, value] of all.entries()) {
      assertEquals(scan(...all.with(i, value)), i === k ? 2 : -1);
    }
  }
});
