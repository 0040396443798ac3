/**
 * Packed binary structs in the format language of Python's `struct` module.
 *
 * @module
 */

import { CodecError } from "../../errors.ts";
import { runningPlatform, type StructPlatform } from "./codes.ts";
import { parseStructFormat, structGap, type StructLayout } from "./format.ts";
import { parseStructFields, valueNames } from "./fields.ts";
import { misfitMessage, outsideMessage } from "./message.ts";
import { type StructRead, structReader } from "./read.ts";
import { type StructTarget, type StructWrite, structWriter } from "./write.ts";
import type {
  StructComplex,
  StructInput,
  StructInputs,
  StructValue,
  StructValues,
} from "./types.ts";
import { counted, quoted } from "../../text/wording.ts";
export type { StructComplex, StructInput, StructInputs, StructPlatform, StructValue, StructValues };

/** How {@linkcode compileStruct} understands a format and its values. */
export interface StructOptions {
  /** Whose native sizes the mode `@` means; the running system's by default. */
  platform?: StructPlatform;
  /** Return 64-bit integers as `number` if those are exact; by default they always are `bigint`. */
  safeNumbers?: boolean;
  /** Cut byte strings that are longer than their field, as Python does, instead of throwing. */
  truncate?: boolean;
  /** Names of the fields, as `parseStructFields()` reads them, for error messages instead of numbers. */
  fields?: readonly string[];
}

/** An item of the format with what reads and writes its values. */
interface Step extends StructTarget {
  readonly read: StructRead;
  readonly write: StructWrite;
  readonly offset: number;
  readonly count: number;
}

/**
 * A compiled format; {@linkcode compileStruct} makes one.
 *
 * @typeParam F The format.
 * @typeParam V What a struct is unpacked to.
 */
export class Struct<
  F extends string = string,
  V extends readonly unknown[] = StructValues<F>,
> {
  /** The format. */
  readonly format: F;
  /** Bytes of a struct. */
  readonly size: number;
  /** Values in a struct. */
  readonly fieldCount: number;
  /** Where each value lies. */
  readonly layout: StructLayout;
  readonly #steps: readonly Step[];
  readonly #gaps: readonly (readonly [offset: number, length: number])[];
  readonly #names: readonly string[] | undefined;

  /**
   * Compiles a format; {@linkcode compileStruct} finds the types of its values, too.
   *
   * @param format The format.
   * @param options How to understand it.
   * @throws {CodecError} If the format is wrong.
   * @throws {UsageError} If the names of the fields do not fit it.
   */
  constructor(format: F, options: StructOptions = {}) {
    const { platform = runningPlatform(), safeNumbers = false, truncate = false, fields } = options;
    this.format = format;
    this.layout = parseStructFormat(format, platform);
    this.size = this.layout.size;
    this.fieldCount = this.layout.fieldCount;
    const { littleEndian, aligned } = this.layout;
    this.#steps = this.layout.items.flatMap(({ form, offset, count, width }) =>
      form === "pad" || count === 0 ? [] : {
        read: structReader(form, safeNumbers),
        write: structWriter(form, aligned),
        offset,
        count,
        width,
        littleEndian,
        truncate,
      }
    );
    this.#gaps = this.layout.items.flatMap(structGap);
    this.#names = fields && valueNames(parseStructFields(fields, this.layout));
  }

  /**
   * Packs values into new bytes.
   *
   * @param values One value for each field.
   * @returns The bytes.
   * @throws {CodecError} If a value does not fit its field, or there are too few or too many.
   */
  pack(values: StructInputs<F>): Uint8Array<ArrayBuffer> {
    this.#checkCount(values);
    const bytes = this.#allocate();
    this.#write(values, new DataView(bytes.buffer), 0);
    return bytes;
  }

  /**
   * Packs values into bytes that exist. Pad bytes become zero. If it throws, some values may have been written.
   *
   * @param values One value for each field.
   * @param view Where to.
   * @param offset Offset in bytes in `view`; a negative one counts from its end.
   * @throws {CodecError} If there is no room, a value does not fit its field, or there are too few or too many.
   */
  packInto(values: StructInputs<F>, view: DataView | Uint8Array, offset: number = 0): void {
    this.#checkCount(values);
    const target = viewOf(view);
    const start = offset < 0 ? offset + target.byteLength : offset;
    if (!(start >= 0) || target.byteLength - start < this.size) {
      throw new CodecError(outsideMessage("pack", this.layout, offset, target.byteLength));
    }
    this.#write(values, target, start);
  }

  /**
   * Unpacks a struct.
   *
   * @param bytes The bytes of one struct, no more and no less.
   * @returns Its values. Byte strings are copies.
   * @throws {CodecError} If there are too few or too many bytes.
   */
  unpack(bytes: Uint8Array): V {
    if (bytes.length !== this.size) {
      throw new CodecError(
        `Cannot unpack ${this.#shown}: expected ${counted(this.size, "byte")}, got ${bytes.length}`,
        { offset: Math.min(bytes.length, this.size) },
      );
    }
    return this.#read(viewOf(bytes), 0);
  }

  /**
   * Unpacks a struct that lies among other bytes. Only the result is allocated.
   *
   * @param view The bytes.
   * @param offset Offset in bytes in `view`; a negative one counts from its end.
   * @returns The values. Byte strings are copies; short ones share an `ArrayBuffer`, but no byte of it, with others.
   * @throws {CodecError} If the struct does not lie within `view`.
   */
  unpackFrom(view: DataView | Uint8Array, offset: number = 0): V {
    const source = viewOf(view);
    const start = offset < 0 ? offset + source.byteLength : offset;
    if (!(start >= 0) || source.byteLength - start < this.size) {
      throw new CodecError(outsideMessage("unpack", this.layout, offset, source.byteLength), {
        offset: source.byteLength,
      });
    }
    return this.#read(source, start);
  }

  /**
   * Unpacks structs that lie one after another.
   *
   * @param bytes Whole structs.
   * @returns The values of each in turn.
   * @throws {CodecError} Immediately, if the last struct is not whole or the format has no bytes.
   */
  iterUnpack(bytes: Uint8Array): IterableIterator<V> {
    if (this.size === 0) {
      throw new CodecError(`Cannot unpack ${this.#shown} repeatedly: it has no bytes`);
    }
    if (bytes.length % this.size !== 0) {
      throw new CodecError(
        `Cannot unpack ${this.#shown} repeatedly: expected a multiple of ${this.size} bytes, got ${bytes.length}`,
        { offset: bytes.length - bytes.length % this.size },
      );
    }
    return this.#iterate(viewOf(bytes));
  }

  /**
   * Checks whether a value fits a field, without packing anything.
   *
   * @param index The field's number, from 0.
   * @param value The value.
   * @returns What is wrong with it, as the end of a sentence that starts with the value; undefined if it fits.
   * @throws {RangeError} If there is no such field.
   */
  misfit(index: number, value: unknown): string | undefined {
    let first = 0;
    const step = this.#steps.find(({ count }) => (first += count) > index);
    if (!step || index < 0) throw new RangeError(`${this.#shown} has no field ${index}`);
    return step.write(new DataView(new ArrayBuffer(step.width)), 0, value, step);
  }

  /** The format in quotation marks, for messages. */
  get #shown(): string {
    return quoted(this.format);
  }

  #checkCount(values: readonly unknown[]): void {
    if (values.length !== this.fieldCount) {
      throw new CodecError(
        `Cannot pack ${this.#shown}: expected ${
          counted(this.fieldCount, "value")
        }, got ${values.length}`,
      );
    }
  }

  #allocate(): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(this.size);
    } catch (cause) {
      throw new CodecError(
        `Cannot pack ${this.#shown}: no memory for ${counted(this.size, "byte")}`,
        {
          cause,
        },
      );
    }
  }

  *#iterate(view: DataView): IterableIterator<V> {
    for (let at = 0; at < view.byteLength; at += this.size) yield this.#read(view, at);
  }

  #read(view: DataView, start: number): V {
    const values = new Array<StructValue>(this.fieldCount);
    const steps = this.#steps;
    let next = 0;
    for (let i = 0; i < steps.length; i++) {
      const { read, offset, count, width, littleEndian } = steps[i]!;
      let at = start + offset;
      for (let left = count; left > 0; left--) {
        values[next++] = read(view, at, littleEndian, width);
        at += width;
      }
    }
    return values as readonly unknown[] as V;
  }

  #write(values: readonly unknown[], view: DataView, start: number): void {
    for (const [offset, length] of this.#gaps) {
      for (let at = start + offset; at < start + offset + length; at++) view.setUint8(at, 0);
    }
    let next = 0;
    for (const step of this.#steps) {
      let at = start + step.offset;
      for (let left = step.count; left > 0; left--) {
        const reason = step.write(view, at, values[next], step);
        if (reason !== undefined) {
          throw new CodecError(
            misfitMessage(this.layout, next, values[next], reason, this.#names?.[next]),
          );
        }
        next++;
        at += step.width;
      }
    }
  }
}

/**
 * Compiles a format of Python's `struct` module: everything in CPython 3.13, and the complex numbers of 3.14.
 *
 * | code | value | bytes (native) |
 * |---|---|---|
 * | `x` | none, a pad byte | 1 |
 * | `c` | `Uint8Array` of length 1 | 1 |
 * | `b` `B` `h` `H` `i` `I` `l` `L` | `number` | 1 1 2 2 4 4 4 4 (`l`, `L`: 8 but on Windows, then `bigint`) |
 * | `q` `Q`, native mode only `n` `N` `P` | `bigint` | 8 |
 * | `?` | `boolean` | 1 |
 * | `e` `f` `d` | `number` | 2 4 8 |
 * | `F` `D` | `{ re, im }` | 8 16 |
 * | `s` `p` | `Uint8Array` | the count |
 *
 * Differences from Python: text is accepted for bytes, as UTF-8. A byte string that is longer than its field is an error
 * unless `truncate` is set. The number `1.0` is an integer, since it is the same as `1` here. The payload of a NaN may
 * be lost. A struct has at most 2⁵³ − 1 bytes.
 *
 * @typeParam F The format; a literal gives typed values.
 * @param format The format, e.g. `!I30sd`.
 * @param options How to understand it.
 * @returns What packs and unpacks it.
 * @throws {CodecError} If the format is wrong; the message and `offset` say at which character.
 * @throws {UsageError} If the names of the fields do not fit it.
 *
 * @example Pack and unpack
 * ```ts
 * import { compileStruct } from "@labwire/labwire/codecs/struct";
 * import { assertEquals } from "@std/assert";
 *
 * const record = compileStruct("!I5sd");
 * const bytes = record.pack([3, "hello", 0.5]);
 * const [repetitions, text, pause] = record.unpack(bytes);
 * assertEquals(bytes.length, record.size);
 * assertEquals([repetitions, new TextDecoder().decode(text), pause], [3, "hello", 0.5]);
 * ```
 */
export function compileStruct<F extends string, O extends StructOptions = StructOptions>(
  format: F,
  options?: O,
): Struct<F, StructValues<F, O extends { readonly safeNumbers: true } ? true : false>> {
  return new Struct(format, options);
}

function viewOf(bytes: DataView | Uint8Array): DataView {
  if (bytes instanceof DataView) return bytes;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A compiled format whose fields are not known before the program runs. */
export type AnyStruct = Struct<string, StructValue[]>;
