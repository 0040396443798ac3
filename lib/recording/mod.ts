/**
 * Recordings: what happens, written into files in the background, in another file at each size or time, and without ever
 * holding up the program that records.
 *
 * @example A log with a file for each hour
 * ```ts
 * import { parseRotation, Recorder } from "@labwire/labwire/recording";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = Deno.makeTempDirSync();
 * const recorder = await Recorder.open({ path: `${folder}/volts-%Y%m%d-%H.csv`, rotate: parseRotation("1h") });
 * for (const volts of [1.25, 1.5]) recorder.write(new TextEncoder().encode(`${volts}\n`));
 * await recorder.close();
 * assertEquals(Deno.readTextFileSync(recorder.path), "1.25\n1.5\n");
 * Deno.removeSync(folder, { recursive: true });
 * ```
 *
 * @module
 */

export { UsageError } from "../errors.ts";
export {
  Recorder,
  type RecorderOptions,
  type RecorderProblem,
  type RecorderStats,
} from "./recorder.ts";
export type { Clock } from "../time/clock.ts";
export { parseRotation, type Rotation } from "./rotation.ts";
