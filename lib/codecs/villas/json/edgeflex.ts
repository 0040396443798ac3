/**
 * VILLASnode's format `json.edgeflex`: values by their names.
 *
 * @module
 */

import { CodecError } from "../../../errors.ts";
import type { JsonValue } from "../../json/reader.ts";
import { ALL, formatRow } from "../format_row.ts";
import { jsonForms } from "./forms.ts";
import { JSON_SETTINGS, jsonText, jsonValue, type Tree } from "./text.ts";
import {
  BY_NAME,
  memberNames,
  membersOf,
  misnamed,
  NamedValues,
  parseQuickly,
  quickValues,
  readJsonValue,
  readMillis,
  ShownSignals,
  writeMillis,
} from "./values.ts";
import { floatSignals } from "../signals.ts";
import { checkHead, checkNoSequence } from "../text_format.ts";

const NAME = "json.edgeflex";
const RESERVED = ["created"];

/**
 * VILLASnode's format `json.edgeflex`: `{NAME: VALUE, …, "created": MS}`.
 *
 * - The values have names, as in `json.kafka`. There is no sequence number, and the time is cut to milliseconds; where there is none, it
 *   is 0.
 * - NaN and the infinities cannot be written; where VILLASnode leaves them out, the value is unset.
 */
export const villasJsonEdgeflex = formatRow(NAME, JSON_SETTINGS, (settings, signals) => {
  const names = memberNames(signals, settings);
  const shown = new ShownSignals();
  return {
    carried: {
      ...ALL,
      sequence: false,
      ...BY_NAME,
    },
    misfit: (signals) => misnamed(signals, RESERVED),
    ...jsonForms({
      name: NAME,
      style: settings,
      plainEcho: true,
      tree(sample, form) {
        checkHead(sample, NAME);
        checkNoSequence(sample, NAME, settings.sequence);
        const { values, origin } = sample;
        if (values.length === 0) {
          throw new CodecError(
            `Cannot encode a sample without values as ${NAME}: expected at least one`,
          );
        }
        const names = signals ?? floatSignals(values.length);
        const tree = new Map<string, Tree>();
        for (const [i, value] of values.entries()) {
          if (value === null && form === "node") continue;
          tree.set(names[i]?.name ?? `signal${i}`, jsonValue(value, i, NAME, settings));
        }
        return tree.set("created", origin ? writeMillis(origin, true) : "0");
      },
      write(sample) {
        const { values, origin } = sample;
        if (names === undefined || values.length === 0 || values.length > names.length) {
          return undefined;
        }
        if (values.includes(null)) return undefined;
        checkHead(sample, NAME);
        checkNoSequence(sample, NAME, settings.sequence);
        let text = "{";
        for (let i = 0; i < values.length; i++) {
          text += `${names[i]}${jsonText(values[i]!, i, NAME, settings)}, `;
        }
        return `${text}"created": ${origin ? writeMillis(origin, true) : "0"}}`;
      },
      isTaken: (json, { values }) =>
        signals === undefined ||
        Object.keys(json!).length === values.length + 1 &&
          signals.every(({ name }, i) =>
            typeof (json as Record<string, JsonValue>)[name] === typeof values[i]
          ),
      readPlain(text) {
        const known = signals ?? shown.signals;
        const list = known && parseQuickly(text);
        if (!Array.isArray(list) || list.length !== 1) return null;
        const values = quickValues(list[0] ?? {}, known!);
        const { created } = list[0] ?? {};
        if (values === null || !Number.isSafeInteger(created)) return null;
        if (!signals && !(shown.areIn(list[0], RESERVED) && shown.areFloats(values, text, 1))) {
          return null;
        }
        const origin = readMillis("created", created);
        return [{ type: "data", ...(origin.sec > 0 && { origin }), values }];
      },
      read(json) {
        const { created, ...named } = membersOf("a sample", json);
        const origin = readMillis("created", created);
        const values = new NamedValues(signals);
        for (const [name, value] of Object.entries(named)) {
          const index = values.indexOf(name);
          if (index >= 0) {
            values.put(index, readJsonValue(value!, `"${name}"`, signals?.[index]?.type));
          }
        }
        if (!signals) shown.note(Object.keys(named), values.values);
        return { type: "data", ...(origin.sec > 0 && { origin }), values: values.values };
      },
    }),
  };
});
