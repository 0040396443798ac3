/**
 * VILLASnode's format `json`: the codec of its datagrams, and single samples as lines.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { JsonFault, type JsonValue, readJson } from "../json/reader.ts";
import type { Format } from "./format.ts";
import type { Sample, Timestamp, Value } from "./sample.ts";
import { checkCarried, decodeError, isTimePart } from "./text_format.ts";

const NAME = "json";
/** How deep a message nests: list, sample, ts or data, timestamp or complex number; the rest is for keys that are not known. */
const MAX_DEPTH = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Writes one sample as an object in VILLASnode's `json` form:
 * `{"ts": {"origin": [SECONDS, NANOSECONDS], "received": […]}, "sequence": N, "data": […]}`.
 *
 * - What the sample does not know is left out: a timestamp, all of `ts`, the sequence number.
 * - A float always has a decimal point and the fewest digits that read back as the same number (`1.0`, `1.0e+21`,
 *   `-0.0`); a number without a point is an integer, exact to its 64 bits. VILLASnode tells the kinds apart by that.
 * - Booleans are `true` and `false`, complex values `{"real": 1.0, "imag": -1.0}`.
 * - An unset value, NaN and the infinities are `null`, which JSON has no other word for; the values after them
 *   stay in place.
 *
 * @param sample The sample to write.
 * @returns One line of JSON, without a newline.
 *
 * @example A float and an integer
 * ```ts
 * import { formatVillasJson } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatVillasJson({ type: "data", sequence: 7n, origin: { sec: 1, nsec: 5 }, values: [1, 1n] }),
 *   '{"ts": {"origin": [1, 5]}, "sequence": 7, "data": [1.0, 1]}',
 * );
 * ```
 */
export function formatVillasJson(sample: Sample): string {
  return formatSample(sample, "");
}

function formatSample(sample: Sample, flags: string): string {
  let text = "{";
  const times = formatTimes(sample);
  if (times !== "") text += `"ts": {${times}}, `;
  text += flags;
  if (sample.sequence !== undefined) text += `"sequence": ${sample.sequence}, `;
  return text + `"data": [${sample.values.map(formatValue).join(", ")}]}`;
}

function formatTimes({ origin, received }: Sample): string {
  const times = [];
  if (origin !== undefined) times.push(`"origin": ${formatTimestamp(origin)}`);
  if (received !== undefined) times.push(`"received": ${formatTimestamp(received)}`);
  return times.join(", ");
}

function formatTimestamp({ sec, nsec }: Timestamp): string {
  return `[${sec}, ${nsec}]`;
}

function formatValue(value: Value): string {
  if (typeof value === "number") return formatFloat(value);
  if (typeof value !== "object" || value === null) return String(value);
  return `{"real": ${formatFloat(value.real)}, "imag": ${formatFloat(value.imag)}}`;
}

function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return "null";
  const text = Object.is(value, -0) ? "-0" : String(value);
  if (text.includes(".")) return text;
  const exponent = text.indexOf("e");
  return exponent < 0 ? `${text}.0` : `${text.slice(0, exponent)}.0${text.slice(exponent)}`;
}

/**
 * VILLASnode's format `json`: a list of samples.
 *
 * - A number with a point or an exponent is a float, any other an integer, exact to its 64 bits.
 * - NaN, the infinities, unset values and samples of other types than DATA cannot be written: VILLASnode aborts on `null`.
 *   It is read as an unset value. Of the frame mark only `true` is written.
 * - Read is also one sample that is not in a list; keys that are not known do not matter.
 *
 * @example A float and an integer
 * ```ts
 * import { villasFormat } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode('[{"sequence": 7, "data": [1.0, 1]}]');
 * const samples = villasFormat("json").decode(bytes);
 * assertEquals(samples, [{ type: "data", sequence: 7n, values: [1, 1n] }]);
 * assertEquals(villasFormat("json").encode(samples), bytes);
 * ```
 */
export const villasJson: Format = {
  name: NAME,

  encode(samples: Sample[]): Uint8Array {
    return encoder.encode(`[${samples.map(encodeSample).join(", ")}]`);
  },

  decode(bytes: Uint8Array): Sample[] {
    if (bytes.length === 0) return [];
    const json = parse(bytes);
    const list = Array.isArray(json) ? json : [json];
    return list.map((sample, i) => {
      try {
        return decodeSample(sample);
      } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        throw decodeError(bytes, NAME, 0, `sample ${i} has ${error.message}`);
      }
    });
  },
};

function encodeSample(sample: Sample): string {
  checkCarried(sample, NAME);
  for (const [i, value] of sample.values.entries()) {
    const parts = typeof value === "number"
      ? [value]
      : typeof value === "object" && value !== null
      ? [value.real, value.imag]
      : [];
    if (parts.every(Number.isFinite)) continue;
    throw new CodecError(
      `Cannot encode value ${i} ${
        Deno.inspect(value)
      } as ${NAME}: expected a finite number, JSON has no other`,
    );
  }
  return formatSample(sample, sample.newFrame ? '"flags": ["new_frame"], ' : "");
}

/** Says what of a sample does not fit. */
class Unfit extends Error {}

/** A float: the numbers of JSON that have a point or an exponent. A `number` is one, a `bigint` is an integer. */
function readNumber(source: string): number | bigint | JsonFault {
  if (/[.eE]/.test(source)) return Number(source);
  return source.length > 20 ? new JsonFault(0, "an integer of more than 64 bits") : BigInt(source);
}

function parse(bytes: Uint8Array): JsonValue {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw decodeError(bytes, NAME, 0, "expected UTF-8 text");
  }
  const value = readJson(text, MAX_DEPTH, readNumber);
  if (!(value instanceof JsonFault)) return value;
  const offset = encoder.encode(text.slice(0, value.index)).length;
  throw decodeError(bytes, NAME, offset, value.why);
}

function decodeSample(json: JsonValue): Sample {
  const given = membersOf("a sample", json);
  const { data, sequence, ts, flags } = given;
  if (!Array.isArray(data)) throw unfit("data", data, "a list");
  const sample: Sample = { type: "data", values: data.map(decodeValue) };
  if (sequence !== undefined) {
    if (typeof sequence !== "bigint" || BigInt.asUintN(64, sequence) !== sequence) {
      throw unfit("sequence", sequence, "an integer from 0 to 2^64 - 1");
    }
    sample.sequence = sequence;
  }
  if (ts !== undefined) {
    const times = membersOf("ts", ts);
    for (const name of ["origin", "received"] as const) {
      if (times[name] !== undefined) sample[name] = decodeTimestamp(name, times[name]);
    }
  }
  if (flags !== undefined) {
    if (!Array.isArray(flags)) throw unfit("flags", flags, "a list");
    if (flags.includes("new_frame")) sample.newFrame = true;
  }
  return sample;
}

type Members = Record<string, JsonValue | undefined>;

function membersOf(what: string, json: JsonValue): Members {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw unfit(what, json, "an object");
  }
  return { __proto__: null, ...json } as unknown as Members;
}

function decodeTimestamp(name: string, json: JsonValue): Timestamp {
  const [sec, nsec, ...more] = Array.isArray(json) ? json.map(Number) : [];
  if (!isTimePart(sec) || !isTimePart(nsec) || more.length > 0) {
    throw unfit(name, json, "[SECONDS, NANOSECONDS] in whole numbers");
  }
  return { sec, nsec };
}

function decodeValue(json: JsonValue, index: number): Value {
  if (typeof json === "number" || typeof json === "boolean" || json === null) return json;
  if (typeof json === "bigint" && BigInt.asIntN(64, json) === json) return json;
  if (typeof json === "object" && !Array.isArray(json)) {
    const { real, imag } = membersOf(`value ${index}`, json);
    if (isNumber(real) && isNumber(imag)) return { real: Number(real), imag: Number(imag) };
  }
  throw unfit(
    `value ${index}`,
    json,
    'a number of at most 64 bits, true, false, or {"real": R, "imag": I}',
  );
}

function isNumber(json: JsonValue | undefined): json is number | bigint {
  return typeof json === "number" || typeof json === "bigint";
}

function unfit(what: string, json: JsonValue | undefined, wanted: string): Unfit {
  const text = Deno.inspect(json, { depth: 1, compact: true, breakLength: Infinity });
  const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  return new Unfit(`${what} ${shown}, expected ${wanted}`);
}
