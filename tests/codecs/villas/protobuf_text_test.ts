import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatProtobufText } from "../../../lib/codecs/villas/protobuf/text.ts";
import {
  kindOf,
  type Sample,
  type Timestamp,
  type Value,
} from "../../../lib/codecs/villas/sample.ts";
import { LAB19 } from "../../fixtures/lab19.ts";
import { fixtureText } from "../../fixtures/read.ts";
import { PROTOBUF, pythonLines } from "../../interop/python.ts";
import { bitsOf, edgeDoubles, random32, randomDoubles } from "../struct/random_values.ts";

const PRINT_TEXT = fileURLToPath(new URL("../../interop/print_text.py", import.meta.url));
const TYPES = ["data", "start", "stop"] as const;

Deno.test("formatProtobufText() writes Lab 19 as the Python client prints it", async () => {
  const printed = await fixtureText("lab19.client.txt");
  const [start, ready, ...lines] = printed.split("\n");
  assertEquals([start, ready], ["Start client...", "Ready. Ctrl-C to quit."]);
  assertEquals(LAB19.map((sample) => formatProtobufText([sample])).join(""), lines.join("\n"));
});

Deno.test("formatProtobufText() writes an empty message as a blank line", () => {
  assertEquals(formatProtobufText([]), "\n");
});

Deno.test("formatProtobufText() writes an unset value as an empty block", () => {
  assertStringIncludes(
    formatProtobufText([{ type: "data", values: [null] }]),
    "  values {\n  }\n}\n\n",
  );
});

Deno.test("formatProtobufText() writes new_frame when it is explicitly false", () => {
  assertStringIncludes(
    formatProtobufText([{ type: "stop", newFrame: false, values: [] }]),
    "new_frame: false",
  );
  assertEquals(
    formatProtobufText([{ type: "stop", values: [] }]),
    "samples {\n  type: STOP\n}\n\n",
  );
});

Deno.test("formatProtobufText() shows complex parts as they travel, in 32 bits", () => {
  const text = formatProtobufText([{ type: "data", values: [{ real: 0.1, imag: -0 }] }]);
  assertStringIncludes(text, "    z {\n      real: 0.10000000149011612\n      imag: -0.0\n    }\n");
});

/** A message in the form that `print_text.py` reads. */
function messageLine(samples: Sample[]): string {
  return JSON.stringify(samples.map(({ type, sequence, origin, received, newFrame, values }) => ({
    type: TYPES.indexOf(type) + 1,
    sequence: sequence?.toString(),
    origin: origin && [origin.sec, origin.nsec],
    received: received && [received.sec, received.nsec],
    newFrame,
    values: values.map(valueParts),
  })));
}

function valueParts(value: Value): unknown[] {
  if (typeof value === "number") return ["f", bitsOf(value)];
  if (typeof value === "bigint") return ["i", value.toString()];
  if (typeof value === "boolean") return ["b", value];
  return value === null ? [] : ["z", bitsOf(value.real), bitsOf(value.imag)];
}

/** Messages of every shape, the same in every run. */
function* randomMessages(count: number): Generator<Sample[]> {
  const random = random32(7);
  const doubles = [...edgeDoubles(), ...randomDoubles(2000, 3)];
  const double = () => doubles[random() % doubles.length]!;
  const float = () => Math.fround(double());
  const stamp = (): Timestamp => ({ sec: random(), nsec: random() % 1_000_000_000 });
  const bits64 = () => BigInt(random()) << 32n | BigInt(random());
  const value = (): Value =>
    [
      double,
      double,
      () => BigInt.asIntN(64, bits64() >> BigInt(random() % 64)),
      () => random() % 2 === 0,
      () => ({ real: float(), imag: float() }),
      () => null,
    ][random() % 6]!();
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: random() % 4 }, () => ({
      type: TYPES[random() % 3]!,
      ...(random() % 2 ? { sequence: bits64() >> BigInt(random() % 64) } : {}),
      ...(random() % 2 ? { origin: stamp() } : {}),
      ...(random() % 2 ? { received: stamp() } : {}),
      ...(random() % 2 ? { newFrame: random() % 2 === 0 } : {}),
      values: Array.from({ length: random() % 8 }, value),
    }));
  }
}

const COMPARABLE = PROTOBUF?.implementation === "cpp";

Deno.test({
  name: "formatProtobufText() agrees with Python's protobuf on random messages" +
    (COMPARABLE ? "" : " (ignored: no Python with the C++ implementation of protobuf)"),
  ignore: !COMPARABLE,
  async fn() {
    const messages = [...randomMessages(3000)];
    const kinds = new Set(messages.flat().flatMap((sample) => sample.values.map(kindOf)));
    assertEquals(kinds.size, 5);
    assert(messages.some((samples) => samples.length === 0));
    const printed = await pythonLines(
      [PRINT_TEXT],
      messages.map(messageLine),
      PROTOBUF!.python,
    );
    assertEquals(printed.length, messages.length);
    messages.forEach((samples, i) =>
      assertEquals(formatProtobufText(samples), JSON.parse(printed[i]!))
    );
  },
});
