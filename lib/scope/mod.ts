/**
 * A live oscilloscope in the browser, for samples that a program receives and sends.
 *
 * @example A sine, for whoever opens the address
 * ```ts
 * import { Feed, startScope } from "@labwire/labwire/scope";
 * import { assertEquals } from "@std/assert";
 *
 * const feed = new Feed({ lanes: [{ name: "received" }] });
 * await using scope = startScope({ feed, listen: { hostname: "127.0.0.1", port: 0 } });
 * feed.add(0, [{ type: "data", sequence: 0n, values: [Math.sin(1)] }]);
 * assertEquals(scope.viewers, 0);
 * ```
 *
 * @module
 */

export { ConnectError, UsageError } from "../errors.ts";
export { Feed, type FeedOptions, type LaneDescription, type LaneStatistics } from "./feed.ts";
export { type Scope, type ScopeControl, type ScopeOptions, startScope } from "./scope.ts";
export { type Channel, Lane, type LaneOptions, type Part, type SignalInfo } from "./store/lane.ts";
export { ScopeThread, type ScopeThreadOptions, startScopeThread } from "./thread/thread.ts";
export type { PlotSize } from "./plot/plot.ts";
export type { Statistic } from "./viewer.ts";
