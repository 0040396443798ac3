import { CodecError, messageOf } from "../../errors.ts";
import { JsonText } from "./text.ts";

/** Provided by the platform, but not declared in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * Occurs in the text if the value has NaN, an infinity, −0, bytes or something that JSON does not have, such as a Map, which
 * `JSON.stringify()` writes as `null`, `0`, `{"0":…` and `{}`.
 */
const CHANGED = /null|\{\}|\{"0":|"Buffer"|(?:^|[[:,])0(?:$|[,\]}])/;

/**
 * Writes a value as JSON in one line.
 *
 * @param value The value; `toJSON()` methods are honoured, and a {@linkcode JsonText} is written as it is. A `Uint8Array` is written as
 * base64, any other typed array as an array of numbers.
 * @param name The name of the value in errors.
 * @returns The text.
 * @throws {CodecError} If JSON cannot represent the value.
 */
export function writeJson(value: unknown, name: string): string {
  if (value instanceof JsonText) return value.text;
  let text: string | undefined;
  try {
    text = tryWrite(value, name);
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    const why = cause instanceof RangeError
      ? "it nests too deep or is too long"
      : cause instanceof TypeError && cause.message.includes("circular")
      ? "it contains itself"
      : messageOf(cause);
    throw cannotWrite(why, cause);
  }
  if (text === undefined) throw cannotWrite(`JSON has no form of ${typeof value}`);
  return text;
}

function tryWrite(value: unknown, name: string): string | undefined {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError) || !error.message.includes("BigInt")) throw error;
    return new Writer(name).write(value);
  }
  const plain = text === undefined ||
    !(value instanceof Error) && (!CHANGED.test(text) || !isUnusual(value));
  return plain ? text : new Writer(name).write(value);
}

/** Whether a value contains what `JSON.stringify()` changes, or an object with its own `toJSON()`. */
function isUnusual(value: unknown): boolean {
  if (typeof value === "number") return value === 0 ? Object.is(value, -0) : !isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(isUnusual);
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return true;
  if (value instanceof Number || ArrayBuffer.isView(value) || isNothing(value)) return true;
  return Object.values(value).some(isUnusual);
}

/** What has no form in JSON, and what makes a plain value of it. */
const PLAIN: Readonly<Record<string, string>> = {
  Map: "Object.fromEntries(map)",
  Set: "[...set]",
  Promise: "await promise",
  Error: "error.message; an error that is thrown fails the message",
  Generator: "[...generator]",
  AsyncGenerator: "await Array.fromAsync(generator)",
  ArrayBuffer: "new Uint8Array(buffer)",
  DataView: "new Uint8Array(view.buffer)",
  RegExp: "regexp.source",
};

/** What an object is, as JavaScript calls it; a class of the user is an `Object`. */
function nameOf(value: object): string {
  return value instanceof Error ? "Error" : Object.prototype.toString.call(value).slice(8, -1);
}

/** Whether `JSON.stringify()` writes nothing of an object, although there is something in it. */
function isNothing(value: object): boolean {
  const name = nameOf(value);
  if (name === "Object" || name === "Array") return false;
  return Object.hasOwn(PLAIN, name) ||
    Object.keys(value).length === 0 && !(value instanceof Boolean || value instanceof String);
}

/** Writes a value and checks each number, with its path for errors. */
class Writer {
  readonly #name: string;
  /** The arrays and objects around the current value, the outermost first, and the path to them. */
  readonly #holders: unknown[] = [];
  readonly #path: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  write(value: unknown): string | undefined {
    const look = (holder: unknown, key: string, item: unknown) => this.#look(holder, key, item);
    return JSON.stringify(value, function (this: unknown, key: string, item: unknown) {
      return look(this, key, item);
    });
  }

  #look(holder: unknown, key: string, given: unknown): unknown {
    let item = given instanceof Number ? Number(given) : given;
    // What toJSON() has changed already: an invalid Date is null, a Buffer an object.
    if (item === null || isBufferJson(item)) {
      const own = (holder as Record<string, unknown>)[key];
      if (own instanceof Date || own instanceof Uint8Array) item = own;
    }
    if (item instanceof Uint8Array) return item.toBase64();
    if (ArrayBuffer.isView(item) && !(item instanceof DataView)) {
      item = Array.from(item as unknown as ArrayLike<unknown>);
    }
    if (typeof item === "bigint") return rawJSON(String(item));
    if (Object.is(item, -0)) return rawJSON("-0.0");
    const container = typeof item === "object" && item !== null;
    if (!container && (typeof item !== "number" || isFinite(item))) return item;
    while (this.#holders.length > 0 && this.#holders.at(-1) !== holder) {
      this.#holders.pop();
      this.#path.pop();
    }
    const step = this.#holders.length === 0 ? this.#name : stepTo(holder, key);
    if (!container) {
      throw cannotWrite(`${this.#path.join("")}${step} is ${item}, which JSON does not have`);
    }
    if (item instanceof Date) throw cannotWrite(`${this.#path.join("")}${step} is an invalid Date`);
    if (isNothing(item as object)) {
      const name = nameOf(item as object);
      const plain = Object.hasOwn(PLAIN, name) ? `, such as ${PLAIN[name]}` : "";
      const article = /^[AEIOU]/.test(name) ? "an" : "a";
      throw cannotWrite(
        `${this.#path.join("")}${step} is ${article} ${name}: expected a plain value${plain}`,
      );
    }
    this.#holders.push(item);
    this.#path.push(step);
    return item;
  }
}

/** Whether a value may be what `Buffer.toJSON()` makes. */
function isBufferJson(value: unknown): boolean {
  return typeof value === "object" && (value as { type?: unknown } | null)?.type === "Buffer";
}

function stepTo(holder: unknown, key: string): string {
  if (Array.isArray(holder)) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function cannotWrite(why: string, cause?: unknown): CodecError {
  return new CodecError(`Cannot write value as JSON: ${why}`, { cause });
}
