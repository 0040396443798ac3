import { choice, type Option } from "../cli/options.ts";
import type { Output } from "../cli/output.ts";
import type { Sample, Timestamp } from "../codecs/sample.ts";
import { formatHuman } from "../codecs/villas_human.ts";
import { formatJson } from "../codecs/villas_json.ts";
import { formatText } from "../codecs/villas_text.ts";

/** How samples are printed. */
export type PrintFormat = "json" | "text" | "human" | "none";

/** The option `--print`. */
export function printOption(fallback: PrintFormat): Option<PrintFormat> {
  return choice(["json", "text", "human", "none"], {
    default: fallback,
    help:
      "How to print what arrives: a line of JSON per sample, protobuf text, villas.human, or not at all",
  });
}

/**
 * Makes the function that prints messages.
 *
 * @param format How.
 * @param out Where to.
 * @returns Prints the samples of one message; the promise, if there is one, is to be waited for.
 */
export function messagePrinter(
  format: PrintFormat,
  out: Output,
): (samples: readonly Sample[], received: Timestamp) => void | Promise<void> {
  return (samples, received) => {
    if (format === "text") out.text(formatText(samples).replace(/\n$/, ""));
    else if (format !== "none") {
      for (const sample of samples) {
        if (format === "json") out.json(formatJson({ ...sample, received }));
        else out.line(formatHuman({ ...sample, received }));
      }
    }
    if (out.full) return out.ready();
  };
}
