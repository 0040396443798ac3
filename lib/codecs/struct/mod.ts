/**
 * Records in the notation of Python's `struct`, byte for byte as Python packs them; also as lines of JSON and CSV.
 *
 * @example A record, its bytes, and its line of JSON
 * ```ts
 * import { compileStruct, StructJson } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const record = compileStruct("!Hd");
 * const bytes = record.pack([3, 0.5]);
 * assertEquals(bytes.toHex(), "00033fe0000000000000");
 * assertEquals(new StructJson(record).stringify(record.unpack(bytes)), "[3,0.5]");
 * ```
 *
 * @module
 */

export { CodecError, type CodecErrorOptions, UsageError } from "../../errors.ts";
export {
  compileStruct,
  Struct,
  type StructComplex,
  type StructInput,
  type StructInputs,
  type StructOptions,
  type StructPlatform,
  type StructValue,
  type StructValues,
} from "./struct.ts";
export { StructCsv, type StructCsvOptions } from "./csv.ts";
export { parseStructFields, type StructField } from "./fields.ts";
export { parseStructFormat, type StructItem, type StructLayout } from "./format.ts";
export { type StructBytes, StructJson, type StructJsonOptions } from "./json.ts";
