/**
 * Trying again, and how long things took.
 *
 * @example Until it works
 * ```ts
 * import { retry } from "@labwire/labwire/time";
 * import { assertEquals } from "@std/assert";
 *
 * let tries = 0;
 * const result = await retry(() => {
 *   if (++tries < 3) throw new Error("not yet");
 *   return Promise.resolve(tries);
 * }, { attempts: 5, retryDelay: 0 });
 * assertEquals(result, 3);
 * ```
 *
 * @module
 */

export type { LatencySummary } from "./latency.ts";
export { retry, type RetryOptions } from "./retry.ts";
