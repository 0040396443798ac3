/**
 * JSON text as VILLASnode writes it (by the library jansson), and as it is to be read.
 *
 * @module
 */

import { CodecError } from "../../../errors.ts";
import { printGeneral } from "../../../text/printf.ts";
import type { Value } from "../sample.ts";
import { flag, whole } from "../settings.ts";
import { checkComplex } from "../text_values.ts";

/** The settings that all formats of JSON have. */
export const JSON_SETTINGS = {
  indent: whole(0, 0, 31),
  compact: flag(false),
  ensure_ascii: flag(false),
  escape_slash: flag(false),
  sort_keys: flag(false),
} as const;

/** How JSON is written. */
export interface JsonStyle {
  /** Blanks for each level, on a line of its own; 0 writes all in one line. */
  readonly indent: number;
  /** Whether there is no blank after a comma and a colon. */
  readonly compact: boolean;
  /** Whether only ASCII is written. */
  readonly ensure_ascii: boolean;
  /** Whether a slash gets a backslash. */
  readonly escape_slash: boolean;
  /** Whether names are sorted. */
  readonly sort_keys: boolean;
  /** Digits of a float that count. */
  readonly real_precision: number;
}

/** JSON to be written: a text that is JSON already, a list, or names with what they stand for. */
export type Tree = string | readonly Tree[] | ReadonlyMap<string, Tree>;

/** Writes JSON in some style. */
export function writeTree(tree: Tree, style: JsonStyle, depth = 0): string {
  if (typeof tree === "string") return tree;
  const blank = style.indent > 0
    ? "\n" + " ".repeat(style.indent * (depth + 1))
    : style.compact
    ? ""
    : " ";
  const first = style.indent > 0 ? blank : "";
  const last = style.indent > 0 ? "\n" + " ".repeat(style.indent * depth) : "";
  if (Array.isArray(tree)) {
    if (tree.length === 0) return "[]";
    const items = tree.map((item) => writeTree(item, style, depth + 1));
    return `[${first}${items.join("," + blank)}${last}]`;
  }
  const members = [...tree as ReadonlyMap<string, Tree>];
  if (members.length === 0) return "{}";
  if (style.sort_keys) members.sort(([a], [b]) => a < b ? -1 : 1);
  const colon = style.compact ? ":" : ": ";
  const written = members.map(([name, value]) =>
    writeString(name, style) + colon + writeTree(value, style, depth + 1)
  );
  return `{${first}${written.join("," + blank)}${last}}`;
}

/** Writes a text in quotes. */
export function writeString(text: string, style: JsonStyle): string {
  let json = JSON.stringify(text).replace(
    /\\u[0-9a-f]{4}/g,
    (escape) => "\\u" + escape.slice(2).toUpperCase(),
  );
  if (style.escape_slash) json = json.replaceAll("/", "\\/");
  if (!style.ensure_ascii) return json;
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0"),
  );
}

/** Writes a float: with a point or an exponent always, by which VILLASnode knows it from an integer. */
export function writeReal(value: number, style: JsonStyle): string {
  const size = Math.abs(value);
  const all = style.real_precision === 17;
  if (all && size < 2 ** 20 && isWhole(size * 1024)) {
    // All its digits are no more than 17: the shortest text has them.
    const text = String(value);
    if (size !== Math.floor(size)) return text;
    return Object.is(value, -0) ? "-0.0" : `${text}.0`;
  }
  if (all && size >= 1e-4 && size < 1e15 && !isWhole(size * 2 ** 25)) {
    // Of others, the 18th digit may be a 5 that is the last one, which C and JavaScript round in their own ways.
    const text = value.toPrecision(17);
    let end = text.length;
    while (text.charCodeAt(end - 1) === 0x30) end--;
    if (end === text.length) return text;
    return text.slice(0, text.charCodeAt(end - 1) === 0x2e ? end + 1 : end);
  }
  const text = printGeneral(value, style.real_precision || 17);
  const e = text.indexOf("e");
  if (e < 0) return text.includes(".") ? text : text + ".0";
  const exponent = Number(text.slice(e + 1));
  return `${text.slice(0, e)}e${exponent}`;
}

function isWhole(number: number): boolean {
  return number === Math.floor(number);
}

/** Writes a value as text; see {@linkcode jsonValue}. */
export function jsonText(value: Value, index: number, name: string, style: JsonStyle): string {
  if (typeof value === "number" && value - value === 0) return writeReal(value, style);
  return writeTree(jsonValue(value, index, name, style), style);
}

/**
 * Writes a value.
 *
 * @param value The value.
 * @param index Which one of the sample it is.
 * @param name The format's name.
 * @param style How JSON is written.
 * @throws {CodecError} If JSON has no such value.
 */
export function jsonValue(value: Value, index: number, name: string, style: JsonStyle): Tree {
  switch (typeof value) {
    case "number":
      if (Number.isFinite(value)) return writeReal(value, style);
      break;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return value.toString();
      throw new CodecError(
        `Cannot encode value ${index} ${value}: expected an integer from -2^63 to 2^63 - 1`,
      );
    case "boolean":
      return value ? "true" : "false";
    default:
      checkComplex(value, index, name);
      if (!Number.isFinite(value.real) || !Number.isFinite(value.imag)) break;
      return new Map([
        ["real", writeReal(value.real, style)],
        ["imag", writeReal(value.imag, style)],
      ]);
  }
  throw notFinite(value, index, name);
}

/** Says that JSON has no NaN and no infinities, and what has. */
export function notFinite(value: Value, index: number, name: string): CodecError {
  return new CodecError(
    `Cannot encode value ${index} ${
      Deno.inspect(value)
    } as ${name}: expected a finite number, JSON has no other; protobuf and villas.human carry it`,
  );
}
