/**
 * VILLASnode's formats `csv` and `tsv`: values in columns.
 *
 * @module
 */

import { printFixed } from "../../text/printf.ts";
import { ALL, carriedBy, formatRow } from "./format_row.ts";
import { nineDigits, titleOf } from "./human.ts";
import { type LineForm, lineForms, LINES } from "./line_format.ts";
import { plusSeconds, type Sample, type Timestamp } from "./sample.ts";
import { character, type COMMON, type SettingsOf } from "./settings.ts";
import type { Signal } from "./signals.ts";
import { checkHead, isTimePart, sequenceText } from "./text_format.ts";
import { LineFault, readValue, type Wanted, writeValue } from "./text_values.ts";

/** Decimals by default: those that VILLASnode has are not meant to be fewer than a float needs. */
const ALL_DIGITS = 17;
/** Seconds that two clocks can differ by: all that 32 bits hold. */
const LONGEST_OFFSET = 2 ** 32;

/**
 * VILLASnode's format `csv`: a line for each sample, values with commas between them.
 *
 * - VILLASnode's socket writes `seconds,nanoseconds,sequence,values`, and reads the same with the time from origin to receipt as third
 *   column. So what is sent to it has a `0` there, and what it sent must not come back as it is.
 * - Its files have that column. What is not known is `nan`; but VILLASnode's socket reads numbers only, so that a sample without a sequence
 *   number is sent to it with one that counts such samples, and one without a time with the time 0.
 * - The text of a value tells its kind, as in `villas.human`.
 *
 * @example What VILLASnode writes, and what it reads
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const csv = villasFormat("csv");
 * const samples = csv.decode(new TextEncoder().encode("1700000000,000000001,7,0.50000000000000000,3\n"));
 * assertEquals(samples, [
 *   { type: "data", sequence: 7n, origin: { sec: 1700000000, nsec: 1 }, values: [0.5, 3n] },
 * ]);
 * assertEquals(
 *   new TextDecoder().decode(csv.replies.encode(samples)),
 *   "1700000000,000000001,0,7,0.50000000000000000,3\n",
 * );
 * ```
 */
export const villasCsv = columns("csv", ",");

/** VILLASnode's format `tsv`: as `csv`, with tabs between the values. */
export const villasTsv = columns("tsv", "\t");

type Settings = SettingsOf<typeof COMMON> & { readonly separator: string };

function columns(name: string, separator: string) {
  const table = { separator: character(separator), ...LINES };
  return formatRow(name, table, (settings, signals) => {
    const node = { precision: settings.real_precision, exact: false };
    const exact = { ...node, exact: settings.real_precision === ALL_DIGITS };
    const whole = { ...settings, ts_origin: true, sequence: true };
    /** Samples without a number that were sent to VILLASnode, which reads none without one. */
    let unnumbered = 0n;
    return {
      carried: { ...ALL, ...carriedBy(settings), received: true, newFrame: false, exact: false },
      ...lineForms({
        name,
        settings,
        signals,
        plainEcho: false,
        header: (signals, offset) =>
          settings.comment_prefix + " " +
          titles(signals, settings, offset).join(settings.separator),
        headerOffset: (comment) => offsetIn(comment, settings),
        write(sample, form) {
          checkHead(sample, name);
          let line = form === "reply"
            ? replyHeadOf(sample, settings.separator, () => unnumbered++)
            : headOf(sample, settings, form);
          if (!settings.data && form !== "reply") return line;
          const style = form === "node" ? node : exact;
          const { values } = sample;
          for (let i = 0; i < values.length; i++) {
            line += settings.separator + writeValue(values[i]!, i, name, style);
          }
          return line;
        },
        // VILLASnode reads all columns, whatever it leaves out when it writes.
        read: (text, start, end, form) =>
          readLine(text, start, end, form, form === "reply" ? whole : settings, signals),
      }),
    };
  });
}

function titles(signals: readonly Signal[], fields: Settings, offset: boolean): string[] {
  return [
    ...fields.ts_origin ? ["secs", "nsecs"] : [],
    ...offset ? ["offset"] : [],
    ...fields.sequence ? ["sequence"] : [],
    ...fields.data ? signals.map(titleOf) : [],
  ];
}

/** Whether a header has the column of the time of receipt; undefined if it is none. */
function offsetIn(comment: string, fields: Settings): boolean | undefined {
  const names = comment.split(fields.separator).map((name) => name.trim());
  return [true, false].find((offset) => {
    const wanted = titles([], fields, offset);
    return wanted.length > 0 && wanted.every((title, i) => title === names[i]);
  });
}

function headOf(sample: Sample, fields: Settings, form: LineForm): string {
  const { received, origin = received, sequence } = sample;
  const { separator } = fields;
  let head = "";
  if (fields.ts_origin) {
    head = origin === undefined
      ? `nan${separator}nan`
      : `${origin.sec}${separator}${nineDigits(origin.nsec)}`;
  }
  if (form === "file") {
    const offset = origin && received ? printFixed(secondsBetween(origin, received), 9) : "nan";
    head += separator + offset;
  }
  // Where there is no time, VILLASnode begins the line with a separator.
  return fields.sequence
    ? head + separator + (sequence === undefined ? "nan" : sequenceText(sequence))
    : head;
}

/** All four columns, and numbers in them: VILLASnode reads no others. */
function replyHeadOf(
  { received, origin = received, sequence }: Sample,
  separator: string,
  next: () => bigint,
): string {
  const time = origin === undefined
    ? `0${separator}000000000`
    : `${origin.sec}${separator}${nineDigits(origin.nsec)}`;
  return `${time}${separator}0${separator}${sequenceText(sequence ?? next())}`;
}

function secondsBetween(from: Timestamp, to: Timestamp): number {
  return to.sec - from.sec + (to.nsec - from.nsec) / 1e9;
}

const POINT = 0x2e;
const SPACE = 0x20;

function readLine(
  text: string,
  start: number,
  end: number,
  form: LineForm,
  fields: Settings,
  signals: readonly Signal[] | undefined,
): Sample {
  const { separator } = fields;
  const sample: Sample = { type: "data", values: [] };
  // Without a time, VILLASnode's line begins with the separator.
  let at = !fields.ts_origin && text[start] === separator ? start + 1 : start;
  let [from, to] = [start, start];
  /** Goes on to the next column; false if there is none. */
  const next = () => {
    if (at > end) return false;
    from = at;
    while (from < end && text.charCodeAt(from) === SPACE) from++;
    const found = text.indexOf(separator, from);
    to = found < 0 || found > end ? end : found;
    at = to + 1;
    return true;
  };
  const fault = (wanted: string) => {
    const cell = text.slice(from, to);
    const got = from > end ? "the end of the line" : `"${cell}"`;
    const hint = cell.includes(";") ? '; the setting "separator=;" is for semicolons' : "";
    return new LineFault(Math.min(from, end), `expected ${wanted}, got ${got}${hint}`);
  };
  if (fields.ts_origin) {
    const sec = next() ? timePart(text, from, to) : NaN;
    if (sec === -1) throw fault("seconds");
    if (!next()) {
      throw new LineFault(end, "expected seconds, nanoseconds, a sequence number and values");
    }
    const nsec = timePart(text, from, to);
    if (nsec === -1 || isNaN(nsec) !== isNaN(sec)) throw fault("nanoseconds");
    // What is sent to VILLASnode has a 0 for what is not known.
    const isKnown = !isNaN(sec) && (form !== "reply" || sec > 0 || nsec > 0);
    if (isKnown) sample.origin = { sec, nsec };
  }
  let more = next();
  if (hasOffset(text, from, to, form, fields) && more) {
    const offset = Number(text.slice(from, to));
    if (Math.abs(offset) < LONGEST_OFFSET && to > from) {
      if (sample.origin) sample.received = plusSeconds(sample.origin, offset);
    } else if (!isUnknown(text, from, to)) throw fault("seconds from origin to receipt");
    more = next();
  }
  if (fields.sequence) {
    if (!more) throw new LineFault(end, "expected a sequence number, got the end of the line");
    if (!isUnknown(text, from, to)) sample.sequence = sequenceOf(text, from, to, fault);
    more = next();
  }
  const unstated: Wanted = form === "file" || form === "plain" ? "unstated" : "look";
  for (; more; more = next()) {
    const { values } = sample;
    values.push(readValue(text, from, to, signals?.[values.length]?.type ?? unstated));
  }
  return sample;
}

/** Whether the third column is the time from origin to receipt. VILLASnode's socket writes none, but a sequence number has no point. */
function hasOffset(
  text: string,
  from: number,
  to: number,
  form: LineForm,
  { sequence }: Settings,
): boolean {
  if (form !== "node") return form !== "plain";
  if (!sequence) return false;
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === POINT) return true;
  return false;
}

function isUnknown(text: string, from: number, to: number): boolean {
  return to - from >= 3 && to - from <= 4 && /^-?nan$/i.test(text.slice(from, to));
}

/** Seconds or nanoseconds; NaN where they are not known, -1 where it is none of them. */
function timePart(text: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9) || at - from > 10) return isUnknown(text, from, to) ? NaN : -1;
    number = number * 10 + digit;
  }
  return to > from && isTimePart(number) ? number : -1;
}

function sequenceOf(
  text: string,
  from: number,
  to: number,
  fault: (wanted: string) => LineFault,
): bigint {
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9) || at - from > 20) throw fault("a sequence number");
    number = number * 10 + digit;
  }
  const sequence = to - from <= 15 ? BigInt(number) : BigInt(text.slice(from, to));
  if (to > from && (to - from < 20 || BigInt.asUintN(64, sequence) === sequence)) return sequence;
  throw fault("a sequence number");
}
