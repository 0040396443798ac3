import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { VillasFormat } from "../../../lib/codecs/villas/format.ts";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import { formatVillasJson } from "../../../lib/codecs/villas/json.ts";
import { kindOf, type Sample, type Value } from "../../../lib/codecs/villas/sample.ts";
import type { SignalKind } from "../../../lib/codecs/villas/signals.ts";
import { CodecError } from "../../../lib/errors.ts";
import { hexLines } from "../../fixtures/read.ts";
import { PYTHON, pythonLines } from "../../interop/python.ts";
import { bitsOf, edgeDoubles, randomSamples } from "../struct/random_values.ts";

/** Shows what Python's `json` makes of a text: floats as bits, so that kinds and digits can be compared. */
const SCRIPT = `
import json, struct, sys

def shown(value):
    if isinstance(value, float):
        return "f" + struct.pack(">d", value).hex()
    if isinstance(value, (bool, type(None))):
        return str(value)
    if isinstance(value, int):
        return "i%d" % value
    if isinstance(value, list):
        return [shown(item) for item in value]
    return {key: shown(item) for key, item in value.items()}

def refuse(word):
    raise ValueError(word + " is not JSON")

for line in sys.stdin:
    print(json.dumps(shown(json.loads(line, parse_constant=refuse))))
`;

/** What the script shows for a value. */
function shownValue(value: Value): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? "f" + bitsOf(value) : "None";
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  return { real: shownValue(value.real), imag: shownValue(value.imag) };
}

function shownSample({ sequence, origin, received, values }: Sample): unknown {
  const stamps = Object.entries({ origin, received }).filter(([, stamp]) => stamp);
  const ts = stamps.map(([name, stamp]) => [name, [`i${stamp!.sec}`, `i${stamp!.nsec}`]]);
  return {
    ...(ts.length > 0 ? { ts: Object.fromEntries(ts) } : {}),
    ...(sequence === undefined ? {} : { sequence: `i${sequence}` }),
    data: values.map(shownValue),
  };
}

Deno.test("formatVillasJson() writes every float with a decimal point", () => {
  const values = [1, -1, 0, -0, 0.5, 1e20, 1e21, 1.5e21, -1e-7, 5e-324, Number.MAX_VALUE];
  assertEquals(
    formatVillasJson({ type: "data", values }),
    '{"data": [1.0, -1.0, 0.0, -0.0, 0.5, 100000000000000000000.0, 1.0e+21, 1.5e+21, -1.0e-7, ' +
      "5.0e-324, 1.7976931348623157e+308]}",
  );
});

Deno.test("formatVillasJson() writes integers exactly and without a point", () => {
  const values = [-(2n ** 63n), 2n ** 63n - 1n, 0n];
  assertEquals(
    formatVillasJson({ type: "data", sequence: 2n ** 64n - 1n, values }),
    '{"sequence": 18446744073709551615, "data": [-9223372036854775808, 9223372036854775807, 0]}',
  );
});

Deno.test("formatVillasJson() writes null for what JSON cannot say", () => {
  const values = [NaN, Infinity, -Infinity, null, { real: NaN, imag: 1 }, true];
  assertEquals(
    formatVillasJson({ type: "data", values }),
    '{"data": [null, null, null, null, {"real": null, "imag": 1.0}, true]}',
  );
});

Deno.test("formatVillasJson() writes both timestamps where they are known", () => {
  const stamps = { origin: { sec: 1, nsec: 2 }, received: { sec: 3, nsec: 4 } };
  assertEquals(
    formatVillasJson({ type: "data", ...stamps, values: [] }),
    '{"ts": {"origin": [1, 2], "received": [3, 4]}, "data": []}',
  );
  assertEquals(
    formatVillasJson({ type: "data", received: stamps.received, values: [] }),
    '{"ts": {"received": [3, 4]}, "data": []}',
  );
});

Deno.test("formatVillasJson() writes VILLASnode's samples as VILLASnode sent them", async () => {
  const datagrams = await hexLines("wire-json.hex");
  assertEquals(datagrams.length, 10);
  for (const bytes of datagrams) {
    const text = new TextDecoder().decode(bytes);
    const [{ ts, sequence, data }] = JSON.parse(text);
    const [sec, nsec] = ts.origin;
    const sample: Sample = {
      type: "data",
      sequence: BigInt(sequence),
      origin: { sec, nsec },
      values: data,
    };
    const written = `[${formatVillasJson(sample)}]`;
    assertEquals(JSON.parse(written), JSON.parse(text));
    // VILLASnode writes 17 digits where fewer would do; but for the digits the texts are the same.
    const digits = /-?\d+\.\d+/g;
    assertEquals(written.replace(digits, "#"), text.replace(digits, "#"));
    assertMatch(written, /, -1\.0, /);
  }
});

Deno.test(`formatVillasJson() reads back in ${PYTHON} as it was, kinds and bits`, async () => {
  const samples: Sample[] = [...randomSamples(3000), { type: "data", values: [...edgeDoubles()] }];
  const lines = await pythonLines(["-c", SCRIPT], samples.map(formatVillasJson));
  assertEquals(lines.length, samples.length);
  samples.forEach((sample, i) => assertEquals(JSON.parse(lines[i]!), shownSample(sample)));
});

for (
  const [name, message] of [
    [
      "json.kafka",
      (members: string) =>
        `[{"schema": {"type": "struct", "fields": []}, "payload": {"timestamp": 5, "sequence": 7, ${members}}}]`,
    ],
    ["json.edgeflex", (members: string) => `[{${members}, "created": 5}]`],
  ] as const
) {
  Deno.test(`${name} of unknown signals is read the same whatever was read before`, () => {
    const used = villasFormat(name);
    const messages = [
      '"a": 1.5, "b": -2.0',
      '"a": 1.5, "b": -2.0',
      '"a": 1.5, "b": -2', // an integer
      '"a": 1e3, "b": 2.5E-7',
      '"b": 1.5, "a": 2.5', // in another order
      '"a": 1.5',
      '"a": 1.5, "b": 2.5, "c": 3.5',
      '"a": 1.5, "b": true',
      '"a": 1.5, "b": {"real": 1.0, "imag": 2.0}',
      '"a": 9007199254740993, "b": 2.5',
      '"a": 1.5, "b": 2.0, "\\": 5,": 2.0',
      '"2": 1.0, "1": 2.0',
      '"a": -0.0, "b": 0.0',
    ].map((members) => new TextEncoder().encode(message(members)));
    for (const first of messages) {
      for (const second of messages) {
        const expected = villasFormat(name).decode(second);
        for (const bytes of [first, second, second, first]) used.decode(bytes);
        assertEquals(used.decode(second), expected, new TextDecoder().decode(second));
      }
    }
  });
}

Deno.test("json.kafka of unknown signals keeps the place of a value that was left out, whatever was read before", () => {
  const message = (...names: string[]) => {
    const fields = names.map((name) => `{"type": "double", "optional": false, "field": "${name}"}`);
    return new TextEncoder().encode(
      `[{"schema": {"type": "struct", "fields": [${fields}]}, "payload": {"a": 1.5, "b": 2.5}}]`,
    );
  };
  const format = villasFormat("json.kafka");
  for (let i = 0; i < 3; i++) {
    for (let k = 0; k <= i; k++) {
      assertEquals(format.decode(message("a", "b"))[0]!.values, [1.5, 2.5]);
    }
    assertEquals(format.decode(message("c", "a", "b"))[0]!.values, [null, 1.5, 2.5]);
    assertEquals(format.decode(message("b", "a"))[0]!.values, [2.5, 1.5]);
  }
});

Deno.test("json.kafka of unknown signals has values whose names are integers in the order of the schema", () => {
  const fields = ["b", "10", "2"].map((field) => JSON.stringify({ type: "double", field }));
  const message = (b: number) =>
    new TextEncoder().encode(
      `[{"schema": {"type": "struct", "fields": [${fields}]}, "payload": {"b": ${b}, "10": 1.5, "2": 2.5}}]`,
    );
  const format = villasFormat("json.kafka");
  for (const b of [0.5, 3.5]) {
    assertEquals(format.decode(message(b))[0]!.values, [b, 1.5, 2.5]);
  }
});

Deno.test("json.edgeflex reads large floats as they are, and no integer as one that it is not", () => {
  const format = villasFormat("json.edgeflex", { signals: "2f" });
  const read = (first: string) =>
    format.decode(
      new TextEncoder().encode(`[{"signal0": ${first}, "signal1": 1.5, "created": 5}]`),
    )[0]!.values;
  for (const text of ["1e300", "-9007199254740994.0", "9007199254740992", "7", "-0.0"]) {
    assertEquals(read(text), [Number(text), 1.5]);
  }
  for (const text of ["9007199254740993", "-9007199254740993", "1e400"]) {
    assertThrows(() => read(text), CodecError, "float");
  }
});

Deno.test("floats of unknown signals are written as with the names that they get", () => {
  for (const name of ["json.kafka", "json.edgeflex", "json.reserve", "iotagent_ul"]) {
    const format = villasFormat(name);
    const numbered = format.carried.sequence && { sequence: 7n };
    for (const values of [[1.5], [1, -0, 2.5], [], [1.5, 2n, true]] as Value[][]) {
      const samples: Sample[] = [{
        type: "data",
        ...numbered,
        origin: { sec: 1, nsec: 5e8 },
        values,
      }];
      const kinds = values.map(kindOf).map((kind, i) => ({
        name: `signal${i}`,
        type: kind as SignalKind,
        unit: "",
      }));
      const write = (format: VillasFormat) => {
        try {
          return new TextDecoder().decode(format.encode(samples));
        } catch (error) {
          return (error as Error).name;
        }
      };
      const text = write(format);
      assertEquals(text, write(format));
      assertEquals(text, write(villasFormat(name, { signals: kinds })));
      const tooMany: Sample[] = [...samples, { ...samples[0]!, values: [...values, 2.5] }];
      if (format.carried.samples > 1 && values.length > 0) {
        assertEquals(format.decode(format.encode(tooMany)).map(({ values }) => values.length), [
          values.length,
          values.length + 1,
        ]);
      }
    }
  }
});
