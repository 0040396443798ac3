/**
 * What happens, written into files in the background: with rotation, and without ever holding up who records.
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
