import { UsageError } from "../../errors.ts";
import type { StructItem, StructLayout } from "./format.ts";
import { counted, quoted, shorten } from "../../text/wording.ts";

/** Maximum number of values in a record that is kept in memory. */
const MOST_VALUES = 2 ** 24;
/** Maximum number of fields in a suggestion. */
const MOST_SUGGESTED = 10;

/** A named field of a record: one value, or an array of several. */
export interface StructField {
  /** Its name. */
  readonly name: string;
  /** The number of its first value in the record, from 0. */
  readonly first: number;
  /** Values in the array; absent where the field is no array. */
  readonly count?: number;
}

/**
 * Reads names of fields: `name` stands for one value, `name*4` for an array of four of the same code, and `name*` for an array of
 * as many as the item of the format has left.
 *
 * @param names The names in order.
 * @param layout The format that they are for.
 * @returns The fields.
 * @throws {UsageError} If the names do not fit the format (the message may suggest names that do), or one occurs twice.
 *
 * @example An array
 * ```ts
 * import { parseStructFields, parseStructFormat } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const fields = parseStructFields(["n", "arr*4"], parseStructFormat("<I4d"));
 * assertEquals(fields, [{ name: "n", first: 0 }, { name: "arr", first: 1, count: 4 }]);
 * ```
 */
export function parseStructFields(
  names: readonly string[],
  layout: StructLayout,
): readonly StructField[] {
  const items = layout.items.filter(({ count }) => count > 0);
  const refuse = (reason: string, hint = suggestion(names, items)) =>
    new UsageError(`Cannot name the fields of ${quoted(layout.format)}: ${reason}${hint}`);
  const left = new Values(items);
  let first = 0;
  const fields = names.map((text): StructField => {
    const { name, length } = takeApart(text);
    const shown = quoted(text, 40);
    if (name === "") throw refuse(`${shown} has no name before its count`);
    if (length === undefined) {
      left.take(1);
      return { name, first: first++ };
    }
    const count = length === "rest" ? left.inItem : length;
    if (count === 0) throw refuse(`${shown} has no values`);
    const others = left.take(count);
    if (others) {
      throw refuse(`${shown} stands for values of different codes, "${others.join('" and "')}"`);
    }
    first += count;
    return { name, first: first - count, count };
  });
  if (first !== layout.fieldCount) throw refuse(wrongCount(names, layout, first));
  checkNames(fields, refuse);
  return fields;
}

/**
 * The names of the values in fields: those of an array are numbered, as in `arr[0]`.
 *
 * @param fields The fields.
 * @returns One name for each value.
 */
export function valueNames(fields: readonly StructField[]): string[] {
  const names: string[] = [];
  for (const { name, count } of fields) {
    if (count === undefined) names.push(name);
    for (let i = 0; i < (count ?? 0); i++) names.push(`${name}[${i}]`);
  }
  return names;
}

/**
 * The name of the time of arrival among the fields: `time`, with as many leading underscores as it takes to differ from their names.
 *
 * @param names The names of the fields.
 */
export function timeName(names: Iterable<string>): string {
  const taken = new Set(names);
  let name = "time";
  while (taken.has(name)) name = `_${name}`;
  return name;
}

/**
 * Checks that a record can be kept in memory as values.
 *
 * @param layout The format.
 * @throws {UsageError} If it has more than 16,777,216 of them.
 */
export function checkValueCount(
  { format, fieldCount }: Pick<StructLayout, "format" | "fieldCount">,
): void {
  if (fieldCount <= MOST_VALUES) return;
  throw new UsageError(
    `Cannot use ${
      quoted(format)
    } for records: it has ${fieldCount} values, more than ${MOST_VALUES}`,
  );
}

/** Consumes the values of a format. */
class Values {
  readonly #items: readonly StructItem[];
  #at = 0;
  #used = 0;

  constructor(items: readonly StructItem[]) {
    this.#items = items;
  }

  /** Values that the current item has left. */
  get inItem(): number {
    return (this.#items[this.#at]?.count ?? 0) - this.#used;
  }

  /**
   * Consumes some values, or as many as there are.
   *
   * @returns Two codes, if the values do not all have the same code.
   */
  take(count: number): [string, string] | undefined {
    const code = this.#items[this.#at]?.letter;
    for (let left = count; left > 0 && this.#at < this.#items.length;) {
      const { letter } = this.#items[this.#at]!;
      if (letter !== code) return [code!, letter];
      const taken = Math.min(left, this.inItem);
      left -= taken;
      this.#used += taken;
      if (this.inItem > 0) continue;
      this.#at++;
      this.#used = 0;
    }
  }
}

function takeApart(text: string): { name: string; length?: number | "rest" } {
  const star = text.lastIndexOf("*");
  const digits = text.slice(star + 1);
  if (star < 0 || /[^0-9]/.test(digits)) return { name: text };
  return { name: text.slice(0, star), length: digits === "" ? "rest" : Number(digits) };
}

function wrongCount(
  names: readonly string[],
  { fieldCount, items }: StructLayout,
  named: number,
): string {
  const plain = named === names.length && items.every(({ count }) => count <= 1);
  return plain
    ? `expected ${counted(fieldCount, "name")}, got ${named}`
    : `it has ${counted(fieldCount, "value")}, the names stand for ${
      Number.isSafeInteger(named) ? named : "far more"
    }`;
}

/** Names that would fit, if there are arrays in the format. */
function suggestion(names: readonly string[], items: readonly StructItem[]): string {
  if (items.length > MOST_SUGGESTED || items.every(({ count }) => count === 1)) return "";
  const fitting = items.map(({ count }, i) => {
    const name = takeApart(names[i] ?? "").name || `field${i + 1}`;
    return shorten(name, 30) + (count === 1 ? "" : `*${count}`);
  });
  return `; ${fitting.join(",")} would fit`;
}

/** Checks that names of values and arrays are unique. */
function checkNames(
  fields: readonly StructField[],
  refuse: (reason: string, hint: string) => UsageError,
): void {
  const seen = new Set<string>();
  const arrays = fields.filter(({ count }) => count !== undefined);
  for (const name of [...fields.map(({ name }) => name), ...valueNames(arrays)]) {
    if (seen.has(name)) throw refuse(`${quoted(name, 40)} is given twice`, "");
    seen.add(name);
  }
}
