/**
 * Recordings of `struct-line` as samples: lines of CSV with a header, or of JSON, each with the time at which it arrived.
 *
 * @module
 */

import { readByteLines } from "../../cli/read_lines.ts";
import type { Sample, Value } from "../../codecs/villas/sample.ts";

/** Bytes of a line at most. */
const LONGEST = 1 << 20;
/** Bytes in which the first line must end. */
const HEAD = 1 << 16;
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
   * @param events Called with the bytes of each line, and with what is wrong with one.
   * @param signal Ends the reading.
   */
  read(
    events: {
      readonly onBytes: (count: number) => void;
      readonly onBad: (message: string) => void;
    },
    signal: AbortSignal,
  ): AsyncGenerator<readonly Sample[], void, void>;
}

/**
 * Looks whether a file is a recording of records.
 *
 * @param path The file.
 * @returns It, or undefined where it is something else.
 */
export async function findRecords(path: string): Promise<Records | undefined> {
  const first = await firstLine(path);
  const isCsv = first.startsWith("time,");
  const names = isCsv ? cells(first).slice(1) : namesIn(first);
  if (!names) return undefined;
  return {
    names,
    async *read({ onBytes, onBad }, signal) {
      const { readable } = await Deno.open(path);
      const decoder = new TextDecoder();
      let samples: Sample[] = [];
      let number = 0;
      for await (const line of readByteLines(readable, signal, { maxBytes: LONGEST })) {
        onBytes(line.length + 1);
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

async function firstLine(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(HEAD);
  const count = await file.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, count)).split("\n", 1)[0]!.trimEnd();
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
