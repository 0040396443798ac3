/**
 * What stands in for either side of VILLASnode's Lab 19: an echo that answers samples, and a source that sends signals.
 *
 * @example Three samples to an echo and back
 * ```ts
 * import { startVillasEcho, startVillasSignal } from "@labwire/labwire/villas";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = await startVillasEcho({ listen: "127.0.0.1:0", anySource: true, replyTo: "sender" });
 * await using source = await startVillasSignal({ listen: "127.0.0.1:0", to: echo.addr, rate: 100, limit: 3 });
 * await source.finished;
 * assertEquals(source.stats.returned, 3);
 * ```
 *
 * @module
 */

export { CodecError, ConnectError, UsageError } from "../errors.ts";
export { type Echo, startVillasEcho } from "./echo.ts";
export type {
  VillasEchoMessage,
  VillasEchoOptions,
  VillasEchoProblem,
  VillasEchoStats,
} from "./echo_options.ts";
export type { BatchHandler, BatchReplies } from "./hooks/batch_handler.ts";
export type { Reply, SampleHandler } from "./hooks/handler.ts";
export type { ReturnedSample } from "./hooks/returns.ts";
export { SequenceTracker } from "./hooks/sequence_tracker.ts";
export type { SequenceCounts } from "./hooks/source_statistics.ts";
export {
  SIGNAL_TYPES,
  SignalGenerator,
  type SignalGeneratorOptions,
  type SignalType,
} from "./nodes/signal_generator.ts";
export { type EndpointProblem, type Layer, type LayerOptions, LAYERS } from "./nodes/endpoint.ts";
export type { SampleReader } from "./nodes/input.ts";
export type { SocketNodeProblem } from "./nodes/socket.ts";
export {
  type Batch,
  batchOf,
  type BatchOrigin,
  type Pace,
  type SampleNode,
  type SourceNode,
} from "./node.ts";
export { type Destination, type Hook, Path, type PathOptions, type Tap } from "./path.ts";
export { startVillasPipe, type VillasPipe } from "./pipe.ts";
export type {
  VillasPipeInput,
  VillasPipeOptions,
  VillasPipeProblem,
  VillasPipeStats,
} from "./pipe_options.ts";
export type { FileNode, FileNodeOptions, RecordingTime } from "./nodes/file.ts";
export { startVillasReplay, type VillasReplay, type VillasReplayOptions } from "./replay.ts";
export { readSamples, type SampleStreamOptions } from "./sample_stream.ts";
export { type SendingOptions, type SignalSource, startVillasSignal } from "./signal_source.ts";
export type {
  VillasSignalOptions,
  VillasSignalProblem,
  VillasSignalStats,
} from "./signal_source_options.ts";
