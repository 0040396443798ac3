import { CodecError, messageOf } from "../../errors.ts";
import { JsonText } from "./text.ts";

/** Provided by the platform, but not declared in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * Occurs in the text if the value has NaN, an infinity, −0 or a collection, which `JSON.stringify()` writes as `null`, `0` and
 * `{}`.
 */
const CHANGED = /null|\{\}|(?:^|[[:,])0(?:$|[,\]}])/;

/**
 * Writes a value as JSON in one line.
 *
 * @param value The value; `toJSON()` methods are honoured, and a {@linkcode JsonText} is written as it is.
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
  const plain = text === undefined || !CHANGED.test(text) || !isUnusual(value);
  return plain ? text : new Writer(name).write(value);
}

/** Whether a value contains what `JSON.stringify()` changes, or an object with its own `toJSON()`. */
function isUnusual(value: unknown): boolean {
  if (typeof value === "number") return value === 0 ? Object.is(value, -0) : !isFinite(value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(isUnusual);
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return true;
  if (value instanceof Number || isCollection(value)) return true;
  return Object.values(value).some(isUnusual);
}

/** What holds values that `JSON.stringify()` leaves out, and what makes a plain value of it. */
const COLLECTIONS = [
  [Map, "Map", "Object.fromEntries(map)"],
  [Set, "Set", "[...set]"],
  [Promise, "Promise", "await promise"],
] as const;

function isCollection(value: object): boolean {
  return COLLECTIONS.some(([type]) => value instanceof type);
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
    const item = given instanceof Number ? Number(given) : given;
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
    for (const [type, name, plain] of COLLECTIONS) {
      if (!(item instanceof type)) continue;
      throw cannotWrite(
        `${this.#path.join("")}${step} is a ${name}: expected a plain value, such as ${plain}`,
      );
    }
    this.#holders.push(item);
    this.#path.push(step);
    return item;
  }
}

function stepTo(holder: unknown, key: string): string {
  if (Array.isArray(holder)) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function cannotWrite(why: string, cause?: unknown): CodecError {
  return new CodecError(`Cannot write value as JSON: ${why}`, { cause });
}
