/**
 * The protobuf text format of VILLASnode's messages, as Python prints them.
 *
 * @module
 */

import { pythonRepr } from "../../../text/python_repr.ts";
import type { Sample, Timestamp, Value } from "../sample.ts";

/**
 * Writes a whole message in protobuf's text format, byte for byte as `print(message)` does in Python with
 * protobuf's C++ implementation: samples in order, each field on its own line, and a blank line at the end.
 *
 * - Floats are written as Python's `repr()` writes them. The 32-bit parts of a complex value are widened first,
 *   so that 0.1 is shown as it travelled: `0.10000000149011612`. (Python's pure implementation writes `0.1`.)
 * - An unset value is an empty `values` block, an empty message nothing but the blank line.
 * - Unknown fields are not written, as Python writes none, whatever their number and kind.
 * - Text format has no other trace of how the message was encoded: a default that was sent (`new_frame: false`,
 *   `sequence: 0`) is written, one that was not sent is not.
 *
 * @param samples The samples of one message.
 * @returns The text with all its newlines; nothing needs to be added to it.
 *
 * @example One sample
 * ```ts
 * import { formatProtobufText } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   formatProtobufText([{ type: "data", sequence: 7n, values: [1] }]),
 *   "samples {\n  type: DATA\n  sequence: 7\n  values {\n    f: 1.0\n  }\n}\n\n",
 * );
 * ```
 */
export function formatProtobufText(samples: readonly Sample[]): string {
  let text = "";
  for (const sample of samples) text += `samples {\n${sampleFields(sample)}}\n`;
  return text + "\n";
}

function sampleFields(sample: Sample): string {
  let text = `  type: ${sample.type.toUpperCase()}\n`;
  if (sample.sequence !== undefined) text += `  sequence: ${sample.sequence}\n`;
  if (sample.origin !== undefined) text += timestampBlock("ts_origin", sample.origin);
  if (sample.received !== undefined) text += timestampBlock("ts_received", sample.received);
  if (sample.newFrame !== undefined) text += `  new_frame: ${sample.newFrame}\n`;
  for (const value of sample.values) text += `  values {\n${valueField(value)}  }\n`;
  return text;
}

function timestampBlock(name: string, { sec, nsec }: Timestamp): string {
  return `  ${name} {\n    sec: ${sec}\n    nsec: ${nsec}\n  }\n`;
}

function valueField(value: Value): string {
  switch (typeof value) {
    case "number":
      return `    f: ${pythonRepr(value)}\n`;
    case "bigint":
      return `    i: ${value}\n`;
    case "boolean":
      return `    b: ${value}\n`;
    default:
      return value === null ? "" : `    z {\n      real: ${complexPart(value.real)}\n` +
        `      imag: ${complexPart(value.imag)}\n    }\n`;
  }
}

function complexPart(part: number): string {
  return pythonRepr(Math.fround(part));
}
