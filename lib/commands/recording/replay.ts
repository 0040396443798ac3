/**
 * Recordings of lines as the input of a client, at the times at which they were made.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { beside, file, value } from "../../cli/options.ts";
import { readByteLines } from "../../cli/read_lines.ts";
import { UsageError, whyUnreadable } from "../../errors.ts";
import { delay } from "../../time/deadline.ts";

/** The option `--speed`, and with it `--replay` of a client. */
export const speedOption = {
  speed: beside(
    ["replay"],
    value<number, { help: string; default: number }>(
      {
        default: 1,
        help: "How many times as fast as it was recorded; max for as fast as possible",
      },
      "X|max",
      parseSpeed,
    ),
  ),
} as const;

/** The options of a client that can send a recording. */
export const replayOptions = {
  replay: file({
    help: "Send what --record has recorded in this file again, at the times at which it came",
  }),
  ...speedOption,
} as const;

function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = text.trim() === "" ? NaN : Number(text);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new UsageError("expected a number above 0, or max");
}

/**
 * Checks that a recording is there, before anybody is connected with.
 *
 * @param path The file; undefined if none is wanted.
 * @throws {UsageError} If it is not.
 */
export async function checkReplay(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new Error("it is a directory");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Whether a reader waits until a line is due. */
export interface Pace {
  /** Whether it does not: the lines that follow are not sent any more. */
  readonly isHurried: boolean;
}

/** What a recording is read for. */
export interface ReplayOptions {
  /** The file. */
  readonly replay: string;
  /** How many times as fast as it was recorded. */
  readonly speed: number;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** Says which lines are wanted: the others take no part in the timing. Default: all. */
  readonly wants?: (line: string) => boolean;
  /** Looked at before each line. Default: it waits. */
  readonly pace?: Pace;
}

/** The time that stands first in a line: in an object, an array, or a row of CSV. */
const TIME =
  /^\s*(?:\{\s*"_?time"\s*:\s*"|\[\s*")?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?/;
const LF = 0x0a;
/** Longest line in bytes. */
const LONGEST = 1 << 28;

/**
 * Reads a recording line by line, each when it is due. A line without a time in it, such as a header, is due at once; a last line without
 * its newline was cut off and is left out.
 *
 * @param context Where that is said.
 * @param options The file and its pace.
 * @returns The lines as bytes, without their ends; each valid until the next one is asked for.
 * @throws {UsageError} If the file cannot be read.
 */
export async function* replayLines(
  { say }: Pick<Context, "say">,
  { replay, speed, signal, wants = () => true, pace }: ReplayOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const lines = readByteLines(await open(replay), signal, { keepEnds: true, maxBytes: LONGEST });
  const decoder = new TextDecoder();
  let [start, due, last] = [NaN, 0, NaN];
  for await (const line of lines) {
    if (line.at(-1) !== LF) {
      say.warn(
        `The last line of "${replay}" has no newline, so that it was cut off: it is left out`,
      );
      return;
    }
    const text = decoder.decode(line);
    if (!wants(text)) continue;
    const time = timeOf(text);
    if (!Number.isNaN(time)) {
      if (Number.isNaN(start)) start = performance.now();
      else due += Math.max(0, time - last) / speed;
      last = time;
      const left = start + due - performance.now();
      if (left > 0 && speed !== Infinity && !pace?.isHurried) {
        await delay(left / 1000, signal).catch(() => {});
      }
      if (signal.aborted) return;
    }
    yield line.subarray(0, line.length - (line.at(-2) === 0x0d ? 2 : 1));
  }
}

/** The time in a line, in ms since 1970; NaN if there is none. */
function timeOf(line: string): number {
  const [, time, fraction = "", zone = ""] = TIME.exec(line) ?? [];
  if (time === undefined) return NaN;
  return Date.parse(time.replace(" ", "T") + zone) + Number(`0${fraction}`) * 1000;
}

async function open(path: string): Promise<ReadableStream<Uint8Array>> {
  try {
    return (await Deno.open(path)).readable;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): UsageError {
  return new UsageError(`Cannot read --replay "${path}": ${whyUnreadable(cause)}`, { cause });
}
