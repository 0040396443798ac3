/**
 * A duplex line of records over TCP or TLS, in the notation of Python's `struct`: both ends send and receive.
 *
 * @example A server that answers each record
 * ```ts
 * import { Line } from "@labwire/labwire/struct";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = Line.listen({
 *   format: "<Hd",
 *   port: 0,
 *   action: ([channel, volts], peer) => peer.send([channel, volts * 2]),
 * });
 * await using client = await Line.connect({ format: "<Hd", port: server.addr.port });
 * await client.send([1, 2.5]);
 * for await (const record of client) {
 *   assertEquals(record, [1, 5]);
 *   break;
 * }
 * ```
 *
 * @module
 */

export { CodecError, ConnectError, UsageError } from "../errors.ts";
export { Line } from "./line.ts";
export type {
  DefaultFormat,
  LineAction,
  LineConnectOptions,
  LineListenOptions,
  LineOptions,
  LineProblem,
  LineStats,
} from "./line_options.ts";
export type { LinePeer } from "./peer.ts";
