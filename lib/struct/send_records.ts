import type { AnyStruct } from "../codecs/struct/struct.ts";
import type { StructInput } from "../codecs/struct/types.ts";
import { RecordReader, type RecordReaderOptions } from "./record_reader.ts";

/** How many records may be sent before the system must have accepted one of them: about 64 KiB. */
export function sendWindow({ size }: AnyStruct): number {
  return Math.max(1, Math.floor(65536 / size));
}

/** What happened to the records that were to be sent. */
export interface SentRecords {
  /** Records that were to be sent. */
  sent: number;
  /** Those of them for which nobody was connected. */
  unsent: number;
  /** Lines that were not records. */
  refused: number;
  /** Lines that were there and not sent, or not taken, as sending had come to its end before. */
  left: number;
  /** The number of the first of them; 0 if there are none. */
  leftFrom: number;
  /** Whether the input has come to its end, and had lines, but not one record. */
  barren: boolean;
}

/** What has happened at the beginning. */
export const NOTHING: Readonly<SentRecords> = {
  ...{ sent: 0, unsent: 0, refused: 0, left: 0, leftFrom: 0, barren: false },
};

/** Where {@linkcode sendRecords} sends. */
export interface RecordSending {
  /** Sends one record; whether it was taken. */
  readonly send: (values: StructInput[]) => Promise<boolean>;
  /** Aborted when sending is at its end: what is not taken any more is no fault, and further lines are only counted. */
  readonly signal: AbortSignal;
  /** Called with the number of each line whose record nobody took. */
  readonly onUnsent: (line: number) => void;
  /** Called with each line that is no record. */
  readonly onBad: (error: Error, line: number) => void;
  /** Called for each line that is read. */
  readonly onLine?: () => void;
}

/**
 * Sends records that come as lines of JSON or CSV, no faster than they are taken.
 *
 * @param lines The lines, each valid until the next one is requested.
 * @param struct The format of the records.
 * @param reading What the lines are.
 * @param sending Where to send them.
 * @returns What happened to them, at the end of the lines.
 */
export async function sendRecords(
  lines: AsyncIterable<Uint8Array>,
  struct: AnyStruct,
  reading: RecordReaderOptions,
  { send, signal, onUnsent, onBad, onLine }: RecordSending,
): Promise<SentRecords> {
  const result = { ...NOTHING };
  const window = sendWindow(struct);
  let number = 0;
  let waited = 0;
  let last: Promise<boolean> | undefined;
  const leave = (line: number) => {
    result.left++;
    result.leftFrom = Math.min(result.leftFrom || line, line);
  };
  const onSent = (line: number, taken: boolean) => {
    if (taken) return;
    if (signal.aborted) return leave(line);
    result.unsent++;
    onUnsent(line);
  };
  const reader = new RecordReader(struct, reading, {
    onRecord(values) {
      const line = number;
      last = send(values);
      last.then((taken) => onSent(line, taken));
      result.sent++;
    },
    onBad(error, line) {
      result.refused++;
      onBad(error, line);
    },
  });
  for await (const line of lines) {
    number++;
    if (signal.aborted) {
      if (line.length > 0) leave(number);
      continue;
    }
    onLine?.();
    reader.push(line);
    if (result.sent - waited < window) continue;
    waited = result.sent;
    await last;
  }
  reader.end();
  result.barren = number > 0 && result.sent === 0 && !signal.aborted;
  await last;
  return result;
}
