/**
 * Sockets and messages, which all the protocols here are made of: addresses, TCP and TLS, datagrams over UDP and unix sockets,
 * and framings that cut a stream into messages.
 *
 * @example Lines over TCP
 * ```ts
 * import { connectStream, lineFraming, listenStream, readMessages } from "@labwire/labwire/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using listener = listenStream({
 *   port: 0,
 *   async onConnection(connection) {
 *     await connection.write(new TextEncoder().encode("one\ntwo\n"));
 *   },
 * });
 * await using connection = await connectStream({ port: listener.addr.port });
 * const lines: string[] = [];
 * for await (const line of readMessages(connection, lineFraming())) {
 *   if (lines.push(new TextDecoder().decode(line).trim()) === 2) break;
 * }
 * assertEquals(lines, ["one", "two"]);
 * ```
 *
 * @module
 */

export { CodecError, ConnectError, UsageError } from "../errors.ts";
export {
  type Endpoint,
  formatAddress,
  type HostPort,
  parseAddress,
  type ParseAddressOptions,
  type UnixPath,
} from "./address/address.ts";
export { AllowList, type Network, parseCidrList } from "./address/allow_list.ts";
export { sameEndpoint } from "./address/same.ts";
export {
  bindDatagram,
  type BindDatagramOptions,
  type Datagram,
  type DatagramIo,
  type DatagramSocket,
} from "./datagram/datagram.ts";
export type {
  ArrivalClock,
  DatagramCounters,
  DatagramHandler,
  DatagramTransport,
  DatagramTransportOptions,
  UnsentDatagram,
} from "./datagram/transport.ts";
export { isMulticast, type MulticastOptions } from "./datagram/multicast.ts";
export type { FrameDecoder, Framing } from "./framing/framing.ts";
export {
  type LineDecoder,
  type LineFraming,
  lineFraming,
  type LineFramingOptions,
} from "./framing/line.ts";
export {
  type ByteSource,
  type MessageWatch,
  readMessages,
  type ReadMessagesOptions,
} from "./framing/read_messages.ts";
export { type BufferSource, readRecords, type ReadRecordsOptions } from "./framing/read_records.ts";
export type { TlsIdentity, TlsServing } from "./stream/bind.ts";
export { connectStream, type ConnectStreamOptions } from "./stream/connect.ts";
export {
  type CloseReason,
  type GraceOptions,
  type StreamConnection,
  type StreamConnectionOptions,
} from "./stream/connection.ts";
export {
  listenStream,
  type ListenStreamOptions,
  type StreamListener,
  type StreamListenerStats,
  type StreamProblem,
} from "./stream/listener.ts";
export type { ReadEnd } from "./stream/read_side.ts";
