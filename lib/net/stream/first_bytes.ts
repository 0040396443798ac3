/** What the first bytes of a connection are; `"undecided"` while more of them are needed. */
export type Verdict = "undecided" | "http" | "tls" | "stun" | "other";

/** The methods that a browser sends, and the one that begins HTTP/2. Bytes are held back only for these. */
const METHODS = "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH PRI".split(
  " ",
) as readonly string[];
/** The longest method that is recognised, in characters. */
const LONGEST_METHOD = 20;
/** A request line longer than this in bytes counts as one although its end has not been seen. */
const LONGEST_LINE = 1 << 16;
/** What follows the target: the version, with any digit. */
const VERSION = "HTTP/0.";

const SPACE = 0x20;
const DELETE = 0x7f;
/** What each byte of a binary message's beginning may be: the least and the greatest value, and the step between values. */
type Pattern = readonly (readonly [least: number, greatest: number, step: number])[];

/**
 * How TLS begins (RFC 8446, sections 4 and 5.1): a record of a handshake, its version and length; in it a ClientHello, its length and
 * version.
 */
const CLIENT_HELLO: Pattern = [
  ...[[0x16, 0x16, 1], [3, 3, 1], [0, 4, 1], [0, 255, 1], [0, 255, 1]] as const,
  ...[[1, 1, 1], [0, 0, 1], [0, 255, 1], [0, 255, 1], [3, 3, 1], [0, 4, 1]] as const,
];
/**
 * How STUN begins (RFC 8489, section 5): a Binding request, or an Allocate request of TURN; its length, a multiple of 4; the magic
 * cookie. WebRTC sends it over TCP to any address that a web page names as its TURN server.
 */
const STUN_REQUEST: Pattern = [
  ...[[0, 0, 1], [1, 3, 2], [0, 255, 1], [0, 252, 4]] as const,
  ...[[0x21, 0x21, 1], [0x12, 0x12, 1], [0xa4, 0xa4, 1], [0x42, 0x42, 1]] as const,
];
/**
 * The same after its length in two bytes (RFC 4571), a multiple of 4: WebRTC sends a Binding request so to any address that a web page
 * names as its peer's. The page chooses up to 256 bytes of it.
 */
const FRAMED_STUN_REQUEST: Pattern = [[0, 2, 1], [0, 252, 4], ...STUN_REQUEST];
const BINARY: readonly (readonly ["tls" | "stun", Pattern])[] = [
  ["tls", CLIENT_HELLO],
  ["stun", STUN_REQUEST],
  ["stun", FRAMED_STUN_REQUEST],
];

/** For each byte whether anything that {@linkcode FirstBytes} recognises begins with it. */
const FOREIGN: readonly boolean[] = Array.from(
  { length: 256 },
  (_, byte) => isMethodByte(byte) || BINARY.some(([, pattern]) => fits(byte, pattern[0]!)),
);

/** Whether anything that {@linkcode FirstBytes} recognises begins with a byte. */
export function mayBeForeign(byte: number): boolean {
  return FOREIGN[byte]!;
}

/**
 * Recognises what a browser sends to a port that is not a web server's: an HTTP request line (method, space, target, space,
 * `HTTP/1.`), the beginning of HTTP/2, the first message of TLS, or a STUN request of WebRTC. Each byte is examined once, however the bytes are split.
 */
export class FirstBytes {
  #verdict: Verdict = "undecided";
  #part: "start" | "method" | "target" | "version" | "binary" = "start";
  /** The binary messages that this can still be. */
  #binary = BINARY;
  #method = "";
  /** Bytes of the whole line so far, and of its present part. */
  #line = 0;
  #length = 0;

  /** What is known so far. */
  get verdict(): Verdict {
    return this.#verdict;
  }

  /**
   * Whether the bytes so far should be held back. Requests with an unusual method are not held back, but are refused once the whole
   * pattern has arrived.
   */
  get suspicious(): boolean {
    if (this.#verdict !== "undecided") return false;
    if (this.#part === "binary") return true;
    if (this.#part === "method") return METHODS.some((method) => method.startsWith(this.#method));
    return this.#part !== "start" && METHODS.includes(this.#method);
  }

  /**
   * Examines the bytes that arrived next.
   *
   * @param bytes The bytes.
   * @returns What is known now.
   */
  push(bytes: Uint8Array): Verdict {
    for (let i = 0; i < bytes.length && this.#verdict === "undecided"; i++) {
      this.#verdict = this.#next(bytes[i]!);
    }
    return this.#verdict;
  }

  #next(byte: number): Verdict {
    if (this.#part === "start") {
      this.#part = BINARY.some(([, pattern]) => fits(byte, pattern[0]!)) ? "binary" : "method";
    }
    return this.#part === "binary" ? this.#message(byte) : this.#http(byte);
  }

  #http(byte: number): Verdict {
    if (++this.#line > LONGEST_LINE) return METHODS.includes(this.#method) ? "http" : "other";
    if (this.#part === "version") return this.#version(byte);
    if (byte === SPACE && this.#length > 0) {
      this.#part = this.#part === "method" ? "target" : "version";
      this.#length = 0;
      return "undecided";
    }
    this.#length++;
    if (this.#part === "target") return byte > SPACE && byte !== DELETE ? "undecided" : "other";
    if (!isMethodByte(byte) || this.#length > LONGEST_METHOD) return "other";
    this.#method += String.fromCharCode(byte);
    return "undecided";
  }

  #version(byte: number): Verdict {
    const wanted = VERSION.charCodeAt(this.#length++);
    const digit = this.#length === VERSION.length - 1;
    if (digit ? byte < 0x30 || byte > 0x39 : byte !== wanted) return "other";
    return this.#length === VERSION.length ? "http" : "undecided";
  }

  #message(byte: number): Verdict {
    const at = this.#length++;
    this.#binary = this.#binary.filter(([, pattern]) => fits(byte, pattern[at]!));
    if (this.#binary.length === 0) return "other";
    const whole = this.#binary.find(([, pattern]) => pattern.length === this.#length);
    return whole ? whole[0] : "undecided";
  }
}

function fits(byte: number, [least, greatest, step]: Pattern[number]): boolean {
  return byte >= least && byte <= greatest && (byte - least) % step === 0;
}

/** Custom methods may have lower-case letters and hyphens (`M-SEARCH`). */
function isMethodByte(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a || byte === 0x2d;
}
