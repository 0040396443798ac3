/** Where a text stops being JSON, and why. */
export interface JsonFault {
  /** Index of the first character that does not fit; the length of the text if it ends too early. */
  index: number;
  /** What was wanted there and what was found. */
  why: string;
}

/** What people write who come from other notations, and what JSON wants. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^(True|False|None)\b/, "JSON writes true, false and null"],
  [/^[+-]?(NaN|Infinity|inf|nan)\b/, "JSON has no NaN and no infinities"],
  [/^'/, "JSON strings have double quotes"],
  [/^(\/[/*]|#)/, "JSON has no comments"],
  [/^(\+|-?\.)\d/, "JSON numbers start with a digit, or a minus sign and a digit"],
  [/^-?0\d/, "JSON numbers have no leading zeros"],
  [/^-?\d+\.(?!\d)/, "JSON numbers have digits behind the point"],
];

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d.eE])/y;
const WORD = /(?:true|false|null)\b/y;
// deno-lint-ignore no-control-regex
const PLAIN = /[^"\\\x00-\x1f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * Finds what keeps a text from being JSON (RFC 8259), without recursion: however deep it nests, no stack runs over.
 *
 * @param text The whole text.
 * @param maxDepth How deep arrays and objects may nest.
 * @returns The first fault, or `null` if the text is one JSON value.
 */
export function findJsonFault(text: string, maxDepth: number): JsonFault | null {
  return new Scanner(text, maxDepth).run();
}

/** What may come next. */
type State = "value" | "value or ]" | "name" | "name or }" | ":" | ", or end";

class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  /** The brackets that will close what is open. */
  readonly #open: ("]" | "}")[] = [];
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  run(): JsonFault | null {
    let state: State = "value";
    while (true) {
      this.#skip(SPACE);
      if (state === ", or end" && this.#open.length === 0) {
        return this.#at === this.#text.length ? null : this.#fault("the end of the message");
      }
      const next = this.#step(state);
      if (typeof next === "object") return next;
      state = next;
    }
  }

  /** Takes one token. */
  #step(state: State): State | JsonFault {
    switch (state) {
      case ":":
        return this.#take(":") ? "value" : this.#fault('":" after the name');
      case ", or end":
        return this.#afterValue();
      case "name or }":
        if (this.#take("}")) return this.#close();
        return this.#text[this.#at] === '"'
          ? this.#string(":")
          : this.#fault('a name in double quotes, or "}"');
      case "name":
        return this.#text[this.#at] === '"'
          ? this.#string(":")
          : this.#fault("a name in double quotes after the comma");
      case "value or ]":
        if (this.#take("]")) return this.#close();
        return this.#value('a value, or "]"');
      case "value":
        return this.#value("a value");
    }
  }

  #afterValue(): State | JsonFault {
    const end = this.#open.at(-1)!;
    if (this.#take(end)) return this.#close();
    if (this.#take(",")) return end === "]" ? "value" : "name";
    return this.#fault(`"," or "${end}"`);
  }

  #value(wanted: string): State | JsonFault {
    switch (this.#text[this.#at]) {
      case "[":
        return this.#nest("]") ?? "value or ]";
      case "{":
        return this.#nest("}") ?? "name or }";
      case '"':
        return this.#string(", or end");
      default:
        return this.#skip(NUMBER) || this.#skip(WORD) ? ", or end" : this.#fault(wanted);
    }
  }

  #nest(end: "]" | "}"): JsonFault | null {
    if (this.#open.length === this.#maxDepth) {
      return {
        index: this.#at,
        why: `arrays and objects nest deeper than ${this.#maxDepth} levels`,
      };
    }
    this.#at++;
    this.#open.push(end);
    return null;
  }

  #close(): State {
    this.#open.pop();
    return ", or end";
  }

  #string(next: State): State | JsonFault {
    const start = this.#at++;
    do this.#skip(PLAIN); while (this.#skip(ESCAPE));
    if (this.#take('"')) return next;
    const char = this.#text[this.#at];
    if (char === undefined) {
      return this.#fault(`the closing quote of the string that starts at character ${start + 1}`);
    }
    return this.#fault(
      char === "\\"
        ? "an escape such as \\n, \\\\ or \\u00b5"
        : "a control character to be escaped",
    );
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** Skips what matches here, and tells whether that was anything. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  #fault(wanted: string): JsonFault {
    const rest = this.#text.slice(this.#at, this.#at + 40);
    const word = /^[\w.+-]+/.exec(rest)?.[0] ?? /^\\./s.exec(rest)?.[0] ?? [...rest][0];
    const found = word === undefined ? "the end of the message" : JSON.stringify(word);
    const hint = HINTS.find(([pattern]) => pattern.test(rest))?.[1];
    const why = `expected ${wanted}, found ${found}`;
    return { index: this.#at, why: hint === undefined ? why : `${why}: ${hint}` };
  }
}
