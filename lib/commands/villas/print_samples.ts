import { flag, type Option } from "../../cli/options.ts";
import type { Output } from "../../cli/output.ts";
import { outputOption } from "../../cli/output_option.ts";
import type { Format } from "../../codecs/villas/format.ts";
import { formatVillasHuman } from "../../codecs/villas/human.ts";
import { formatVillasJson } from "../../codecs/villas/json.ts";
import { formatProtobufText } from "../../codecs/villas/protobuf/text.ts";
import type { Sample, Timestamp } from "../../codecs/villas/sample.ts";
import type { Batch } from "../../villas/node.ts";

/** The forms in which samples are printed; text is what `print(message)` writes in Python. */
const FORMS = ["json", "text", "villas.human", "none"] as const;

/** The name of a form. */
export type SampleForm = typeof FORMS[number];

/** The option `--output` of a command that prints samples. */
export function sampleOutput(fallback: SampleForm): Option<SampleForm> {
  return outputOption(FORMS, { default: fallback, help: "How to print what arrives" });
}

/** The option `--output-drop` of a command that prints samples. */
export const outputDropOption = {
  outputDrop: flag({
    help:
      "If standard output does not keep up, leave out samples rather than wait for it; they are counted",
  }),
};

/** How samples are printed. */
export interface PrinterOptions {
  /** Reads messages once more, to print them later than they are handled. Default: they are printed at once. */
  readonly format?: Format;
  /** Whether samples are left out where standard output does not keep up. Default: the path waits. */
  readonly drop?: boolean;
}

/** Bytes of messages that may be printed later. */
const ROOM = 1 << 16;
/** About how many bytes are printed for each byte of a message. */
const GROWTH = 3;

/**
 * Prints samples as they arrived. Of messages that it can read again it only takes the bytes: they are read and printed together, when
 * they have been answered, and no hook can have changed them.
 */
export class SamplePrinter {
  readonly #form: Exclude<SampleForm, "none">;
  readonly #out: Output;
  readonly #format: Format | undefined;
  readonly #drop: boolean;
  /** The messages that are to be printed, one after another. */
  readonly #bytes = new Uint8Array(ROOM);
  #used = 0;
  readonly #ends: number[] = [];
  readonly #received: Timestamp[] = [];
  #notPrinted = 0;

  /**
   * @param form How to print.
   * @param out Where to.
   * @param options What else to do.
   */
  constructor(form: Exclude<SampleForm, "none">, out: Output, options: PrinterOptions = {}) {
    this.#form = form;
    this.#out = out;
    this.#format = options.format;
    this.#drop = options.drop ?? false;
  }

  /** Samples that were left out. */
  get notPrinted(): number {
    return this.#notPrinted;
  }

  /** Prints the samples of one message; the promise, if there is one, is to be waited for. */
  readonly print = (
    batch: Pick<Batch, "samples" | "received"> & Partial<Pick<Batch, "bytes" | "count">>,
  ): void | Promise<void> => {
    const out = this.#out;
    if (out.full && this.#drop) {
      this.#notPrinted += batch.count ?? batch.samples.length;
      return;
    }
    const { bytes } = batch;
    if (this.#format !== undefined && bytes !== undefined && bytes.length <= ROOM) {
      if (this.#used + bytes.length > ROOM) this.#printLater();
      this.#bytes.set(bytes, this.#used);
      this.#used += bytes.length;
      this.#ends.push(this.#used);
      this.#received.push(batch.received);
      out.later(this.#printLater, (bytes.length + 1) * GROWTH); // an empty message needs room, too
    } else this.#write(batch.samples, batch.received);
    if (out.full && !this.#drop) return out.ready();
  };

  readonly #printLater = (): void => {
    const [ends, times] = [this.#ends.splice(0), this.#received.splice(0)];
    this.#used = 0;
    for (let i = 0, start = 0; i < ends.length; start = ends[i++]!) {
      this.#write(this.#format!.decode(this.#bytes.subarray(start, ends[i])), times[i]!);
    }
  };

  #write(samples: readonly Sample[], received: Timestamp): void {
    const out = this.#out;
    if (this.#form === "text") return out.text(formatProtobufText(samples).slice(0, -1));
    for (const sample of samples) {
      const arrived = { ...sample, received };
      if (this.#form === "json") out.json(formatVillasJson(arrived));
      else out.line(formatVillasHuman(arrived));
    }
  }
}

/** Makes the printer of a command; undefined where nothing is printed. */
export function samplePrinter(
  form: SampleForm,
  out: Output,
  options?: PrinterOptions,
): SamplePrinter | undefined {
  return form === "none" ? undefined : new SamplePrinter(form, out, options);
}

/** What a summary says of samples that were left out, if any were. */
export function notPrinted(printer: SamplePrinter | undefined): string[] {
  return printer && printer.notPrinted > 0 ? [`${printer.notPrinted} not printed`] : [];
}
