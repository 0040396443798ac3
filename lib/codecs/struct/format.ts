import { CodecError } from "../../errors.ts";
import {
  nativeOnly,
  type StructCode,
  structCode,
  structLetters,
  type StructPlatform,
} from "./codes.ts";
import { quoted } from "../../text/wording.ts";

/** One code of a format with its count: where its values lie and what they are. */
export interface StructItem extends Pick<StructCode, "form" | "cType"> {
  /** The code as the format has it, with its count: `30s`, `3h`, `I`. */
  readonly text: string;
  /** The code's letter. */
  readonly letter: string;
  /** Offset in bytes of the first value from the start of the struct. */
  readonly offset: number;
  /** Bytes of alignment that lie before it. */
  readonly padding: number;
  /** Values: the repeat count, 1 for `s` and `p`, 0 for `x`. */
  readonly count: number;
  /** Bytes of each value; of all of them for `x`. */
  readonly width: number;
}

/** How a format lays out bytes. */
export interface StructLayout {
  /** The format as given. */
  readonly format: string;
  /** Bytes of the struct. */
  readonly size: number;
  /** Values in it. */
  readonly fieldCount: number;
  /** Whether the least significant byte comes first. */
  readonly littleEndian: boolean;
  /** Whether native sizes and alignment are in use: the mode `@`, or no mode. */
  readonly aligned: boolean;
  /** The codes in order, including pad bytes and zero counts. */
  readonly items: readonly StructItem[];
}

/** Blanks between items, as C's `isspace()` has them. */
const blanks = " \t\n\v\f\r";
const modes = "@=<>!";

/**
 * Parses a format of Python's `struct` module.
 *
 * @param format The format, e.g. `!I30sd`.
 * @param platform Whose native sizes the mode `@` means.
 * @returns Where each value lies.
 * @throws {CodecError} If the format is wrong; the message and `offset` say at which character.
 *
 * @example The layout of a C struct
 * ```ts
 * import { parseStructFormat } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const { size, items } = parseStructFormat("@bhi0q", "linux");
 * assertEquals(size, 8);
 * assertEquals(items.map(({ text, offset }) => [text, offset]), [["b", 0], ["h", 2], ["i", 4], ["0q", 8]]);
 * ```
 */
export function parseStructFormat(
  format: string,
  platform: StructPlatform = "linux",
): StructLayout {
  const mode = format !== "" && modes.includes(format[0]!) ? format[0]! : "";
  const aligned = mode === "" || mode === "@";
  const items: StructItem[] = [];
  let size = 0;
  let fieldCount = 0;
  for (let at = mode.length; at < format.length;) {
    if (blanks.includes(format[at]!)) {
      at++;
      continue;
    }
    const [digits] = /^[0-9]*/.exec(format.slice(at))!;
    const item = layOut(format, at, digits, size, aligned, platform);
    size = item.offset + item.width * (item.form === "pad" ? 1 : item.count);
    fieldCount += item.count;
    if (!Number.isSafeInteger(size)) throw formatError(format, at, "the struct is too long");
    items.push(item);
    at += item.text.length;
  }
  // The native order is little endian on every platform there is.
  return { format, size, fieldCount, littleEndian: !">!".includes(mode || "@"), aligned, items };
}

/**
 * Tells which bytes of an item and before it belong to no value.
 *
 * @param item The item.
 * @returns Offset and length of those bytes, if there are any.
 */
export function structGap(
  { form, offset, padding, width }: StructItem,
): [offset: number, length: number][] {
  const length = padding + (form === "pad" ? width : 0);
  return length === 0 ? [] : [[offset - padding, length]];
}

function layOut(
  format: string,
  at: number,
  digits: string,
  size: number,
  aligned: boolean,
  platform: StructPlatform,
): StructItem {
  const letter = String.fromCodePoint(format.codePointAt(at + digits.length) ?? 0);
  const code = structCode(letter, aligned, platform);
  if (!code) throw codeError(format, at, at + digits.length, aligned);
  const count = digits === "" ? 1 : Number(digits);
  const offset = Math.ceil(size / code.alignment) * code.alignment;
  const { form, cType } = code;
  const one = form === "bytes" || form === "pascal";
  return {
    text: digits + letter,
    letter,
    form,
    cType,
    offset,
    padding: offset - size,
    count: one ? 1 : form === "pad" ? 0 : count,
    width: one || form === "pad" ? count : code.size,
  };
}

function codeError(format: string, start: number, at: number, aligned: boolean): CodecError {
  const letter = format[at];
  if (letter === undefined) {
    return formatError(
      format,
      start,
      `the count ${quoted(format.slice(start), 40)} has no code after it`,
    );
  }
  if (!aligned && nativeOnly.includes(letter)) {
    return formatError(format, at, `"${letter}" exists in native mode ("@") only`);
  }
  if (blanks.includes(letter)) {
    return formatError(format, at, "a blank must not follow a count");
  }
  if (modes.includes(letter)) {
    return formatError(format, at, `"${letter}" must be the first character`);
  }
  const character = JSON.stringify(String.fromCodePoint(format.codePointAt(at)!));
  return formatError(format, at, `unknown code ${character}, expected one of ${structLetters}`);
}

function formatError(format: string, at: number, reason: string): CodecError {
  return new CodecError(
    `Cannot parse struct format ${quoted(format)} at character ${at + 1}: ${reason}`,
    { offset: at },
  );
}
