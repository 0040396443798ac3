/**
 * VILLASnode's samples and their formats on the wire.
 *
 * @example A message, and how VILLASnode prints it
 * ```ts
 * import { formatVillasHuman, villasProtobuf } from "@labwire/labwire/codecs/villas";
 * import { assertMatch } from "@std/assert";
 *
 * const bytes = villasProtobuf.encode([{ type: "data", sequence: 7n, values: [1.5, 2n] }]);
 * const [sample] = villasProtobuf.decode(bytes);
 * assertMatch(formatVillasHuman(sample!), /\(7\)\t1\.50000000000000000\t2/);
 * ```
 *
 * @module
 */

export { CodecError, type CodecErrorOptions } from "../../errors.ts";
export type { Codec } from "../codec.ts";
export {
  type Complex,
  kindOf,
  type Sample,
  type Timestamp,
  type Value,
  type ValueKind,
} from "./sample.ts";
export { describeLikeness, type RecognisedFormat, recogniseFormat } from "./recognise.ts";
export { formatVillasHuman } from "./human.ts";
export { formatVillasJson } from "./json.ts";
export { formatProtobufText } from "./protobuf/text.ts";
export { parseSignals, type Signal, type SignalKind, type SignalsLike } from "./signals.ts";
export type {
  Carried,
  Format,
  MessageScanner,
  MessageSplitter,
  Replies,
  SampleDecoder,
  SampleEncoder,
  StreamDecoderOptions,
  StreamEncoderOptions,
  StreamForm,
  VillasFormat,
} from "./format.ts";
export { type FormatGroup, type FormatOptions, villasFormat, villasFormats } from "./formats.ts";
export type { GivenSettings } from "./format_row.ts";
export { villasProtobuf } from "./protobuf.ts";
export { asNode, asPeer } from "./sides.ts";
export { ColumnsDecoder, type ColumnsOptions } from "./columns/read.ts";
export {
  COLUMN_FORMS,
  type ColumnForm,
  ColumnsEncoder,
  type ColumnsEncoderOptions,
} from "./columns/write.ts";
