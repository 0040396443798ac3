/**
 * The messages by which two computers compare their clocks, big-endian:
 *
 * | byte | request (96 bytes) | reply (40 bytes) |
 * |---|---|---|
 * | 0–6 | `labwire` | `labwire` |
 * | 7 | 1 | 2, or 3 from a port that was not asked |
 * | 8–11 | number of the request, unsigned | the same |
 * | 12–15 | zero | zero |
 * | 16–23 | T1, when it was sent | the same |
 * | 24–31 | zero | T2, when the request arrived |
 * | 32–39 | zero | T3, when the reply was sent |
 *
 * Times are 64-bit floats, milliseconds since the Unix epoch. A request is longer than both of its replies together, so
 * that the responder cannot be used to send a third party more bytes than it received.
 *
 * @module
 */

/** What a message is. */
export type ClockMessageKind = "request" | "reply" | "unsolicited";

/** One message. */
export interface ClockMessage {
  /** What it is. */
  readonly kind: ClockMessageKind;
  /** The number of the request. */
  readonly id: number;
  /** T1, T2 and T3; those not known yet are 0. */
  readonly times: readonly [number, number, number];
}

const NAME = new TextEncoder().encode("labwire");
const KINDS: readonly (ClockMessageKind | undefined)[] = [
  undefined,
  "request",
  "reply",
  "unsolicited",
];
const REQUEST_BYTES = 96;
const REPLY_BYTES = 40;

/** Turns a message into bytes. */
export function encodeClockMessage({ kind, id, times }: ClockMessage): Uint8Array {
  const bytes = new Uint8Array(kind === "request" ? REQUEST_BYTES : REPLY_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(NAME);
  bytes[7] = KINDS.indexOf(kind);
  view.setUint32(8, id);
  for (const [i, time] of times.entries()) view.setFloat64(16 + 8 * i, time);
  return bytes;
}

/**
 * Turns bytes into a message.
 *
 * @returns The message, or undefined if the bytes are none.
 */
export function decodeClockMessage(bytes: Uint8Array): ClockMessage | undefined {
  const kind = KINDS[bytes[7] ?? 0];
  const length = kind === "request" ? REQUEST_BYTES : REPLY_BYTES;
  if (kind === undefined || bytes.length !== length) return undefined;
  if (NAME.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    kind,
    id: view.getUint32(8),
    times: [view.getFloat64(16), view.getFloat64(24), view.getFloat64(32)],
  };
}
