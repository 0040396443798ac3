/**
 * Samples on their way to a module in Python, and its replies on their way back. Samples of floats, as many in each, travel as a table,
 * which numpy takes as it is; all others as lists.
 *
 * @module
 */

import type { Sample, Timestamp, Value } from "../../codecs/villas/sample.ts";
import { type Marshalled, MarshalWriter, readMarshal } from "./marshal.ts";

/** Bytes of the head: the form, how many samples there are, and how many values in each. */
const HEAD = 9;
/** Bytes of what is known of a sample beside its values; `META` of `host.py`. */
const META = 40;
const HAS_SEQUENCE = 1;
const HAS_ORIGIN = 2;
const HAS_RECEIVED = 4;
const HAS_FRAME = 8;
const NEW_FRAME = 16;
const START = 32;
const STOP = 64;

/** A reply to one sample. */
export interface SampleReply {
  /** Which sample it answers. */
  readonly index: number;
  /** The reply; nothing of it has been checked but that there are values. */
  readonly sample: Partial<Omit<Sample, "values">> & { readonly values: readonly Value[] };
}

/** What the handler has raised for a message. */
export interface SampleFault {
  /** Which message. */
  readonly message: number;
  /** Whether it returned something that cannot be sent, rather than that it raised something. */
  readonly refused: boolean;
  /** What is wrong. */
  readonly text: string;
  /** File and line in the user's code, where they are known. */
  readonly place?: string;
  /** The traceback. */
  readonly trace?: string;
}

/** What a module makes of samples. */
export interface SampleReplies {
  /** The replies; those to one message are in the order in which they are to be sent. */
  readonly replies: readonly SampleReply[];
  /** What was raised. */
  readonly faults: readonly SampleFault[];
}

/**
 * Writes samples for Python.
 *
 * @param samples The samples.
 * @param messages The number of the message that each came in.
 * @param received When each message arrived, for samples that do not say it themselves.
 */
export function encodeSamples(
  samples: readonly Sample[],
  messages: readonly number[],
  received: readonly Timestamp[],
): Uint8Array {
  const width = samples[0]?.values.length ?? 0;
  const table = samples.every(({ values }) =>
    values.length === width && values.every((value) => typeof value === "number")
  );
  const lists = table ? undefined : listsOf(samples);
  const start = HEAD + samples.length * META;
  const bytes = new Uint8Array(start + (lists?.length ?? samples.length * width * 8));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, table ? 1 : 0);
  view.setUint32(1, samples.length, true);
  view.setUint32(5, width, true);
  samples.forEach((sample, i) => {
    writeMeta(view, HEAD + i * META, sample, messages[i]!, received[messages[i]!]);
  });
  if (lists) bytes.set(lists, start);
  else writeTable(view, start, samples);
  return bytes;
}

function writeTable(view: DataView, start: number, samples: readonly Sample[]): void {
  let at = start;
  for (const { values } of samples) {
    for (let i = 0; i < values.length; i++, at += 8) {
      view.setFloat64(at, values[i] as number, true);
    }
  }
}

function listsOf(samples: readonly Sample[]): Uint8Array {
  const writer = new MarshalWriter();
  writer.list(samples.length);
  for (const { values } of samples) {
    writer.list(values.length);
    for (const value of values) writer.value(value);
  }
  return writer.bytes;
}

function writeMeta(
  view: DataView,
  at: number,
  sample: Sample,
  message: number,
  arrived: Timestamp | undefined,
): void {
  const { type, sequence, origin, received = arrived, newFrame } = sample;
  let flags = type === "start" ? START : type === "stop" ? STOP : 0;
  if (sequence !== undefined) {
    flags |= HAS_SEQUENCE;
    view.setBigUint64(at + 8, sequence, true);
  }
  if (origin) {
    flags |= HAS_ORIGIN;
    writeTime(view, at + 16, at + 32, origin);
  }
  if (received) {
    flags |= HAS_RECEIVED;
    writeTime(view, at + 24, at + 36, received);
  }
  if (newFrame !== undefined) flags |= HAS_FRAME | (newFrame ? NEW_FRAME : 0);
  view.setUint32(at, flags, true);
  view.setUint32(at + 4, message, true);
}

function writeTime(view: DataView, sec: number, nsec: number, time: Timestamp): void {
  // The two halves of a 64-bit integer, as a BigInt would cost more than all the rest.
  view.setUint32(sec, time.sec >>> 0, true);
  view.setInt32(sec + 4, Math.floor(time.sec / 2 ** 32), true);
  view.setUint32(nsec, time.nsec, true);
}

/**
 * Reads what Python makes of samples.
 *
 * @param payload What it has written.
 * @param samples The samples that it was given.
 * @param messages The number of the message that each came in.
 * @param received When each message arrived: what a reply only has from there, it does not have.
 * @throws {RangeError} If it is something else.
 */
export function decodeReplies(
  payload: Uint8Array,
  samples: readonly Sample[],
  messages: readonly number[],
  received: readonly Timestamp[],
): SampleReplies {
  if (payload[0] === 1) return { replies: tableOf(payload, samples), faults: [] };
  const [replies, faults] = readMarshal(
    payload.subarray(1),
  ) as readonly (readonly Marshalled[][])[];
  return {
    replies: replies!.map((parts) => {
      const reply = replyOf(parts);
      if (!samples[reply.index]?.received) {
        leaveOut(reply.sample, received[messages[reply.index]!]);
      }
      return reply;
    }),
    faults: faults!.map(faultOf),
  };
}

function tableOf(payload: Uint8Array, samples: readonly Sample[]): SampleReply[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const width = view.getUint32(5, true);
  let at = HEAD;
  return samples.map((_, index) => {
    const values: number[] = [];
    for (let i = 0; i < width; i++, at += 8) values.push(view.getFloat64(at, true));
    return { index, sample: { values } };
  });
}

function replyOf(parts: readonly Marshalled[]): SampleReply {
  const [index, type, values, sequence, origin, received, newFrame] = parts;
  // Whether they are what they should be is checked by whoever sends them.
  const sample: Record<string, unknown> = { type, values };
  if (sequence !== null) sample.sequence = sequence;
  sample.origin = origin === null ? undefined : timeOf(origin);
  sample.received = received === null ? undefined : timeOf(received);
  sample.newFrame = newFrame === null ? undefined : newFrame;
  return { index: Number(index), sample: sample as unknown as SampleReply["sample"] };
}

/** Lets a reply say when it was received only where the handler has said so. */
function leaveOut(sample: { received?: Timestamp }, arrived: Timestamp | undefined): void {
  const { received } = sample;
  if (received?.sec === arrived?.sec && received?.nsec === arrived?.nsec) delete sample.received;
}

function timeOf(pair: Marshalled | undefined): unknown {
  if (!Array.isArray(pair) || pair.length !== 2) return pair;
  return { sec: Number(pair[0]), nsec: Number(pair[1]) };
}

function faultOf([message, refused, text, place, trace]: readonly Marshalled[]): SampleFault {
  return {
    message: Number(message),
    refused: Boolean(refused),
    text: String(text),
    ...place === null ? {} : { place: String(place) },
    ...trace === null ? {} : { trace: String(trace) },
  };
}
