import type { StreamConnection } from "../../net/stream/connection.ts";

/** Bytes that a request may have. */
const MOST_BYTES = 16_384;

/** A request of a browser, as far as it matters here: there is no body. */
export interface WebRequest {
  /** The method, such as `GET`. */
  readonly method: string;
  /** The path, with its query. */
  readonly target: string;
  /** The version of HTTP. */
  readonly version: "1.0" | "1.1";
  /** The header's fields by their names in lower case; of those that come twice, the values with a comma between them. */
  readonly headers: ReadonlyMap<string, string>;
  /** What came after the request. */
  readonly rest: Uint8Array;
}

/**
 * Reads a request (RFC 9112, sections 2 and 3).
 *
 * @param connection Where it comes from.
 * @param before What has arrived of it already.
 * @returns The request; null where the peer ended before it was complete; undefined where it is none.
 */
export async function readRequest(
  connection: StreamConnection,
  before: Uint8Array,
): Promise<WebRequest | null | undefined> {
  let bytes = before;
  let isBegun = false;
  try {
    while (true) {
      const end = headEnd(bytes);
      if (end >= 0) return parseRequest(bytes.subarray(0, end), bytes.slice(end + 4));
      if (bytes.length > MOST_BYTES) return undefined;
      if (bytes.length > 0 && !isBegun) {
        isBegun = true;
        connection.beginMessage();
      }
      const chunk = await connection.read();
      if (chunk === null) return null;
      const both = new Uint8Array(bytes.length + chunk.length);
      both.set(bytes);
      both.set(chunk, bytes.length);
      bytes = both;
    }
  } finally {
    if (isBegun) connection.endMessage();
  }
}

/** Where the empty line begins that ends the header; -1 while there is none. */
function headEnd(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) {
      return i;
    }
  }
  return -1;
}

function parseRequest(head: Uint8Array, rest: Uint8Array): WebRequest | undefined {
  if (head.length > MOST_BYTES) return undefined;
  const [first = "", ...lines] = Array.from(head, (byte) => String.fromCharCode(byte)).join("")
    .split("\r\n");
  const words = /^([A-Z]{1,16}) (\/[!-~]*) HTTP\/(1\.[01])$/.exec(first);
  if (!words) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\0\r\n]*?)[ \t]*$/.exec(line);
    if (!field) return undefined;
    const name = field[1]!.toLowerCase();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? field[2]! : `${earlier}, ${field[2]}`);
  }
  // None has a body; one that says so could hide a second request in it.
  const hasBody = headers.has("transfer-encoding") ||
    (headers.get("content-length") ?? "0") !== "0";
  if (hasBody) return undefined;
  const [, method, target, version] = words as unknown as [string, string, string, "1.0" | "1.1"];
  return { method, target, version, headers, rest };
}

/** What every answer says to the browser: nothing from elsewhere, no frames, nothing guessed, nothing kept. */
export function securityHeaders(host: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    // Some browsers do not count a WebSocket to the same address as 'self'.
    `connect-src 'self' ws://${host}`,
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=()",
    "cache-control": "no-store",
  };
}

const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  503: "Service Unavailable",
};

/** The beginning of an answer. */
export function answerHead(status: number, headers: Readonly<Record<string, string>>): Uint8Array {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new TextEncoder().encode(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\n${fields.join("")}\r\n`,
  );
}
