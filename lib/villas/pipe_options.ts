import type { Format } from "../codecs/villas/format.ts";
import type { Timestamp } from "../codecs/villas/sample.ts";
import type { SignalsLike } from "../codecs/villas/signals.ts";
import type { Endpoint } from "../net/address/address.ts";
import type { EndpointProblem, LayerOptions } from "./nodes/endpoint.ts";
import type { SampleReader } from "./nodes/input.ts";
import type { Tap } from "./path.ts";

/** Something that went wrong; the pipe goes on. */
export interface VillasPipeProblem extends Omit<EndpointProblem, "kind" | "from"> {
  /**
   * As of a socket; `refused`: the format cannot carry a sample, or VILLASnode would abort on it; `bad`: a piece of the input is no
   * sample; `leftOut`: a sample that arrived lacks values, which VILLASnode leaves out of JSON where they are not finite.
   */
  readonly kind: EndpointProblem["kind"] | "refused" | "bad" | "leftOut";
  /** The other end, where it concerns one. */
  readonly from?: Endpoint;
}

/** What goes into a pipe. */
export interface VillasPipeInput {
  /** The bytes, as they come. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What makes samples of them: a format's `stream.decoder()`, or a {@linkcode ColumnsDecoder}. */
  readonly decoder: SampleReader;
  /** Whether integers and truth values are floats. Default: false. */
  readonly floats?: boolean;
}

/** How a pipe works. */
export interface VillasPipeOptions extends LayerOptions {
  /** Where to bind, as text or taken apart. Default: `0.0.0.0:12001`; `localhost:12001` with `layer: "tcp-server"`. */
  readonly listen?: string | Endpoint;
  /** VILLASnode. Default: `127.0.0.1:12000`. */
  readonly remote?: string | Endpoint;
  /** Take samples from every address, not only from the remote. Default: false. */
  readonly anySource?: boolean;
  /** The format of the messages. Default: VILLASnode's protobuf. */
  readonly codec?: Format;
  /**
   * Write as VILLASnode writes, and read as it reads, so that a client of VILLASnode such as `villas-echo` can be the other end; it matters
   * for csv, tsv, value, and complex values in raw and gtnet. Default: false, VILLASnode is the other end.
   */
  readonly asNode?: boolean;
  /** The signals of the messages; samples with values of other kinds are not sent. Default: those in the samples, or floats. */
  readonly signals?: SignalsLike;
  /** What is sent. Default: nothing, the pipe only receives. */
  readonly input?: VillasPipeInput;
  /** Called with what arrives; a promise is waited for. Default: nothing is received, the pipe only sends. */
  readonly onBatch?: Tap;
  /** Keep the time between samples that their timestamps say; otherwise as they come. Default: false. */
  readonly realtime?: boolean;
  /** Samples in each datagram. Default: 1. */
  readonly vectorize?: number;
  /** Samples to send. Default: all. */
  readonly limitSent?: number;
  /** Samples to receive; the pipe ends when it has them, and not before. Default: as many as come. */
  readonly limitReceived?: number;
  /** How long to wait for each further answer to what was sent when the input is at its end, in s. Default: 1. */
  readonly wait?: number;
  /** Ends the pipe when aborted. */
  readonly signal?: AbortSignal;
  /** Shown what arrives; a promise is waited for. */
  readonly taps?: readonly Tap[];
  /** Shown what is sent; a promise is waited for. */
  readonly sentTaps?: readonly Tap[];
  /** Called with each problem. What it throws is reported as an `error` event. */
  readonly onProblem?: (problem: VillasPipeProblem) => void;
  /** The wall clock. Default: the system's. */
  readonly now?: () => Timestamp;
}

/** What a pipe has counted so far. */
export interface VillasPipeStats {
  /** Samples sent; with several in a message, each that is `unsent` counts as a full one. */
  readonly sent: number;
  /** Samples received and handed on. */
  readonly received: number;
  /** Pieces of the input that are no samples. */
  readonly bad: number;
  /** Samples that the format cannot carry, or that VILLASnode would abort on. */
  readonly refused: number;
  /** Datagrams that did not decode. */
  readonly invalid: number;
  /** Datagrams from addresses other than the remote, and from the pipe's own. */
  readonly ignored: number;
  /** Messages that the system did not take, or that had nowhere to go; of those to several clients, what none of them has got. */
  readonly unsent: number;
  /** Datagrams that arrived while the program was busy, and for which there was no room; undefined where the system does not tell. */
  readonly dropped?: number | undefined;
}
