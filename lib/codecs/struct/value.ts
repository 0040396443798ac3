import { CodecError } from "../../errors.ts";
import { type JsonValue, parseJson, stringifyJson } from "../json/json.ts";
import type { StructComplex, StructInput } from "./types.ts";
import { quoted, shorten } from "../../text/wording.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads the text of a byte string. The zero bytes at the end of an `s` are padding; those of a `p` or `c` are not.
 *
 * @param bytes The field.
 * @param letter The code.
 * @param always Replace invalid UTF-8 with U+FFFD.
 * @returns The text; `undefined` if the bytes are not text.
 */
export function fieldText(bytes: Uint8Array, letter: string, always = false): string | undefined {
  let length = bytes.length;
  if (letter === "s") { while (length > 0 && bytes[length - 1] === 0) length--; }
  const ascii = length <= SHORT ? asciiText(bytes, length) : undefined;
  if (ascii !== undefined) return ascii;
  try {
    return (always ? lenient : strict).decode(bytes.subarray(0, length));
  } catch {
    return undefined;
  }
}

/** ASCII texts up to this length are read here: calling a decoder takes longer. */
const SHORT = 64;
/** Integers of more digits fit no field. */
const MANY_DIGITS = 100;

function asciiText(bytes: Uint8Array, length: number): string | undefined {
  let text = "";
  for (let i = 0; i < length; i++) {
    const code = bytes[i]!;
    if (code >= 128) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}

/**
 * Reads a value of a record in JSON. Unknown forms are returned as they are, for packing to refuse.
 *
 * @param value The parsed JSON.
 * @param letter The field's code.
 * @returns The value to be packed.
 * @throws {CodecError} If encoded bytes are invalid, a boolean is something else, or a number is too large.
 */
export function readJsonValue(value: JsonValue, letter: string): StructInput {
  if ("csp".includes(letter)) return readBytes(value);
  if ("efd".includes(letter)) return readFloat(value);
  if (letter === "?" && typeof value !== "boolean") return readTruth(stringifyJson(value));
  if (!"FD".includes(letter)) return value as StructInput;
  if (isObject(value)) {
    const { re = value.real, im = value.imag } = value;
    if (re !== undefined && im !== undefined) {
      return { re: readFloat(re), im: readFloat(im) } as StructComplex;
    }
  }
  return typeof value === "number" ? readFloat(value) : value as StructInput;
}

function readBytes(value: JsonValue): StructInput {
  if (!isObject(value)) return value as StructInput;
  const [[form, digits] = [], ...more] = Object.entries(value);
  if (typeof digits !== "string" || more.length > 0 || (form !== "hex" && form !== "base64")) {
    const shown = shorten(stringifyJson(value), 60);
    throw new CodecError(
      `Cannot read bytes ${shown}: expected text, {"hex": "…"} or {"base64": "…"}`,
    );
  }
  return decodeBytes(digits, form);
}

/**
 * Decodes bytes from ASCII.
 *
 * @param digits The text.
 * @param form Its encoding.
 * @returns The bytes.
 * @throws {CodecError} If the text is not in that encoding.
 */
export function decodeBytes(digits: string, form: "hex" | "base64"): Uint8Array {
  try {
    return form === "hex" ? Uint8Array.fromHex(digits) : Uint8Array.fromBase64(digits);
  } catch (cause) {
    throw new CodecError(`Cannot read bytes ${quoted(digits, 40)}: not ${form}`, { cause });
  }
}

const specials = new Map([["nan", NaN], ["inf", Infinity], ["infinity", Infinity]]);

function readFloat(value: JsonValue): StructInput {
  const [, sign, name] = typeof value === "string" && /^([+-]?)([a-z]+)$/i.exec(value) || [];
  const special = specials.get(name?.toLowerCase() ?? "");
  if (special === undefined) return value as StructInput;
  return sign === "-" ? -special : special;
}

/**
 * Reads a value that a person typed. Unknown forms are returned as they are, for packing to refuse.
 *
 * @param text What was typed: a number as JavaScript or Python writes it, `true` or `false`, any text for bytes.
 * @param letter The field's code.
 * @returns The value to be packed.
 * @throws {CodecError} If bytes given as `{"hex": "…"}` or `{"base64": "…"}` are invalid, a boolean is something else, or a number is
 * larger than a double can be.
 */
export function readTypedValue(text: string, letter: string): StructInput {
  if ("csp".includes(letter)) {
    return /^\s*\{\s*"(hex|base64)"\s*:/.test(text) ? readBytes(parseJson(text)) : text;
  }
  const word = text.trim();
  if (letter === "?") return readTruth(word);
  if ("FD".includes(letter)) return readComplex(word) ?? text;
  if ("efd".includes(letter)) return readNumber(word) ?? readFloat(word);
  return /^[+-]?(\d+|0x[0-9a-f]+)$/i.test(word) ? readInteger(word) : readNumber(word) ?? text;
}

/** Packing accepts any value as a boolean, as Python does; here that would only hide a mistake. */
function readTruth(word: string): boolean {
  if (/^(true|yes|1)$/i.test(word)) return true;
  if (/^(false|no|0)$/i.test(word)) return false;
  const shown = word.startsWith('"') ? shorten(word, 40) : quoted(word, 40);
  throw new CodecError(`Cannot read boolean ${shown}: expected true or false`);
}

/** An integer with too many digits for any field is cut, but is still too large: reading all digits would take long. */
function readInteger(word: string): bigint {
  const [, sign, prefix = "", digits] = /^([+-]?)(0x)?0*(.*)$/i.exec(word)!;
  const size = BigInt(`${prefix}${digits!.slice(0, MANY_DIGITS) || "0"}`);
  return sign === "-" ? -size : size;
}

function readNumber(word: string): number | undefined {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(word)) return undefined;
  const number = Number(word);
  if (Number.isFinite(number)) return number;
  throw new CodecError(`Cannot read number ${quoted(word, 40)}: it is larger than a double can be`);
}

/** `{"re":1,"im":2}`, a number, or as Python writes it: `1+2j`. */
function readComplex(word: string): StructInput | undefined {
  if (word.startsWith("{")) return readJsonValue(parseJson(word), "D");
  const [, re = "", im] = /^\(?(.*?)(?:((?:^|[+-])[^+-]*(?:e[+-]\d+)?)j)?\)?$/i.exec(word)!;
  if (re === "" && im === undefined) return undefined;
  const imag = im?.replace(/^[+-]?$/, "$&1") ?? "0"; // as in 2+j
  const [a, b] = [re || "0", imag].map((part) => readNumber(part) ?? readFloat(part));
  return typeof a === "number" && typeof b === "number" ? { re: a, im: b } : undefined;
}

function isObject(value: JsonValue): value is { [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
