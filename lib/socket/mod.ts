/**
 * Plain bytes over TCP, TLS, UDP and unix sockets: servers that answer, clients that ask, and `ping()`.
 *
 * @example An instrument that answers a query
 * ```ts
 * import { connectBytes, listenBytes } from "@labwire/labwire/socket";
 * import { assertEquals } from "@std/assert";
 *
 * const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
 * await using voltmeter = listenBytes({
 *   port: 0,
 *   answer: (message) => encoder.encode(decoder.decode(message) === "V?\n" ? "1.25\n" : "?\n"),
 * });
 * await using client = await connectBytes({ port: voltmeter.addr.port });
 * assertEquals(decoder.decode(await client.exchange(encoder.encode("V?\n"))), "1.25\n");
 * ```
 *
 * @module
 */

export { CodecError, ConnectError, UsageError } from "../errors.ts";
export type { Answerer, BytesPeer } from "./answer.ts";
export {
  type AskOptions,
  type ByteClient,
  connectBytes,
  type ConnectBytesOptions,
  type ReceiveOptions,
} from "./byte_client.ts";
export { type ConversationOptions, converse, converseByDatagrams } from "./conversation.ts";
export {
  connectDatagram,
  type DatagramAnswer,
  type DatagramClient,
  type DatagramClientOptions,
} from "./datagram_client.ts";
export {
  exchangeDatagram,
  type ExchangeDatagramOptions,
  receiveDatagrams,
} from "./exchange_datagram.ts";
export { type BadMessageProblem, listenBytes, type ListenBytesOptions } from "./listen_bytes.ts";
export {
  type DatagramServer,
  type DatagramServerProblem,
  type DatagramServerStats,
  listenDatagrams,
  type ListenDatagramsOptions,
} from "./listen_datagrams.ts";
export {
  ping,
  pingBytes,
  type PingBytesOptions,
  pingDatagrams,
  type PingDatagramsOptions,
  type PingOptions,
  type PingOutcome,
  type PingResult,
} from "./ping.ts";
export { pipeProgram, type PipeProgramOptions } from "./pipe_program.ts";
export { sendBytes, sendDatagram } from "./send_bytes.ts";
