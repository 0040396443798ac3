/**
 * VILLASnode's format `value`: one value, as text.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { ALL, formatRow } from "./format_row.ts";
import { BARE_LINES, lineForms } from "./line_format.ts";
import type { Sample } from "./sample.ts";
import { checkHead, checkNoSequence, checkOne } from "./text_format.ts";
import { readValue, writeValue } from "./text_values.ts";

const NAME = "value";
/** Decimals by default: those that VILLASnode has are not meant to be fewer than a float needs. */
const ALL_DIGITS = 17;

/**
 * VILLASnode's format `value`: one value on a line, written as in `villas.human`.
 *
 * There is one sample in each datagram, with exactly one value; no time, no sequence number.
 */
export const villasValue = formatRow(NAME, {}, (settings, signals) => {
  const node = { precision: settings.real_precision, exact: false };
  const exact = { ...node, exact: settings.real_precision === ALL_DIGITS };
  const forms = lineForms({
    name: NAME,
    settings: { ...settings, ...BARE_LINES },
    signals,
    plainEcho: true,
    write(sample, form) {
      checkHead(sample, NAME);
      checkNoSequence(sample, NAME, settings.sequence);
      const { values } = sample;
      if (values.length !== 1) {
        throw new CodecError(
          `Cannot encode ${values.length} values as ${NAME}: expected one; villas.human carries them`,
        );
      }
      return writeValue(values[0]!, 0, NAME, form === "node" ? node : exact);
    },
    read(text, start, end, form) {
      const unstated = form === "node" || form === "reply" ? "look" : "unstated";
      return {
        type: "data",
        values: [readValue(text, start, end, signals?.[0]?.type ?? unstated)],
      };
    },
  });
  const one = (encode: typeof forms.encode) => (samples: Sample[]) => {
    checkOne(samples, NAME);
    return encode(samples);
  };
  return {
    carried: { ...ALL, sequence: false, origin: false, newFrame: false, exact: false, samples: 1 },
    misfit: ({ length }) =>
      length > 1 ? "there are several, and the format has one value" : undefined,
    ...forms,
    encode: one(forms.encode),
    replies: { ...forms.replies!, encode: one(forms.replies!.encode) },
  };
});
