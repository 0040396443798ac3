/**
 * VILLASnode's format `json.kafka`: each sample with the schema of its fields.
 *
 * @module
 */

import type { JsonValue } from "../../json/reader.ts";
import { ALL, carriedBy, formatRow } from "../format_row.ts";
import { type JsonForm, jsonForms } from "./forms.ts";
import { readPlainMembers } from "./plain.ts";
import { JSON_SETTINGS, jsonText, jsonValue, type Tree, writeString, writeTree } from "./text.ts";
import {
  BY_NAME,
  isNumber,
  memberNames,
  membersOf,
  misnamed,
  NamedValues,
  parseQuickly,
  readJsonValue,
  readMillis,
  readSequence,
  ShownSignals,
  writeMillis,
  writeSequence,
} from "./values.ts";
import { kindOf, type Sample, type ValueKind } from "../sample.ts";
import { writtenBehind } from "../scratch.ts";
import { group } from "../settings.ts";
import { floatSignals, type Signal } from "../signals.ts";
import { checkHead } from "../text_format.ts";

const NAME = "json.kafka";
const RESERVED = ["timestamp", "sequence"];
const SCHEMA = { type: "struct", name: "villas-node.Value" };
/** How Kafka calls the types. */
const TYPES: Readonly<Record<ValueKind, string>> = {
  float: "double",
  integer: "int64",
  boolean: "boolean",
  complex: "unknown",
  unset: "unknown",
};

/**
 * VILLASnode's format `json.kafka`: `{"schema": {…, "fields": […]}, "payload": {"timestamp": MS, "sequence": N, NAME: VALUE, …}}`.
 *
 * - The values have names: those of the signals, `signal0` and so on where none were stated. What is read is put in the order of the
 *   signals, or taken as it comes where none were stated.
 * - The time is cut to milliseconds. NaN and the infinities cannot be written; where VILLASnode leaves them out, the value is unset.
 */
export const villasJsonKafka = formatRow(
  NAME,
  { schema: group(), ...JSON_SETTINGS },
  (settings, signals) => {
    const names = memberNames(signals, settings);
    const shown = new ShownSignals();
    let named: readonly Signal[] | undefined = signals;
    let shownNames = names;
    /** The names of signals as they begin a member. */
    const namesOf = (known: readonly Signal[]) => {
      if (known !== named) [named, shownNames] = [known, memberNames(known, settings)];
      return shownNames!;
    };
    const schemas: string[] = [];
    /** What stands before the payload of the message that was read last; it is the same in all that a node sends. */
    let head = "";
    const heads: Uint8Array[] = [];
    const isTimed = ({ origin }: Sample) => settings.ts_origin && origin !== undefined;
    const isNumbered = ({ sequence }: Sample) => settings.sequence && sequence !== undefined;
    /** The schema of samples that have all values depends on nothing else. */
    const shapeOf = (sample: Sample) => Number(isTimed(sample)) * 2 + Number(isNumbered(sample));
    const schemaOf = (sample: Sample) =>
      schemas[shapeOf(sample)] ??= writeTree(
        (treeOf(sample, "node") as ReadonlyMap<string, Tree>).get("schema")!,
        settings,
      );
    /** The payload of a sample that has all values, without its braces. */
    const payloadOf = (sample: Sample) => {
      const { values, origin, sequence } = sample;
      if (names === undefined || values.length !== names.length || values.includes(null)) {
        return undefined;
      }
      checkHead(sample, NAME);
      let text = isTimed(sample) ? `"timestamp": ${writeMillis(origin!, false)}` : "";
      if (isNumbered(sample)) {
        text += `${text === "" ? "" : ", "}"sequence": ${writeSequence(sequence!)}`;
      }
      for (let i = 0; i < values.length; i++) {
        const value = jsonText(values[i]!, i, NAME, settings);
        text += `${text === "" ? "" : ", "}${names[i]}${value}`;
      }
      return text;
    };
    const schemaOfSettings = () =>
      new Map(
        Object.entries(settings.schema ?? SCHEMA).map(([name, value]): [string, Tree] => [
          name,
          JSON.stringify(value),
        ]),
      );
    const treeOf = (sample: Sample, form: JsonForm): Tree => {
      checkHead(sample, NAME);
      const { values, origin, sequence } = sample;
      const known = signals ?? floatSignals(values.length);
      const fields: Tree[] = [];
      const payload = new Map<string, Tree>();
      const add = (field: string, type: string, value: Tree | undefined) => {
        fields.push(
          new Map([
            ["type", `"${type}"`],
            ["optional", "false"],
            ["field", writeString(field, settings)],
          ]),
        );
        if (value !== undefined) payload.set(field, value);
      };
      if (settings.ts_origin && origin) add("timestamp", "int64", writeMillis(origin, false));
      if (settings.sequence && sequence !== undefined) {
        add("sequence", "int64", writeSequence(sequence));
      }
      for (const [i, value] of values.entries()) {
        const { name = `signal${i}` } = known[i] ?? {};
        const type = signals?.[i]?.type ?? kindOf(value);
        const absent = value === null && form === "node";
        add(name, TYPES[type], absent ? undefined : jsonValue(value, i, NAME, settings));
      }
      const schema = schemaOfSettings().set("fields", fields);
      return new Map<string, Tree>([["schema", schema], ["payload", payload]]);
    };
    return {
      carried: {
        ...ALL,
        ...carriedBy(settings),
        ...BY_NAME,
      },
      misfit: (signals) => misnamed(signals, RESERVED),
      ...jsonForms({
        name: NAME,
        style: settings,
        plainEcho: true,
        tree: treeOf,
        write(sample) {
          const payload = payloadOf(sample);
          return payload && `{"schema": ${schemaOf(sample)}, "payload": {${payload}}}`;
        },
        writeOne(sample) {
          const payload = payloadOf(sample);
          if (payload === undefined) return undefined;
          const head = heads[shapeOf(sample)] ??= new TextEncoder().encode(
            `[{"schema": ${schemaOf(sample)}, "payload": {`,
          );
          return writtenBehind(head, `${payload}}}]`);
        },
        readPlain(text) {
          if (head === "" || text.slice(0, head.length) !== head) {
            head = headOf(text);
            shown.note([], []); // another schema may have a value that is left out
          }
          const known = signals ?? shown.signals;
          if (known === undefined || head === "" || !text.endsWith("}]")) return null;
          const found = readPlainMembers(text, head.length, text.length - 2, known, namesOf(known));
          if (found === null) return null;
          const { values, timestamp, sequence } = found;
          const sample: Sample = { type: "data", values };
          if (sequence !== undefined) sample.sequence = BigInt(sequence);
          if (timestamp !== undefined) sample.origin = readMillis("timestamp", timestamp);
          return [sample];
        },
        read(json) {
          const { schema, payload } = membersOf("a sample", json);
          const { timestamp, sequence, ...given } = membersOf("payload", payload);
          // Of a value that VILLASnode leaves out, only the schema tells.
          const names = new Set([...signals ? [] : fieldsOf(schema), ...Object.keys(given)]);
          const sample: Sample = { type: "data", values: [] };
          if (sequence !== undefined) sample.sequence = readSequence(sequence);
          if (isNumber(timestamp)) sample.origin = readMillis("timestamp", timestamp);
          const values = new NamedValues(signals);
          for (const name of names) {
            const index = values.indexOf(name);
            const value = Object.hasOwn(given, name) ? given[name]! : null;
            if (index >= 0) {
              values.put(index, readJsonValue(value, `"${name}"`, signals?.[index]?.type));
            }
          }
          if (!signals) shown.note([...names], values.values);
          return { ...sample, values: values.values };
        },
      }),
    };
  },
);

/** The fields that a schema lists; none where it is no such schema. */
function fieldsOf(schema: JsonValue | undefined): string[] {
  const list = (schema as { fields?: JsonValue } | null | undefined)?.fields;
  if (!Array.isArray(list)) return [];
  return list.map((field) => (field as { field?: JsonValue } | null)?.field)
    .filter((name) => typeof name === "string" && !RESERVED.includes(name)) as string[];
}

const PAYLOAD = ', "payload": ';

/** What stands before the payload, where there is one message and it begins with its schema; empty where that is not so. */
function headOf(text: string): string {
  const at = text.indexOf(PAYLOAD);
  const head = at < 0 ? "" : text.slice(0, at + PAYLOAD.length);
  return head.startsWith('[{"schema": ') && parseQuickly(`${head}null}]`) ? head : "";
}
