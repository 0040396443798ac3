/**
 * What `villas-pipe` prints: samples in a format of VILLASnode's, or as plain records for other programs.
 *
 * @module
 */

import type { Output } from "../../cli/output.ts";
import { value } from "../../cli/options.ts";
import {
  COLUMN_FORMS,
  type ColumnForm,
  ColumnsEncoder,
} from "../../codecs/villas/columns/write.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat, villasFormats } from "../../codecs/villas/formats.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import { withSignals } from "../../codecs/villas/with_signals.ts";
import { CodecError, UsageError } from "../../errors.ts";
import type { Tap } from "../../villas/path.ts";

/** A form of output: a format, plain records, or nothing. */
export type PipeForm = VillasFormat | ColumnForm | "none";

/** The option `--output`. */
export const pipeOutput = value(
  {
    default: villasFormat("villas.human") as PipeForm,
    placeholder: "FORM",
    help: `How samples that arrive are printed: ${
      Object.keys(villasFormats).join(", ")
    }, with settings as --format has them; columns: rows of plain CSV; arrays, objects: a JSON record per line; none: nothing`,
  },
  "FORM",
  readForm,
  { show: () => "villas.human" },
);

function readForm(text: string): PipeForm {
  if (text === "none") return "none";
  const form = COLUMN_FORMS.find((form) => form === text);
  if (form) return form;
  try {
    return villasFormat(text);
  } catch (error) {
    if (!(error instanceof UsageError) || /[,{]/.test(text)) throw error;
    throw new UsageError(`${error.message}, or ${COLUMN_FORMS.join(", ")}, none`, { cause: error });
  }
}

/** How samples are printed. */
export interface PipePrinterOptions {
  /** In which form. */
  readonly form: PipeForm;
  /** The signals that were stated. */
  readonly signals?: readonly Signal[];
  /** The names of the values. */
  readonly fields?: readonly string[];
  /** Whether plain records begin with the time. */
  readonly timestamps: boolean;
  /** What objects have as `command_id`. */
  readonly commandId?: string;
  /** Called with what cannot be printed in this form. */
  readonly onBad: (error: CodecError) => void;
}

/**
 * Makes the tap that prints samples.
 *
 * @param options How.
 * @param out Where to.
 * @returns Prints the samples of a message; a promise means that the reader is slow.
 * @throws {UsageError} If the options do not fit the form.
 */
export function pipePrinter(options: PipePrinterOptions, out: Output): Tap {
  const { form, timestamps, commandId } = options;
  const isPlain = typeof form === "string" && form !== "none";
  if (timestamps && !isPlain) {
    throw new UsageError(
      `Cannot use --timestamps with --output ${nameOf(form)}: expected --output ${
        COLUMN_FORMS.join(" or ")
      }`,
    );
  }
  if (commandId !== undefined && form !== "objects") {
    throw new UsageError(
      `Cannot use --command-id with --output ${nameOf(form)}: expected --output objects`,
    );
  }
  const print = form === "none"
    ? undefined
    : isPlain
    ? plainPrinter({ ...options, form }, out)
    : formatPrinter(form, options, out);
  return ({ samples, received }) => {
    for (const sample of samples) {
      try {
        print?.({ ...sample, received });
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        options.onBad(error);
      }
    }
    if (out.full) return out.ready();
  };
}

/** Whether values have names in a form of output that the user may choose. */
export function isNamed(form: PipeForm): boolean {
  return form === "columns" || form === "objects";
}

function nameOf(form: PipeForm): string {
  return typeof form === "string" ? form : form.notation;
}

function formatPrinter(
  format: VillasFormat,
  { signals }: PipePrinterOptions,
  out: Output,
): (sample: Sample) => void {
  const encoder = withSignals(format, signals).stream.encoder();
  return (sample) => out.bytes(encoder.encode([sample]));
}

function plainPrinter(
  { form, signals, fields, timestamps, commandId }: PipePrinterOptions & { form: ColumnForm },
  out: Output,
): (sample: Sample) => void {
  const names = fields ?? signals?.map(({ name }, i) => name === "" ? `signal${i}` : name);
  let encoder: ColumnsEncoder | undefined;
  const begin = ({ values }: Sample) => {
    // Values beyond the names are called in headers as they are in objects.
    const others = values.map((_, i) => `signal${i}`).slice(names?.length);
    const encoder = new ColumnsEncoder({
      ...{ form, timestamps, commandId },
      names: names && [...names, ...others],
    });
    if (encoder.header !== undefined) out.line(encoder.header);
    return encoder;
  };
  return (sample) => {
    encoder ??= begin(sample);
    if (form === "columns") out.line(encoder.encode(sample));
    else out.json(encoder.encode(sample));
  };
}
