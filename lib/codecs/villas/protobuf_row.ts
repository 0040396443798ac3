/**
 * The row of VILLASnode's format `protobuf` in the table, and its stream form: messages one after another, which are one message, too.
 *
 * @module
 */

import { ALL, formatRow } from "./format_row.ts";
import { MeasuredSplitter, messageStream } from "./message_stream.ts";
import { villasProtobuf } from "./protobuf.ts";
import { SAMPLE } from "./protobuf_wire.ts";

/** Bytes in which a length is written at most. */
const LONGEST_LENGTH = 5;

/** The row of VILLASnode's format `protobuf`. */
export const protobufRow = formatRow("protobuf", {}, () => {
  const splitter = (maxBytes?: number) => new MeasuredSplitter("protobuf", measure, maxBytes);
  return {
    carried: { ...ALL, received: true },
    text: false,
    ...villasProtobuf,
    stream: messageStream(villasProtobuf, splitter),
    splitter,
  };
});

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
