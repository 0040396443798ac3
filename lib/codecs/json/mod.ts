/**
 * JSON that keeps every digit: integers of any size as `bigint`, errors with their place.
 *
 * @example A serial number that does not fit a float
 * ```ts
 * import { parseJson, stringifyJson } from "@labwire/labwire/codecs/json";
 * import { assertEquals } from "@std/assert";
 *
 * const message = parseJson('{"serial": 12345678901234567890}');
 * assertEquals(message, { serial: 12345678901234567890n });
 * assertEquals(stringifyJson(message), '{"serial":12345678901234567890}');
 * ```
 *
 * @module
 */

export { CodecError, type CodecErrorOptions } from "../../errors.ts";
export type { Codec } from "../codec.ts";
export {
  createJsonCodec,
  jsonCodec,
  type JsonCodecOptions,
  type JsonValue,
  parseJson,
  stringifyJson,
} from "./json.ts";
export { JsonText } from "./text.ts";
