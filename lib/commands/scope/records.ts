/**
 * Recordings of `struct-line` as samples: lines of CSV with a header, or of JSON, each with the time at which it arrived.
 *
 * @module
 */

import { readByteLines } from "../../cli/read_lines.ts";
import type { Sample, Value } from "../../codecs/villas/sample.ts";

/** Bytes of a line at most. */
const LONGEST = 1 << 20;
/** Lines that are shown at once. */
const TOGETHER = 1024;
/** A time as it is recorded: whole seconds, and the digits after them. */
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?Z$/;

/** A recording of records. */
export interface Records {
  /** The names of the fields. */
  readonly names: readonly string[];
  /**
   * Reads it.
   *
   * @param stream All of it, with its first line.
   * @param onBad Called with what is wrong with a line.
   * @param signal Ends the reading.
   */
  read(
    stream: ReadableStream<Uint8Array>,
    onBad: (message: string) => void,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Sample[], void, void>;
}

/**
 * Looks whether something is a recording of records.
 *
 * @param first Its first line.
 * @returns What reads it, or undefined where it is something else.
 */
export function findRecords(first: string): Records | undefined {
  const isCsv = first.startsWith("time,");
  const names = isCsv ? cells(first).slice(1) : namesIn(first);
  if (!names) return undefined;
  return {
    names,
    async *read(stream, onBad, signal) {
      const decoder = new TextDecoder();
      let samples: Sample[] = [];
      let number = 0;
      for await (const line of readByteLines(stream, signal, { maxBytes: LONGEST })) {
        number++;
        const text = decoder.decode(line).trimEnd();
        if (text === "" || isCsv && text === first) continue; // a header is written again where a recording was resumed
        const sample = isCsv ? ofCells(cells(text)) : ofObject(text, names);
        if (sample) samples.push(sample);
        else onBad(`Cannot read line ${number}: expected a time and values as in the first lines`);
        if (samples.length < TOGETHER) continue;
        yield samples;
        samples = [];
      }
      yield samples;
    },
  };
}

/** The cells of a row of CSV (RFC 4180). */
function cells(line: string): string[] {
  if (!line.includes('"')) return line.split(",");
  return [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted?.replaceAll('""', '"') ?? plain!
  );
}

function fields(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === "object" && value !== null && typeof value.time === "string"
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** The names of the fields of a line of JSON that has a time. */
function namesIn(line: string): string[] | undefined {
  const found = fields(line);
  return found && timeOf(String(found["time"])) &&
    Object.keys(found).filter((name) => name !== "time");
}

function ofCells([time, ...values]: string[]): Sample | undefined {
  return sampleOf(time!, values.map((text) => text === "" ? null : flag(text) ?? Number(text)));
}

function flag(text: string): boolean | undefined {
  return text === "true" ? true : text === "false" ? false : undefined;
}

function ofObject(line: string, names: readonly string[]): Sample | undefined {
  const found = fields(line);
  return found && sampleOf(String(found["time"]), names.map((name) => found[name]));
}

/** A sample of what can be drawn; text has no value. */
function sampleOf(time: string, values: readonly unknown[]): Sample | undefined {
  const origin = timeOf(time);
  return origin && {
    type: "data",
    origin,
    values: values.map((value): Value =>
      typeof value === "boolean" || typeof value === "number" && !Number.isNaN(value) ? value : null
    ),
  };
}

function timeOf(text: string): { sec: number; nsec: number } | undefined {
  const [, whole, digits = ""] = TIME.exec(text) ?? [];
  return whole === undefined
    ? undefined
    : { sec: Date.parse(`${whole}Z`) / 1000, nsec: Number(digits.padEnd(9, "0")) };
}
