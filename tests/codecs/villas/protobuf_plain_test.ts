/** The code that is made for the schema, beside protobufjs and Python's protobuf. */

import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertThrows } from "@std/assert";
import protobuf from "protobufjs/light.js";
import { readPlain } from "../../../lib/codecs/villas/protobuf/read.ts";
import { villasSchema } from "../../../lib/codecs/villas/protobuf/schema.ts";
import { writeMessage } from "../../../lib/codecs/villas/protobuf/write.ts";
import { villasProtobuf } from "../../../lib/codecs/villas/protobuf.ts";
import type { Complex, Sample, Value } from "../../../lib/codecs/villas/sample.ts";
import { CodecError } from "../../../lib/errors.ts";
import { hexLines } from "../../fixtures/read.ts";
import { PROTOBUF, pythonLines } from "../../interop/python.ts";
import { random32, randomSamples } from "../struct/random_values.ts";
import { described } from "./described.ts";

const PARSE = fileURLToPath(new URL("../../interop/parse_messages.py", import.meta.url));
const TYPES = ["data", "start", "stop"] as const;

const captures = (await Promise.all(
  ["lab19", "vectorize3", "types-cast", "noseq", "newframe"].map((name) => hexLines(`${name}.hex`)),
)).flat();

const type = protobuf.Root.fromJSON(villasSchema as never).lookupType("villas.node.Message");
const long = (value: bigint) => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
});
// deno-lint-ignore no-explicit-any
const big = ({ low, high }: any) => BigInt(high) << 32n | BigInt(low >>> 0);

/** What protobufjs makes of samples. */
function written(samples: Sample[]): Uint8Array {
  const values = (value: Value) =>
    typeof value === "number"
      ? { f: value }
      : typeof value === "bigint"
      ? { i: long(value) }
      : typeof value === "boolean"
      ? { b: value }
      : value === null
      ? {}
      : { z: value };
  const message = {
    samples: samples.map((sample) => ({
      type: TYPES.indexOf(sample.type) + 1,
      ...sample.sequence !== undefined && { sequence: long(sample.sequence) },
      ...sample.origin && { tsOrigin: sample.origin },
      ...sample.received && { tsReceived: sample.received },
      ...sample.newFrame !== undefined && { newFrame: sample.newFrame },
      values: sample.values.map(values),
    })),
  };
  return type.encode(message as never).finish();
}

/** What protobufjs reads; null where it reads nothing. */
function read(bytes: Uint8Array): Sample[] | null {
  // deno-lint-ignore no-explicit-any
  let message: any;
  try {
    message = type.decode(bytes);
  } catch {
    return null;
  }
  // deno-lint-ignore no-explicit-any
  return message.samples.map((wire: any): Sample => ({
    type: TYPES[wire.type - 1]!,
    ...Object.hasOwn(wire, "sequence") && { sequence: BigInt.asUintN(64, big(wire.sequence)) },
    ...wire.tsOrigin && { origin: { sec: wire.tsOrigin.sec, nsec: wire.tsOrigin.nsec } },
    ...wire.tsReceived && { received: { sec: wire.tsReceived.sec, nsec: wire.tsReceived.nsec } },
    ...Object.hasOwn(wire, "newFrame") && { newFrame: wire.newFrame },
    // deno-lint-ignore no-explicit-any
    values: wire.values.map((value: any): Value =>
      value.value === undefined
        ? null
        : value.value === "i"
        ? big(value.i)
        : value.value === "z"
        ? { real: value.z.real, imag: value.z.imag } as Complex
        : value[value.value]
    ),
  }));
}

/** Whether the parts of all complex numbers fit. */
function fits({ values }: Sample): boolean {
  return values.every((value) =>
    typeof value !== "object" || value === null ||
    [value.real, value.imag].every((part) =>
      !Number.isFinite(part) || Number.isFinite(Math.fround(part))
    )
  );
}

/** Messages of random samples of all types, some of them with many values, so that a length takes more bytes. */
function* randomMessages(count: number): Generator<Sample[]> {
  const random = random32(17);
  const samples = [...randomSamples(count)].filter(fits);
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: random() % 4 }, () => {
      const sample = samples[random() % samples.length]!;
      const times = random() % 8 ? 1 : random() % 8 ? 10 : 400;
      return {
        ...sample,
        type: random() % 10 ? "data" : TYPES[random() % 3]!,
        ...random() % 3 === 0 && { newFrame: random() % 2 === 0 },
        values: Array(times).fill(sample.values).flat(),
      };
    });
  }
}

/** Captures and messages of random samples in which bytes were changed, taken out, put in or repeated. */
function* mutatedMessages(count: number): Generator<Uint8Array> {
  const random = random32(23);
  const messages = [...captures, ...[...randomMessages(300)].map(written)];
  for (let i = 0; i < count; i++) {
    const bytes = [...messages[random() % messages.length]!.subarray(0, 400)];
    for (let changes = random() % 2; changes >= 0; changes--) {
      const at = random() % (bytes.length + 1);
      const kind = random() % 12;
      if (kind === 0) bytes.splice(at, random() % 3);
      else if (kind === 1) bytes.splice(at, 0, random() % 256);
      else if (kind === 2) bytes.splice(at, 0, ...bytes.slice(at, at + random() % 14));
      else if (kind === 3) bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][random() % 6]!;
      else bytes[at] = (bytes[at] ?? 0) ^ 1 << random() % 8;
    }
    yield Uint8Array.from(bytes);
  }
}

Deno.test("readPlain() reads every captured message, and writeMessage() writes its bytes again", () => {
  for (const bytes of captures) {
    const samples = readPlain(bytes);
    assertEquals(samples, read(bytes));
    assertEquals(writeMessage(samples!).toHex(), bytes.toHex());
  }
});

Deno.test("writeMessage() writes the bytes that protobufjs writes", () => {
  for (const samples of randomMessages(3000)) {
    assertEquals(writeMessage(samples).toHex(), written(samples).toHex());
  }
});

Deno.test("readPlain() reads what protobufjs reads of random messages, and all that are plain", () => {
  let plain = 0;
  for (const samples of randomMessages(3000)) {
    const bytes = written(samples);
    const result = readPlain(bytes);
    // Only numbers of up to 2⁴⁹ are plain where they count samples.
    const isPlain = samples.every(({ type, sequence = 0n, values }) =>
      type === "data" && sequence < 2n ** 49n && !values.includes(null)
    );
    assertEquals(result !== undefined, isPlain);
    if (result === undefined) continue;
    plain++;
    assertEquals(result, read(bytes));
  }
  assert(plain > 500, `${plain} of 3000`);
});

Deno.test("readPlain() reads what protobufjs reads of mutated messages, or leaves them to it", () => {
  let [plain, others] = [0, 0];
  for (const bytes of mutatedMessages(60_000)) {
    const result = readPlain(bytes);
    if (result === undefined) others++;
    else {
      plain++;
      assertEquals(result, read(bytes), bytes.toHex());
    }
  }
  assert(plain > 4000 && others > 4000, `${plain} plain, ${others} others`);
});

Deno.test("what was decoded and encoded does not change when the next messages are", () => {
  const kept: [Sample[], string, Uint8Array, string][] = [];
  for (const samples of randomMessages(2000)) {
    const bytes = writeMessage(samples);
    const buffer = bytes.slice();
    const decoded = villasProtobuf.decode(buffer);
    buffer.fill(0xff); // as a transport uses its memory again
    kept.push([decoded, written(decoded).toHex(), bytes, bytes.toHex()]);
  }
  for (const [decoded, before, bytes, hex] of kept) {
    assertEquals(written(decoded).toHex(), before);
    assertEquals(bytes.toHex(), hex);
  }
});

Deno.test("a message that cannot be written leaves nothing behind in the next one", () => {
  const good: Sample = { type: "data", sequence: 1n, values: [1, 2n] };
  const wanted = writeMessage([good]).toHex();
  for (
    const [bad, why] of [
      [{ type: "data", values: [1, "x"] }, 'value 1 "x": expected a float'],
      [{ type: "data", values: [1, undefined] }, "value 1 undefined: expected a float"],
      [{ type: "data", values: [{ real: 1 }] }, "value 0 undefined: expected a float"],
      [{ type: "data", values: [-(2n ** 63n) - 1n] }, "value 0 -9223372036854775809n"],
      [{ type: "data", sequence: 5, values: [] }, "sequence 5: expected a bigint"],
      [{ type: "data", sequence: 2n ** 64n, values: [] }, "sequence 18446744073709551616n"],
      [{ type: "data", sequence: null, values: [] }, "sequence null: expected a bigint"],
      [{ type: "data", values: { length: 1e15 } }, "values"],
      [{ type: "data", received: { sec: 2 ** 32, nsec: 0 }, values: [] }, "received timestamp"],
    ] as const
  ) {
    assertThrows(() => writeMessage([good, bad as never]), CodecError, `Cannot encode ${why}`);
    assertEquals(writeMessage([good]).toHex(), wanted);
  }
});

Deno.test({
  name: "villasProtobuf reads mutated messages as Python's protobuf does" +
    (PROTOBUF?.implementation === "cpp" ? "" : " (ignored: no Python with C++ protobuf)"),
  ignore: PROTOBUF?.implementation !== "cpp",
  async fn() {
    const messages = [...mutatedMessages(8000), ...[...randomMessages(500)].map(writeMessage)];
    const lines = await pythonLines(
      [PARSE],
      messages.map((bytes) => bytes.toHex()),
      PROTOBUF!.python,
    );
    let plain = 0;
    for (const [i, bytes] of messages.entries()) {
      const result = readPlain(bytes);
      if (result === undefined) continue;
      plain++;
      assertEquals(described(result), JSON.parse(lines[i]!), bytes.toHex());
    }
    assert(plain > 700, `${plain} plain`);
  },
});
