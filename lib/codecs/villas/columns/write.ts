import { csvCell } from "../../../text/csv.ts";
import type { Sample, Timestamp, Value } from "../sample.ts";

/** The forms in which {@linkcode ColumnsEncoder} writes. */
export const COLUMN_FORMS = ["columns", "arrays", "objects"] as const;

/** One of {@linkcode COLUMN_FORMS}. */
export type ColumnForm = typeof COLUMN_FORMS[number];

/** How samples are written as plain records. */
export interface ColumnsEncoderOptions {
  /** Rows of CSV, JSON arrays, or JSON objects. */
  readonly form: ColumnForm;
  /** The names of the values. Default: `signal0` and so on; rows have a header only if there are names. */
  readonly names?: readonly string[];
  /** Whether each record begins with the time of the sample, in UTC; in objects and headers it is called `time`. */
  readonly timestamps?: boolean;
  /** What objects have as `command_id`, before all else. */
  readonly commandId?: string;
}

/**
 * Writes samples as records that were made for something else: nothing but the values. They are what `struct-line` takes, and
 * `json-client` as a message.
 *
 * Numbers are written as JavaScript has them, with the fewest digits that read back as the same; NaN and the infinities as texts in JSON.
 * Complex numbers are `{"real": 1, "imag": -2}`, in CSV `1-2j`. A value that is unset is `null`, in CSV an empty cell.
 *
 * @example A command out of a sample
 * ```ts
 * import { ColumnsEncoder } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const encoder = new ColumnsEncoder({ form: "objects", names: ["volts"], commandId: "set" });
 * assertEquals(encoder.encode({ type: "data", values: [1.5] }), '{"command_id":"set","volts":1.5}');
 * ```
 */
export class ColumnsEncoder {
  readonly #options: ColumnsEncoderOptions;
  /** The text before each value of an object. */
  readonly #keys: string[] = [];

  /**
   * Starts with nothing written.
   *
   * @param options The form.
   */
  constructor(options: ColumnsEncoderOptions) {
    this.#options = options;
  }

  /** The line before all records, without a newline; undefined if there is none. */
  get header(): string | undefined {
    const { form, names, timestamps } = this.#options;
    if (form !== "columns" || !names) return undefined;
    return [...(timestamps ? ["time"] : []), ...names].map(csvCell).join(",");
  }

  /**
   * Writes a sample.
   *
   * @param sample The sample.
   * @returns A line without a newline.
   */
  encode({ values, origin, received }: Sample): string {
    const { form, timestamps, commandId } = this.#options;
    const time = timestamps ? isoTime(origin ?? received ?? { sec: 0, nsec: 0 }) : undefined;
    if (form === "columns") {
      const cells = values.map(cellText);
      return (time === undefined ? cells : [time, ...cells]).join(",");
    }
    const before = time === undefined ? [] : [JSON.stringify(time)];
    if (form === "arrays") return `[${[...before, ...values.map(jsonText)].join(",")}]`;
    const members = [
      ...(commandId === undefined ? [] : [`"command_id":${JSON.stringify(commandId)}`]),
      ...before.map((text) => `"time":${text}`),
      ...values.map((value, i) => this.#key(i) + jsonText(value)),
    ];
    return `{${members.join(",")}}`;
  }

  #key(index: number): string {
    return this.#keys[index] ??= `${
      JSON.stringify(this.#options.names?.[index] ?? `signal${index}`)
    }:`;
  }
}

/** A time in UTC, in ISO 8601 with nanoseconds. */
function isoTime({ sec, nsec }: Timestamp): string {
  const seconds = new Date(sec * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(nsec).padStart(9, "0")}Z`;
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0.0" : String(value);
}

function jsonNumber(value: number): string {
  return Number.isFinite(value) ? numberText(value) : `"${value}"`;
}

function jsonText(value: Value): string {
  if (typeof value === "number") return jsonNumber(value);
  if (typeof value !== "object" || value === null) return String(value);
  return `{"real":${jsonNumber(value.real)},"imag":${jsonNumber(value.imag)}}`;
}

function cellText(value: Value): string {
  if (typeof value === "number") return numberText(value);
  if (typeof value !== "object") return String(value);
  if (value === null) return "";
  const imag = numberText(value.imag);
  return `${numberText(value.real)}${/^[-+]/.test(imag) ? "" : "+"}${imag}j`;
}
