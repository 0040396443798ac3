import { isSpace } from "./scan.ts";

/**
 * What a JSON text can mean. An integer is a `number` where that is exact and a `bigint` beyond ±(2⁵³ − 1), so that
 * 64-bit integers such as tuning words and serial numbers stay what they are.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonValue[]
  | { [name: string]: JsonValue };

/** Where a text stops being valid JSON, and why. */
export class JsonFault {
  /** Index of the first character that does not fit; the length of the text if it ends too early. */
  readonly index: number;
  /** What is wrong there: what was expected and what was found. */
  readonly why: string;

  /**
   * @param index Index of the first character that does not fit.
   * @param why What is wrong there.
   */
  constructor(index: number, why: string) {
    this.index = index;
    this.why = why;
  }
}

/**
 * Makes the value of a number.
 *
 * @param source The number as it is written.
 * @returns Its value, or a fault if it has none (the index does not matter).
 */
export type ReadNumber = (source: string) => JsonValue | JsonFault;

/** Common mistakes from other notations, and the hints for them. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^(True|False|None)\b/, "JSON writes true, false and null"],
  [/^[+-]?(NaN|Infinity|inf|nan)\b/, "JSON has no NaN and no infinities"],
  [/^'/, "JSON strings have double quotes"],
  [/^(\/[/*]|#)/, "JSON has no comments"],
  [/^(\+|-?\.)\d/, "JSON numbers start with a digit, or a minus sign and a digit"],
  [/^-?0\d/, "JSON numbers have no leading zeros"],
  [/^-?\d+\.(?!\d)/, "JSON numbers have digits after the point"],
];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD = /(?:true|false|null)\b/y;
const WORDS: Readonly<Record<string, JsonValue>> = { "true": true, "false": false, "null": null };

/** Returned where a value is expected next: in an array or object that was opened, or after a comma. */
const OPENED = Symbol();

/** An array or object that is not closed yet. */
interface Open {
  /** What an object has so far; null for an array. */
  readonly members: { [name: string]: JsonValue } | null;
  /** The name of the member that is being read. */
  name: string;
  /** How many items there were before an array's own. */
  readonly start: number;
}

/**
 * Parses a JSON text (RFC 8259) with a custom reader of numbers, and finds the first fault. It takes somewhat longer than
 * `JSON.parse()`, and about the same time per character for any text. It is not recursive, so deep nesting cannot overflow the stack.
 *
 * @param text The whole text.
 * @param maxDepth How deep arrays and objects may nest.
 * @param readNumber Makes the value of a number.
 * @returns The value, or the first fault.
 */
export function readJson(
  text: string,
  maxDepth: number,
  readNumber: ReadNumber,
): JsonValue | JsonFault {
  return new Reader(text, maxDepth, readNumber).read();
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #readNumber: ReadNumber;
  readonly #open: Open[] = [];
  /** The innermost of them. */
  #top: Open | undefined;
  /** The items of all open arrays, so that each array is created when its length is known. */
  readonly #items: JsonValue[] = [];
  #count = 0;
  #at = 0;

  constructor(text: string, maxDepth: number, readNumber: ReadNumber) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#readNumber = readNumber;
  }

  read(): JsonValue | JsonFault {
    for (let wanted = "a value";;) {
      let value = this.#value(wanted);
      wanted = value === OPENED && !this.#top!.members ? 'a value, or "]"' : "a value";
      while (value !== OPENED) {
        if (value instanceof JsonFault) return value;
        if (this.#top === undefined) return this.#end(value);
        this.#put(this.#top, value);
        value = this.#afterValue(this.#top);
      }
    }
  }

  /** Reads a value; of an array or object, unless it is empty, only the beginning. */
  #value(wanted: string): JsonValue | JsonFault | typeof OPENED {
    const code = this.#next();
    switch (code) {
      case QUOTE:
        return this.#string();
      case 0x5b: // [
        return this.#openArray();
      case 0x7b: // {
        return this.#openObject();
    }
    return code === 0x2d || isDigit(code) ? this.#number(wanted) : this.#word(wanted);
  }

  #openArray(): JsonValue | JsonFault | typeof OPENED {
    if (this.#open.length === this.#maxDepth) return this.#tooDeep();
    this.#at++;
    if (this.#take(0x5d)) return [];
    this.#push(null);
    return OPENED;
  }

  #openObject(): JsonValue | JsonFault | typeof OPENED {
    if (this.#open.length === this.#maxDepth) return this.#tooDeep();
    this.#at++;
    if (this.#take(0x7d)) return {};
    return this.#name(this.#push({}), 'a name in double quotes, or "}"');
  }

  #push(members: Open["members"]): Open {
    this.#top = { members, name: "", start: this.#count };
    this.#open.push(this.#top);
    return this.#top;
  }

  #put({ members, name }: Open, value: JsonValue): void {
    if (members === null) this.#items[this.#count++] = value;
    else if (name !== "__proto__") members[name] = value;
    else Object.defineProperty(members, name, { value, ...PLAIN });
  }

  /** Reads a name and the colon after it. */
  #name(open: Open, wanted: string): JsonFault | typeof OPENED {
    if (this.#next() !== QUOTE) return this.#fault(wanted);
    const name = this.#string();
    if (name instanceof JsonFault) return name;
    open.name = name;
    return this.#take(0x3a) ? OPENED : this.#fault('":" after the name');
  }

  /** Reads what follows a value in an array or object; returns that array or object if it ends there. */
  #afterValue(open: Open): JsonValue | JsonFault | typeof OPENED {
    const { members } = open;
    if (this.#take(0x2c)) {
      return members ? this.#name(open, "a name in double quotes after the comma") : OPENED;
    }
    if (!this.#take(members ? 0x7d : 0x5d)) {
      return this.#fault(members ? '"," or "}"' : '"," or "]"');
    }
    this.#open.pop();
    this.#top = this.#open.at(-1);
    if (members) return members;
    const items = this.#items.slice(open.start, this.#count);
    this.#count = open.start;
    return items;
  }

  #end(value: JsonValue): JsonValue | JsonFault {
    this.#next();
    return this.#at === this.#text.length ? value : this.#fault("the end of the message");
  }

  #string(): string | JsonFault {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    let at = start + 1;
    for (let code; (code = text.charCodeAt(at)) !== QUOTE; at++) {
      if (code === BACKSLASH) {
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(text)) return this.#fault("an escape such as \\n, \\\\ or \\u00b5", at);
        at = ESCAPE.lastIndex - 1;
        escaped = true;
      } else if (!(code >= 0x20)) { // a control character, or NaN at the end
        const closing = `the closing quote of the string that starts at character ${start + 1}`;
        return this.#fault(at < text.length ? "a control character to be escaped" : closing, at);
      }
    }
    this.#at = at + 1;
    return escaped ? JSON.parse(text.slice(start, at + 1)) : text.slice(start + 1, at);
  }

  #number(wanted: string): JsonValue | JsonFault {
    const start = this.#at;
    const end = endOfNumber(this.#text, start);
    if (end < 0) return this.#fault(wanted);
    this.#at = end;
    const value = this.#readNumber(this.#text.slice(start, end));
    return value instanceof JsonFault ? new JsonFault(start, value.why) : value;
  }

  #word(wanted: string): JsonValue | JsonFault {
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.#text)?.[0];
    if (word === undefined) return this.#fault(wanted);
    this.#at += word.length;
    return WORDS[word]!;
  }

  /** Skips blanks and consumes a character, if it is next. */
  #take(sign: number): boolean {
    if (this.#next() !== sign) return false;
    this.#at++;
    return true;
  }

  /** Skips blanks; returns the character that follows, NaN at the end. */
  #next(): number {
    let code = this.#text.charCodeAt(this.#at);
    while (isSpace(code)) code = this.#text.charCodeAt(++this.#at);
    return code;
  }

  #tooDeep(): JsonFault {
    const why = `arrays and objects nest deeper than ${this.#maxDepth} levels`;
    return new JsonFault(this.#at, why);
  }

  #fault(wanted: string, at = this.#at): JsonFault {
    const rest = this.#text.slice(at, at + 40);
    const word = /^[\w.+-]+/.exec(rest)?.[0] ?? /^\\./s.exec(rest)?.[0] ?? [...rest][0];
    const found = word === undefined ? "the end of the message" : JSON.stringify(word);
    const hint = HINTS.find(([pattern]) => pattern.test(rest))?.[1];
    const why = `expected ${wanted}, found ${found}`;
    return new JsonFault(at, hint === undefined ? why : `${why}: ${hint}`);
  }
}

/** How an assignment makes a property. */
const PLAIN = { enumerable: true, writable: true, configurable: true };

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The index after a number; -1 if there is none (RFC 8259, section 6). */
function endOfNumber(text: string, start: number): number {
  const first = text.charCodeAt(start) === 0x2d ? start + 1 : start;
  let at = skipDigits(text, first);
  if (at === first || text.charCodeAt(first) === 0x30 && at > first + 1) return -1;
  if (text.charCodeAt(at) === 0x2e) { // .
    const fraction = at + 1;
    at = skipDigits(text, fraction);
    if (at === fraction) return -1;
  }
  if ((text.charCodeAt(at) | 0x20) === 0x65) { // e, E
    const sign = text.charCodeAt(at + 1);
    const exponent = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1;
    at = skipDigits(text, exponent);
    if (at === exponent) return -1;
  }
  const next = text.charCodeAt(at);
  return next === 0x2e || (next | 0x20) === 0x65 ? -1 : at;
}

function skipDigits(text: string, at: number): number {
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}
