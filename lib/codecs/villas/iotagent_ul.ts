/**
 * VILLASnode's format `iotagent_ul`, the UltraLight of FIWARE's IoT agent: names and values with bars between them.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { ALL, formatRow } from "./format_row.ts";
import { BARE_LINES, lineForms } from "./line_format.ts";
import type { Sample } from "./sample.ts";
import { floatSignals, type Signal } from "./signals.ts";
import { checkHead, checkNoSequence, checkOne } from "./text_format.ts";
import { LineFault, readValue, writeValue } from "./text_values.ts";

const NAME = "iotagent_ul";
/** As C's `%f`. */
const STYLE = { precision: 6, exact: false };

/**
 * VILLASnode's format `iotagent_ul`: `NAME|VALUE|NAME|VALUE`, floats with six decimals.
 *
 * - VILLASnode writes it, but reads none of it: there is no reply in this format.
 * - Only floats. There is one sample in each datagram, without a sequence number and a time. In a file, there is one on each line.
 */
export const villasIotagentUl = formatRow(NAME, {}, (settings, signals) => {
  const forms = lineForms({
    name: NAME,
    settings: { ...settings, ...BARE_LINES },
    signals,
    plainEcho: false,
    write(sample) {
      checkHead(sample, NAME);
      checkNoSequence(sample, NAME, settings.sequence);
      return fieldsOf(sample, signals ?? floatSignals(sample.values.length));
    },
    read: (text, start, end) => readFields(text, start, end, signals),
  });
  return {
    carried: {
      ...ALL,
      kinds: ["float"],
      sequence: false,
      origin: false,
      newFrame: false,
      exact: false,
      samples: 1,
      named: true,
      readByNode: false,
    },
    ...forms,
    encode(samples) {
      checkOne(samples, NAME);
      return forms.encode(samples).subarray(0, -1); // VILLASnode writes no newline
    },
    replies: {
      ...forms.replies!,
      encode() {
        throw new CodecError(
          `Cannot reply in ${NAME}: VILLASnode does not read it; set another format in that node`,
        );
      },
    },
    splitter: undefined,
  };
});

function fieldsOf({ values }: Sample, signals: readonly Signal[]): string {
  if (values.length === 0) {
    throw new CodecError(`Cannot encode a sample without values as ${NAME}: expected at least one`);
  }
  const fields = [];
  for (const [i, value] of values.entries()) {
    if (typeof value !== "number") {
      throw new CodecError(
        `Cannot encode value ${i} ${
          Deno.inspect(value)
        } as ${NAME}: it carries floats only; json carries all kinds`,
      );
    }
    fields.push(signals[i]?.name || `signal_${i}`, writeValue(value, i, NAME, STYLE));
  }
  return fields.join("|");
}

function readFields(
  text: string,
  start: number,
  end: number,
  signals: readonly Signal[] | undefined,
): Sample {
  const sample: Sample = { type: "data", values: [] };
  for (let at = start, index = 0; at < end; index++) {
    const bar = text.indexOf("|", at);
    if (bar < 0 || bar >= end) throw new LineFault(at, "expected NAME|VALUE|NAME|VALUE");
    const next = text.indexOf("|", bar + 1);
    const to = next < 0 || next > end ? end : next;
    const signal = signals?.[index];
    const name = text.slice(at, bar);
    if (signal && (signal.name || `signal_${index}`) !== name) {
      throw new LineFault(at, `expected signal "${signal.name}", got "${name}"`);
    }
    if (signal && signal.type !== "float") {
      throw new LineFault(
        at,
        `"${name}" is stated as ${signal.type}, and VILLASnode writes floats only`,
      );
    }
    sample.values.push(readValue(text, bar + 1, to, "float"));
    at = to + 1;
  }
  return sample;
}
