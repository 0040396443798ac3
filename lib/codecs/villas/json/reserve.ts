/**
 * VILLASnode's format `json.reserve`: a list of measurements.
 *
 * @module
 */

import { CodecError } from "../../../errors.ts";
import type { JsonValue } from "../../json/reader.ts";
import { ALL, carriedBy, formatRow } from "../format_row.ts";
import { jsonForms } from "./forms.ts";
import { JSON_SETTINGS, notFinite, type Tree, writeReal, writeString } from "./text.ts";
import {
  BY_NAME,
  isNumber,
  membersOf,
  misnamed,
  NamedValues,
  parseQuickly,
  readMillis,
  readSequence,
  ShownSignals,
  unfit,
  writeMillis,
  writeSequence,
} from "./values.ts";
import type { Sample, Value } from "../sample.ts";
import { floatSignals, type SignalKind } from "../signals.ts";
import { checkHead } from "../text_format.ts";
import { checkComplex } from "../text_values.ts";

const NAME = "json.reserve";

/**
 * VILLASnode's format `json.reserve`:
 * `{"measurements": [{"name": NAME, "value": V, "unit": UNIT, "created": MS, "sequence": N}, …]}`.
 *
 * - VILLASnode writes the 64 bits of whatever a value is as a float, and reads them likewise. So does this, where the signals were stated;
 *   what would be NaN cannot be written, such as -1. Where VILLASnode leaves it out, the value is unset.
 * - The values have names, as in `json.kafka`. The time is cut to milliseconds. VILLASnode writes a sequence number, but reads none.
 */
export const villasJsonReserve = formatRow(NAME, JSON_SETTINGS, (settings, signals) => {
  const heads = signals?.map(({ name }, i) =>
    `{"name": ${writeString(name || `signal${i}`, settings)}, "value": `
  );
  const units = signals?.map(({ unit }) =>
    unit === "" ? "" : `, "unit": ${writeString(unit, settings)}`
  );
  const shown = new ShownSignals();
  return {
    carried: {
      ...ALL,
      ...carriedBy(settings),
      ...BY_NAME,
    },
    misfit: (signals) => misnamed(signals, []),
    ...jsonForms({
      name: NAME,
      style: settings,
      plainEcho: true,
      tree(sample, form) {
        checkHead(sample, NAME);
        const { values, origin, sequence } = sample;
        const names = signals ?? floatSignals(values.length);
        const measurements: Tree[] = [];
        for (const [i, value] of values.entries()) {
          if (value === null && form === "node") continue;
          const { name = "", unit = "" } = names[i] ?? {};
          const measurement = new Map<string, Tree>([
            ["name", writeString(name || `signal${i}`, settings)],
            ["value", writeReal(floatOf(value, i), settings)],
          ]);
          if (unit !== "") measurement.set("unit", writeString(unit, settings));
          if (settings.ts_origin && origin) measurement.set("created", writeMillis(origin, true));
          if (settings.sequence && sequence !== undefined) {
            measurement.set("sequence", writeSequence(sequence));
          }
          measurements.push(measurement);
        }
        return new Map([["measurements", measurements]]);
      },
      write(sample) {
        const { values, origin, sequence } = sample;
        if (heads === undefined || values.length > heads.length || values.includes(null)) {
          return undefined;
        }
        checkHead(sample, NAME);
        let tail = settings.ts_origin && origin ? `, "created": ${writeMillis(origin, true)}` : "";
        if (settings.sequence && sequence !== undefined) {
          tail += `, "sequence": ${writeSequence(sequence)}`;
        }
        let text = "";
        for (let i = 0; i < values.length; i++) {
          const value = writeReal(floatOf(values[i]!, i), settings);
          text += `${i > 0 ? ", " : ""}${heads[i]}${value}${units![i]}${tail}}`;
        }
        return `{"measurements": [${text}]}`;
      },
      readPlain(text) {
        const known = signals ?? shown.signals;
        const list = known && parseQuickly(text);
        const measurements = Array.isArray(list) && list.length === 1 && list[0]?.measurements;
        if (!Array.isArray(measurements) || measurements.length !== known!.length) return null;
        const values = new Array<Value>(measurements.length);
        for (let i = 0; i < values.length; i++) {
          const { name, type } = known![i]!;
          const measurement = measurements[i];
          if (measurement?.name !== name || !Number.isFinite(measurement.value)) return null;
          values[i] = valueOf(measurement.value, type);
        }
        const sample: Sample = { type: "data", values };
        const { created, sequence } = measurements.at(-1) ?? {};
        if (created !== undefined) {
          if (!Number.isSafeInteger(created)) return null;
          sample.origin = readMillis("created", created);
        }
        if (sequence !== undefined) {
          if (!Number.isSafeInteger(sequence) || sequence < 0) return null;
          sample.sequence = BigInt(sequence);
        }
        return [sample];
      },
      read(json) {
        const { measurements, setpoints = measurements } = membersOf("a sample", json);
        if (!Array.isArray(setpoints)) throw unfit("measurements", setpoints, "a list");
        const sample: Sample = { type: "data", values: [] };
        const values = new NamedValues(signals);
        const names: string[] = [];
        for (const measurement of setpoints) {
          const { name, value, created, sequence } = membersOf("a measurement", measurement);
          if (typeof name !== "string") throw unfit("name", name, "a text");
          if (!isNumber(value)) throw unfit(`value of "${name}"`, value, "a number");
          if (created !== undefined) sample.origin = readMillis("created", created);
          if (sequence !== undefined) sample.sequence = readSequence(sequence as JsonValue);
          names.push(name);
          const index = values.indexOf(name);
          if (index >= 0) values.put(index, valueOf(Number(value), signals?.[index]?.type));
        }
        if (!signals) shown.note(names, values.values);
        return { ...sample, values: values.values };
      },
    }),
  };
});

const bits = new DataView(new ArrayBuffer(8));

/** The float whose bits a value has in VILLASnode's memory. */
function floatOf(value: Value, index: number): number {
  let float: number;
  if (typeof value === "number") float = value;
  else {
    if (typeof value === "bigint") bits.setBigInt64(0, value, true);
    else if (typeof value === "boolean") bits.setBigInt64(0, value ? 1n : 0n, true);
    else {
      checkComplex(value, index, NAME);
      bits.setFloat32(0, value.real, true);
      bits.setFloat32(4, value.imag, true);
    }
    float = bits.getFloat64(0, true);
  }
  if (Number.isFinite(float)) return float;
  if (typeof value === "number") throw notFinite(value, index, NAME);
  const shown = typeof value === "bigint" ? value : Deno.inspect(value);
  throw new CodecError(
    `Cannot encode value ${index} ${shown} as ${NAME}: it carries the bits of a value as a float, and these are none that is finite; ` +
      "protobuf and json carry it",
  );
}

function valueOf(float: number, kind: SignalKind | undefined): Value {
  if (kind === undefined || kind === "float") return float;
  bits.setFloat64(0, float, true);
  switch (kind) {
    case "integer":
      return bits.getBigInt64(0, true);
    case "boolean":
      return bits.getUint8(0) !== 0;
    default:
      return { real: bits.getFloat32(0, true), imag: bits.getFloat32(4, true) };
  }
}
