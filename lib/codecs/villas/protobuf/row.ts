/**
 * The row of VILLASnode's format `protobuf` in the table, and its stream form: messages one after another, which are one message, too.
 *
 * @module
 */

import { ALL, carriedBy, formatRow } from "../format_row.ts";
import { MeasuredSplitter, messageStream } from "../message_stream.ts";
import { villasProtobuf } from "../protobuf.ts";
import { SAMPLE } from "./wire.ts";
import type { Sample } from "../sample.ts";
import type { COMMON, SettingsOf } from "../settings.ts";

/** Bytes in which a length is written at most. */
const LONGEST_LENGTH = 5;

/** The row of VILLASnode's format `protobuf`. */
export const protobufRow = formatRow("protobuf", {}, (settings) => {
  const codec = { ...villasProtobuf, encode: encoderFor(settings) };
  const splitter = (maxBytes?: number) => new MeasuredSplitter("protobuf", measure, maxBytes);
  return {
    carried: { ...ALL, ...carriedBy(settings), received: settings.ts_received },
    text: false,
    ...codec,
    stream: messageStream(codec, splitter),
    splitter,
  };
});

/** Writes samples without the fields that the settings leave out. */
function encoderFor({ ts_origin, ts_received, sequence }: SettingsOf<typeof COMMON>) {
  const { encode } = villasProtobuf;
  if (ts_origin && ts_received && sequence) return encode;
  return (samples: Sample[]) =>
    encode(samples.map((sample) => {
      const left = { ...sample };
      if (!ts_origin) delete left.origin;
      if (!ts_received) delete left.received;
      if (!sequence) delete left.sequence;
      return left;
    }));
}

/** The length of one sample with its tag and its length. */
function measure(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== SAMPLE) return -1;
  let length = 0;
  for (let i = 0; i < LONGEST_LENGTH; i++) {
    const at = start + 1 + i;
    if (at >= end) return 0;
    const byte = bytes[at]!;
    length += (byte & 127) * 128 ** i;
    if (byte < 128) return 2 + i + length;
  }
  return -1;
}
