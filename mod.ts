export type { Codec } from "./lib/codecs/codec.ts";
export {
  type Complex,
  kindOf,
  type Sample,
  type Timestamp,
  type Value,
  type ValueKind,
} from "./lib/codecs/villas/sample.ts";
export {
  describeLikeness,
  type RecognisedFormat,
  recogniseFormat,
} from "./lib/codecs/villas/recognise.ts";
export { formatVillasHuman } from "./lib/codecs/villas/human.ts";
export { formatVillasJson } from "./lib/codecs/villas/json.ts";
export { formatProtobufText } from "./lib/codecs/villas/protobuf_text.ts";
export {
  CodecError,
  type CodecErrorOptions,
  ConnectError,
  RemoteError,
  UsageError,
} from "./lib/errors.ts";
export {
  type Endpoint,
  formatAddress,
  type HostPort,
  parseAddress,
  type ParseAddressOptions,
  type UnixPath,
} from "./lib/net/address/address.ts";
export { splitCommandLine, type SplitCommandLineOptions } from "./lib/process/command_line.ts";
export { LineProgram, type LineProgramOptions } from "./lib/process/line_program.ts";
export {
  Program,
  type ProgramExit,
  startProgram,
  type StartProgramOptions,
} from "./lib/process/program.ts";
export type { LatencySummary } from "./lib/time/latency.ts";
export { runProgram, type RunProgramOptions } from "./lib/process/run_program.ts";
export {
  createJsonCodec,
  jsonCodec,
  type JsonCodecOptions,
  type JsonValue,
  parseJson,
  stringifyJson,
} from "./lib/codecs/json/json.ts";
export { JsonText } from "./lib/codecs/json/text.ts";
export { SequenceTracker } from "./lib/villas/hooks/sequence_tracker.ts";
export {
  SIGNAL_TYPES,
  SignalGenerator,
  type SignalGeneratorOptions,
  type SignalType,
} from "./lib/villas/nodes/signal_generator.ts";
export { parseSignals, type SignalKind } from "./lib/codecs/villas/signals.ts";
export type { Format, MessageScanner } from "./lib/codecs/villas/format.ts";
export { villasFormat, villasFormats } from "./lib/codecs/villas/formats.ts";
export { villasProtobuf } from "./lib/codecs/villas/protobuf.ts";
export { type Batch, batchOf, type BatchOrigin, type SampleNode } from "./lib/villas/node.ts";
export { type Hook, Path, type PathOptions, type Tap } from "./lib/villas/path.ts";
export {
  bindDatagram,
  type BindDatagramOptions,
  type Datagram,
  DatagramSocket,
} from "./lib/net/datagram/datagram.ts";
export type {
  DatagramCounters,
  DatagramHandler,
  DatagramTransport,
  DatagramTransportOptions,
  UnsentDatagram,
} from "./lib/net/datagram/transport.ts";
export { sameEndpoint } from "./lib/net/address/same.ts";
export { Echo, startVillasEcho } from "./lib/villas/echo.ts";
export type {
  VillasEchoMessage,
  VillasEchoOptions,
  VillasEchoProblem,
  VillasEchoStats,
} from "./lib/villas/echo_options.ts";
export type { Reply, SampleHandler } from "./lib/villas/hooks/handler.ts";
export { SignalSource, startVillasSignal } from "./lib/villas/signal_source.ts";
export type { ReturnedSample } from "./lib/villas/hooks/returns.ts";
export type {
  SignalProblem,
  VillasSignalOptions,
  VillasSignalStats,
} from "./lib/villas/signal_source_options.ts";
export { connectJson, JsonClient, type JsonSendOptions, sendJson } from "./lib/json/client.ts";
export { interactWithCommands } from "./lib/json/commands.ts";
export { parseJsonItems } from "./lib/json/items.ts";
export {
  interactWithLineProgram,
  interactWithProgram,
  type LineProgramInteract,
} from "./lib/json/program_interact.ts";
export type {
  Answer,
  Commands,
  FailAnswer,
  FailStatus,
  Interact,
  InteractContext,
  SuccessAnswer,
} from "./lib/json/protocol.ts";
export type {
  AnswerData,
  BadAnswerResult,
  FailResult,
  JsonSendResult,
  NoAnswerResult,
  SuccessResult,
} from "./lib/json/read_answer.ts";
export type { Handled } from "./lib/json/responder.ts";
export {
  JsonServer,
  type JsonServerOptions,
  type JsonServerProblem,
  type JsonServerStats,
  startJsonServer,
} from "./lib/json/server.ts";
export {
  compileStruct,
  Struct,
  type StructComplex,
  type StructInput,
  type StructInputs,
  type StructOptions,
  type StructPlatform,
  type StructValue,
  type StructValues,
} from "./lib/codecs/struct/struct.ts";
export { StructCsv, type StructCsvOptions } from "./lib/codecs/struct/csv.ts";
export { parseStructFields, type StructField } from "./lib/codecs/struct/fields.ts";
export {
  parseStructFormat,
  type StructItem,
  type StructLayout,
} from "./lib/codecs/struct/format.ts";
export { type StructBytes, StructJson, type StructJsonOptions } from "./lib/codecs/struct/json.ts";
export type { SequenceCounts } from "./lib/villas/hooks/source_statistics.ts";
export { Line } from "./lib/struct/line.ts";
export type {
  DefaultFormat,
  LineAction,
  LineConnectOptions,
  LineListenOptions,
  LineOptions,
  LineProblem,
  LineStats,
} from "./lib/struct/line_options.ts";
export { LinePeer } from "./lib/struct/line_peer.ts";
export { AllowList, type Network, parseCidrList } from "./lib/net/address/allow_list.ts";
export type { TlsIdentity, TlsServing } from "./lib/net/stream/bind.ts";
export { connectStream, type ConnectStreamOptions } from "./lib/net/stream/connect.ts";
export { fixedFraming } from "./lib/net/framing/fixed.ts";
export type { Framing, Splitter } from "./lib/net/framing/framing.ts";
export {
  type LineFraming,
  lineFraming,
  type LineFramingOptions,
  type LineSplitter,
} from "./lib/net/framing/line.ts";
export { noFraming } from "./lib/net/framing/none.ts";
export {
  type BufferSource,
  type ByteSource,
  type MessageWatch,
  readMessages,
  type ReadMessagesOptions,
  readRecords,
  type ReadRecordsOptions,
} from "./lib/net/framing/read_messages.ts";
export type { ReadEnd } from "./lib/net/stream/read_side.ts";
export { retry, type RetryOptions } from "./lib/time/retry.ts";
export {
  type CloseReason,
  type GraceOptions,
  type RawConnection,
  StreamConnection,
  type StreamConnectionOptions,
} from "./lib/net/stream/connection.ts";
export {
  listenStream,
  type ListenStreamOptions,
  StreamListener,
  type StreamListenerStats,
  type StreamProblem,
} from "./lib/net/stream/listener.ts";
export { parseEscapedText } from "./lib/text/escapes.ts";
export { hexdump } from "./lib/text/hexdump.ts";
export { pythonBytes } from "./lib/text/python_bytes.ts";
export type { Answerer } from "./lib/socket/answer.ts";
export {
  ByteClient,
  connectBytes,
  type ConnectBytesOptions,
  type ReceiveOptions,
} from "./lib/socket/byte_client.ts";
export {
  connectDatagram,
  type DatagramAnswer,
  DatagramClient,
  type DatagramClientOptions,
} from "./lib/socket/datagram_client.ts";
export { exchangeDatagram, type ExchangeDatagramOptions } from "./lib/socket/exchange_datagram.ts";
export { listenBytes, type ListenBytesOptions } from "./lib/socket/listen_bytes.ts";
export {
  DatagramServer,
  type DatagramServerStats,
  listenDatagrams,
  type ListenDatagramsOptions,
} from "./lib/socket/listen_datagrams.ts";
export { ping, type PingOptions, type PingOutcome, type PingResult } from "./lib/socket/ping.ts";
export { pipeProgram, type PipeProgramOptions } from "./lib/socket/pipe_program.ts";
export { receiveDatagrams } from "./lib/socket/receive_datagrams.ts";
