import type { Format } from "../codecs/villas/format.ts";
import type { Sample, Timestamp } from "../codecs/villas/sample.ts";
import type { SignalsLike } from "../codecs/villas/signals.ts";
import type { Endpoint } from "../net/address/address.ts";
import type { BatchHandler } from "./hooks/batch_handler.ts";
import type { SampleHandler } from "./hooks/handler.ts";
import type { SequenceCounts } from "./hooks/source_statistics.ts";
import type { EndpointProblem, LayerOptions } from "./nodes/endpoint.ts";
import type { Tap } from "./path.ts";

/** A message as it arrived. */
export interface VillasEchoMessage {
  /** Its samples, as they are on the wire. */
  readonly samples: readonly Sample[];
  /** When it arrived. */
  readonly received: Timestamp;
  /** Its bytes. Valid during the callback only. */
  readonly bytes: Uint8Array;
  /** Who sent it. */
  readonly from: Endpoint;
}

/** Something that went wrong with one datagram; the echo goes on. */
export interface VillasEchoProblem {
  /**
   * `dropped`: the handler was too slow for it, or the echo ended before. `invalid`: it did not decode. `refused`: VILLASnode could have
   * aborted on the reply. `handler`: the handler threw. `ignored`: the first datagram from an address that is not the remote. `own`: the first that seems to come from the echo itself.
   * `send`: the system did not take the reply. `waiting`: the remote's unix socket does not exist yet, reported once a second, or nobody
   * listens at its TCP port. `connection`: a TCP connection was made or lost.
   */
  readonly kind: "refused" | "handler" | "dropped" | EndpointProblem["kind"];
  /** What happened, for a person. */
  readonly message: string;
  /** Who sent the datagram, or who is waited for. */
  readonly from: Endpoint;
  /** What the handler threw, if it did. */
  readonly error?: unknown;
  /** Whether a reply was refused because the `signals` that VILLASnode expects were not stated. */
  readonly unstated?: boolean;
}

/** How an echo works. */
export interface VillasEchoOptions extends LayerOptions {
  /**
   * Where to bind, as text or taken apart. Default: `0.0.0.0:12001`, or `[::]:12001` for an IPv6 remote; `localhost:12001` with
   * `layer: "tcp-server"`.
   */
  listen?: string | Endpoint;
  /** VILLASnode. Default: `127.0.0.1:12000`. A `tcp-server` has its clients instead. */
  remote?: string | Endpoint;
  /** Which address gets the replies: the remote, or the sender of the message. Default: `remote`. */
  replyTo?: "remote" | "sender";
  /** Handle datagrams from every address, not only from the remote. Default: false. */
  anySource?: boolean;
  /** The format of the messages. Default: VILLASnode's protobuf. */
  codec?: Format;
  /**
   * The signals that the remote expects: one type for each, or in a notation of {@linkcode parseSignals}, such as `5f1i`. A reply that has other
   * ones is refused. Default: those in what arrives; of samples that come from elsewhere and go to the remote, those that the
   * remote has sent last.
   */
  signals?: SignalsLike;
  /** Reply with these values instead of the received ones, each in the kind expected at its place. */
  constant?: readonly (number | bigint)[];
  /** Makes the reply to each sample. */
  handler?: SampleHandler;
  /** Makes the replies to the samples of several messages together, instead of `handler`; of one message with `concurrency`. */
  batchHandler?: BatchHandler;
  /** How many messages may be handled at once; replies leave in the order of the messages. Default: 1. */
  concurrency?: number;
  /** End after this many messages. Default: never. */
  count?: number;
  /** Seconds that the message being handled may take when the echo ends. Default: 1. */
  grace?: number;
  /** Ends the echo when aborted. */
  signal?: AbortSignal;
  /** Called with each message before it is answered; a promise is waited for. What it throws is reported as an `error` event. */
  onMessage?: (message: VillasEchoMessage) => void | Promise<void>;
  /** Shown what arrives; a promise is waited for. */
  taps?: readonly Tap[];
  /** Shown what is sent; a promise is waited for. */
  sentTaps?: readonly Tap[];
  /**
   * Milliseconds to wait for the next message over UDP without letting anything else in this process run, which makes replies quicker by
   * about 30 µs; for a program that does nothing else. Default: 0.
   */
  linger?: number;
  /** Called with each problem. What it throws is reported as an `error` event. */
  onProblem?: (problem: VillasEchoProblem) => void;
  /** The wall clock. Default: the system's. */
  now?: () => Timestamp;
}

/** What an echo has counted so far. */
export interface VillasEchoStats extends SequenceCounts {
  /** Messages that decoded. */
  messages: number;
  /** Samples in them. */
  samples: number;
  /** Bytes of them. */
  bytes: number;
  /** Replies sent. */
  replies: number;
  /** Datagrams that did not decode. */
  invalid: number;
  /** Replies held back because VILLASnode could have aborted on them. */
  refused: number;
  /** Datagrams from addresses other than the remote, and from the echo's own. */
  ignored: number;
  /** Messages whose handler threw. */
  failed: number;
  /** Replies that the system did not take. */
  unsent: number;
  /** Messages dropped in this computer: its receive buffer was full, the handler was too slow for them, or the echo ended before. */
  dropped: number;
  /** Those of them that the receive buffer had no room for; undefined where the system does not say. */
  overflowed?: number;
  /** Time since the first message, in s. */
  seconds: number;
}
