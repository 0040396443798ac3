/**
 * VILLASnode's format `json`: its datagrams and files, and single samples as lines.
 *
 * @module
 */

import type { JsonValue } from "../json/reader.ts";
import { ALL, carriedBy, formatRow } from "./format_row.ts";
import { jsonForms, Unfit } from "./json/forms.ts";
import { readPlainJson } from "./json/plain.ts";
import { JSON_SETTINGS, jsonText, jsonValue, type Tree } from "./json/text.ts";
import { membersOf, readJsonValue, readSequence, unfit, writeSequence } from "./json/values.ts";
import type { Sample, Timestamp, Value } from "./sample.ts";
import type { Signal } from "./signals.ts";
import { checkHead, isTimePart } from "./text_format.ts";

const NAME = "json";
const LEFT_OUT =
  "there are fewer values than signals, as where VILLASnode leaves out NaN or an infinity; protobuf and villas.human carry them";

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
 * import { formatVillasJson } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatVillasJson({ type: "data", sequence: 7n, origin: { sec: 1, nsec: 5 }, values: [1, 1n] }),
 *   '{"ts": {"origin": [1, 5]}, "sequence": 7, "data": [1.0, 1]}',
 * );
 * ```
 */
export function formatVillasJson(sample: Sample): string {
  let text = "{";
  const times = formatTimes(sample);
  if (times !== "") text += `"ts": {${times}}, `;
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
 * VILLASnode's format `json`: a list of samples in a datagram, an object on each line in a file.
 *
 * - A number with a point or an exponent is a float, any other an integer, exact to its 64 bits. Where a float was stated, an integer is
 *   read as one.
 * - NaN, the infinities, unset values and samples of other types than DATA cannot be written: VILLASnode aborts on `null`.
 *   It is read as an unset value. Of the marks of a new frame and a new simulation only `true` is written.
 * - The time of receipt is written in files only. Keys that are not known do not matter.
 *
 * @example A float and an integer
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode('[{"sequence": 7, "data": [1.0, 1]}]');
 * const samples = villasFormat("json").decode(bytes);
 * assertEquals(samples, [{ type: "data", sequence: 7n, values: [1, 1n] }]);
 * assertEquals(villasFormat("json").encode(samples), bytes);
 * ```
 */
export const villasJson = formatRow(NAME, JSON_SETTINGS, (settings, signals) => ({
  carried: {
    ...ALL,
    ...carriedBy(settings),
    received: true,
    notFinite: false,
    // 0 stands for all digits, too.
    exact: settings.real_precision === 0 || settings.real_precision >= 17,
  },
  ...jsonForms({
    name: NAME,
    style: settings,
    plainEcho: settings.data, // VILLASnode drops a sample without
    tree(sample, form) {
      checkHead(sample, NAME);
      const tree = new Map<string, Tree>();
      const times = new Map<string, Tree>();
      if (settings.ts_origin && sample.origin) times.set("origin", timeTree(sample.origin));
      if (form === "file" && settings.ts_received && sample.received) {
        times.set("received", timeTree(sample.received));
      }
      if (times.size > 0) tree.set("ts", times);
      if (sample.newFrame || sample.newSimulation) tree.set("flags", flagsOf(sample));
      if (settings.sequence && sample.sequence !== undefined) {
        tree.set("sequence", writeSequence(sample.sequence));
      }
      if (settings.data || form === "reply") {
        tree.set("data", sample.values.map((value, i) => jsonValue(value, i, NAME, settings)));
      }
      return tree;
    },
    write(sample, form) {
      checkHead(sample, NAME);
      const { origin, received, newFrame, newSimulation, sequence, values } = sample;
      let times = settings.ts_origin && origin ? `"origin": [${origin.sec}, ${origin.nsec}]` : "";
      if (form === "file" && settings.ts_received && received) {
        times += `${times === "" ? "" : ", "}"received": [${received.sec}, ${received.nsec}]`;
      }
      let text = times === "" ? "" : `"ts": {${times}}`;
      const add = (member: string) => {
        text += text === "" ? member : `, ${member}`;
      };
      if (newFrame || newSimulation) add(`"flags": [${flagsOf(sample).join(", ")}]`);
      if (settings.sequence && sequence !== undefined) {
        add(`"sequence": ${writeSequence(sequence)}`);
      }
      if (!settings.data && form !== "reply") return `{${text}}`;
      let data = "";
      for (let i = 0; i < values.length; i++) {
        data += (i > 0 ? ", " : "") + jsonText(values[i]!, i, NAME, settings);
      }
      add(`"data": [${data}]`);
      return `{${text}}`;
    },
    isTaken: (json, { values }) =>
      signals === undefined ||
      (json as { data: JsonValue[] }).data.every((value, i) => typeof value === typeof values[i]),
    readPlain: (text) => readPlainJson(text, signals),
    read: (json) => readSample(json, signals, settings.data),
  }),
}));

/** The marks of a sample. Of several, VILLASnode takes the last one only. */
function flagsOf({ newSimulation, newFrame }: Sample): string[] {
  return [...newSimulation ? ['"new_simulation"'] : [], ...newFrame ? ['"new_frame"'] : []];
}

function timeTree({ sec, nsec }: Timestamp): Tree {
  return [String(sec), String(nsec)];
}

function readSample(
  json: JsonValue,
  signals: readonly Signal[] | undefined,
  hasData: boolean,
): Sample {
  const given = membersOf("a sample", json);
  const { data = hasData ? undefined : [], sequence, ts, flags } = given;
  if (data === undefined) throw new Unfit("no data, expected a list of values");
  if (!Array.isArray(data)) throw unfit("data", data, "a list");
  // VILLASnode leaves out NaN and the infinities: the values after them move up.
  const complete = signals === undefined || data.length >= signals.length;
  const sample: Sample = {
    type: "data",
    values: data.map((value, i) => {
      const kind = signals?.[i]?.type;
      if (!complete && kind === "float" && typeof value === "bigint") {
        throw unfit(`value ${i}`, value, `a float as the signal is stated; ${LEFT_OUT}`);
      }
      return readJsonValue(value, `value ${i}`, kind);
    }),
  };
  if (sequence !== undefined) sample.sequence = readSequence(sequence);
  if (ts !== undefined) {
    const times = membersOf("ts", ts);
    for (const name of ["origin", "received"] as const) {
      if (times[name] !== undefined) sample[name] = readTimestamp(name, times[name]);
    }
  }
  if (flags !== undefined) {
    if (!Array.isArray(flags)) throw unfit("flags", flags, "a list");
    if (flags.includes("new_frame")) sample.newFrame = true;
    if (flags.includes("new_simulation")) sample.newSimulation = true;
  }
  return sample;
}

function readTimestamp(name: string, json: JsonValue): Timestamp {
  const [sec, nsec, ...more] = Array.isArray(json) ? json.map(Number) : [];
  if (!isTimePart(sec) || !isTimePart(nsec) || more.length > 0) {
    throw unfit(name, json, "[SECONDS, NANOSECONDS] in whole numbers");
  }
  return { sec, nsec };
}
