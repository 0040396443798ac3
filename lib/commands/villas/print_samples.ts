import type { Option } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { outputOption } from "../../cli/output_option.ts";
import { formatVillasHuman } from "../../codecs/villas/human.ts";
import { formatVillasJson } from "../../codecs/villas/json.ts";
import { formatProtobufText } from "../../codecs/villas/protobuf_text.ts";
import type { Batch } from "../../villas/node.ts";

/** The forms in which samples are printed; text is what `print(message)` writes in Python. */
const FORMS = ["json", "text", "villas.human", "none"] as const;

/** How samples are printed. */
export type SampleForm = typeof FORMS[number];

/** The option `--output` of a command that prints samples. */
export function sampleOutput(fallback: SampleForm): Option<SampleForm> {
  return outputOption(FORMS, { default: fallback, help: "How to print what arrives" });
}

/**
 * Makes the tap that prints samples.
 *
 * @param form How.
 * @param out Where to.
 * @returns Prints the samples of one message; the promise, if there is one, is to be waited for. Undefined where nothing is printed.
 */
export function messagePrinter(
  form: SampleForm,
  out: Output,
): ((batch: Pick<Batch, "samples" | "received">) => void | Promise<void>) | undefined {
  if (form === "none") return undefined;
  return ({ samples, received }) => {
    if (form === "text") out.text(formatProtobufText(samples).replace(/\n$/, ""));
    else {
      for (const sample of samples) {
        if (form === "json") out.json(formatVillasJson({ ...sample, received }));
        else out.line(formatVillasHuman({ ...sample, received }));
      }
    }
    if (out.full) return out.ready();
  };
}
