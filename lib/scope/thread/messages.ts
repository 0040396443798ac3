import type { HostPort } from "../../net/address/address.ts";
import type { LaneDescription } from "../feed.ts";
import type { PlotSize } from "../plot/plot.ts";
import type { SignalInfo } from "../store/lane.ts";
import type { Statistic } from "../viewer.ts";
import type { Fault } from "./fault.ts";

/** What the other thread is told first. */
export interface Start {
  /** What the samples come through. */
  readonly memory: SharedArrayBuffer;
  /** What there is to see. */
  readonly lanes: readonly LaneDescription[];
  /** Names and units of the signals. */
  readonly signals?: readonly SignalInfo[];
  /** Seconds of which every sample is kept. */
  readonly history?: number;
  /** Where to serve the page; nowhere if it is left out. */
  readonly listen?: HostPort;
  /** The page's title. */
  readonly title?: string;
  /** Whether something may be changed from the page. */
  readonly hasControl: boolean;
}

/** What goes to the thread of a scope. */
export type ToThread =
  | { readonly type: "start"; readonly start: Start }
  | { readonly type: "wake" }
  | { readonly type: "statistics"; readonly statistics: readonly Statistic[] }
  | {
    readonly type: "answer";
    readonly id: number;
    readonly value?: unknown;
    readonly error?: Fault;
  }
  | { readonly type: "draw"; readonly size: PlotSize }
  | { readonly type: "press"; readonly key: string }
  | { readonly type: "close" };

/** What comes from it. */
export type FromThread =
  | { readonly type: "loaded" }
  | { readonly type: "started"; readonly addr?: HostPort; readonly url?: string }
  | { readonly type: "failed"; readonly error: Fault }
  | { readonly type: "problem"; readonly kind: string; readonly message: string }
  | { readonly type: "statistics" }
  | { readonly type: "describe"; readonly id: number }
  | { readonly type: "change"; readonly id: number; readonly change: Record<string, unknown> }
  | { readonly type: "drawn"; readonly lines: string[] }
  | { readonly type: "closed" };
