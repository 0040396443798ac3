/** The longest number or word that is checked; longer ones are never complete without a newline. */
const LONGEST_SCALAR = 500;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the bytes so far end: between values, in a string, in an array or object, or in anything else, such as a number. */
type Place = "between" | "string" | "container" | "scalar";

/**
 * Checks whether growing input ends with a complete JSON value. Each byte is examined only once; only brackets and quotes count.
 * Whether the value is valid is for the parser to decide.
 */
export class ValueEnd {
  #place: Place = "between";
  #depth = 0;
  /** Whether the next byte of a string follows a backslash. */
  #escaped = false;
  #start = -1;
  #at = 0;

  /** Where the latest value starts; -1 if there is none. */
  get start(): number {
    return this.#start;
  }

  /**
   * Examines the bytes that are new since the last call.
   *
   * @param bytes All bytes so far, in UTF-8.
   * @returns Whether they end with a complete value. A number might still continue.
   */
  isComplete(bytes: Uint8Array): boolean {
    for (; this.#at < bytes.length; this.#at++) this.#look(bytes[this.#at]!);
    if (this.#place === "scalar") return isScalar(bytes.subarray(this.#start));
    return this.#place === "between" && this.#start >= 0;
  }

  #look(byte: number): void {
    switch (this.#place) {
      case "between":
        if (!isBlank(byte)) this.#begin(byte);
        break;
      case "string":
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#place = this.#depth > 0 ? "container" : "between";
        break;
      case "container":
        if (byte === QUOTE) this.#place = "string";
        else if (isOpening(byte)) this.#depth++;
        else if (isClosing(byte) && --this.#depth === 0) this.#place = "between";
    }
  }

  #begin(byte: number): void {
    this.#start = this.#at;
    this.#place = "scalar";
    if (byte === QUOTE) this.#place = "string";
    if (!isOpening(byte)) return;
    this.#place = "container";
    this.#depth = 1;
  }
}

/** Whether bytes are one JSON object and no more, judged as {@linkcode ValueEnd} does. */
export function isWholeObject(bytes: Uint8Array): boolean {
  const first = bytes.findIndex((byte) => !isBlank(byte));
  const end = new ValueEnd();
  return bytes[first] === 0x7b && end.isComplete(bytes) && end.start === first;
}

/** Whether a byte is JSON white space, or part of a byte order mark. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d ||
    byte === 0xef || byte === 0xbb || byte === 0xbf;
}

function isOpening(byte: number): boolean {
  return byte === 0x7b || byte === 0x5b;
}

function isClosing(byte: number): boolean {
  return byte === 0x7d || byte === 0x5d;
}

function isScalar(bytes: Uint8Array): boolean {
  if (bytes.length > LONGEST_SCALAR) return false;
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}
