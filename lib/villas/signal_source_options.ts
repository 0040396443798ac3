import type { Format } from "../codecs/villas/format.ts";
import type { Endpoint } from "../net/address/address.ts";
import type { LatencySummary } from "../time/latency.ts";
import type { Timestamp } from "../time/timestamp.ts";
import type { ReturnedSample } from "./hooks/returns.ts";
import type { EndpointProblem, LayerOptions } from "./nodes/endpoint.ts";
import type { SignalGeneratorOptions } from "./nodes/signal_generator.ts";
import type { Tap } from "./path.ts";

/** Something that went wrong with one datagram; the source goes on. */
export interface VillasSignalProblem {
  /**
   * `send`: the system did not take it. `invalid`: what came does not decode. `ignored`: it came from another address than `to`,
   * `own`: from the source's own; each address is reported once. `waiting`: nobody listens at the TCP port of `to` yet. `connection`: a
   * TCP connection was made or lost.
   */
  readonly kind: EndpointProblem["kind"];
  /** What happened, for a person. */
  readonly message: string;
  /** The sender, or the address that was to receive. */
  readonly from: Endpoint;
  /** What the system said, if it did. */
  readonly error?: unknown;
}

/** How a signal source works. */
export interface VillasSignalOptions extends SignalGeneratorOptions, LayerOptions {
  /** Samples to send. Default: endless. */
  limit?: number;
  /** Samples per datagram. Default: 1. */
  vectorize?: number;
  /** Send at `rate`; otherwise as fast as the other end answers. Default: true. */
  realtime?: boolean;
  /** Where to bind, as text or taken apart. Default: `0.0.0.0:12000`; `localhost:12000` with `layer: "tcp-server"`. */
  listen?: string | Endpoint;
  /** Where to send to. Default: `127.0.0.1:12001`. */
  to?: string | Endpoint;
  /** Take samples back from every address, not only from `to`. Default: false. */
  anySource?: boolean;
  /** Whether samples are to come back; otherwise the source only sends, and ignores what comes. Default: true. */
  returns?: boolean;
  /** How long to wait for the last samples to come back, in s. Default: 1. */
  wait?: number;
  /** The format of the messages. Default: VILLASnode's protobuf. */
  codec?: Format;
  /** Ends the source when aborted. */
  signal?: AbortSignal;
  /** Called with each sample that comes back; a promise is waited for. What it throws is reported as an `error` event. */
  onReturn?: (returned: ReturnedSample) => void | Promise<void>;
  /** Shown what comes back; a promise is waited for. */
  taps?: readonly Tap[];
  /** Shown what is sent; a promise is waited for. */
  sentTaps?: readonly Tap[];
  /** Called when something is wrong with one datagram. What it throws is reported as an `error` event. */
  onProblem?: (problem: VillasSignalProblem) => void;
  /** The wall clock. Default: the system's. */
  now?: () => Timestamp;
}

/** What a signal source has counted so far. */
export interface VillasSignalStats {
  /** Samples sent; with several in a datagram, each that the system did not take counts as a full one. */
  sent: number;
  /** Samples that came back, each counted once. */
  returned: number;
  /** Samples that have not come back. */
  lost: number;
  /** Samples that came back with other values or timestamps. */
  changed: number;
  /** Samples that came back again, or were never sent. */
  unexpected: number;
  /** Datagrams that did not decode. */
  invalid: number;
  /** Datagrams from addresses other than `to`, and from the source's own. */
  ignored: number;
  /** Datagrams that the system did not take, and samples that the format cannot carry. */
  unsent: number;
  /** Timer steps left out because the source was late; they show as gaps in the sequence. */
  missedSteps: number;
  /** Datagrams that this computer threw away, as its receive buffer was full; undefined where the system does not say. */
  dropped?: number;
  /** Time from sending to coming back, in µs. */
  roundTrip: LatencySummary;
}
