import { UsageError } from "../errors.ts";
import type { Pace } from "./node.ts";
import { FileNode, type FileNodeOptions } from "./nodes/file.ts";
import { type SendingOptions, SignalSource } from "./signal_source.ts";

/** How a recording is sent. */
export type VillasReplayOptions =
  & Omit<SendingOptions, "limit" | "vectorize" | "realtime">
  & Omit<FileNodeOptions, keyof Pace | "burst">;

/** A recording that is being sent. */
export interface VillasReplay {
  /** Sends it, and checks what comes back. */
  readonly source: SignalSource;
  /** Reads it. */
  readonly file: FileNode;
}

/**
 * Sends a recording again, as VILLASnode's `file` node does behind a `socket` node, and takes what comes back.
 *
 * @param options The file, its pace, the addresses and the end.
 * @returns What sends it, and what reads it.
 * @throws {UsageError} If an option does not fit, the file cannot be read, or an address cannot be bound.
 * @throws {ConnectError} If the name of `to` cannot be resolved.
 *
 * @example A file, to an echo and back
 * ```ts
 * import { startVillasEcho, startVillasReplay } from "@labwire/labwire/villas";
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const path = Deno.makeTempFileSync();
 * Deno.writeTextFileSync(path, "1795253843.000000005(1)\t0.5\n1795253843.001000005(2)\t1.5\n");
 * await using echo = await startVillasEcho({ listen: "127.0.0.1:0", anySource: true, replyTo: "sender" });
 * const { source } = await startVillasReplay({
 *   path,
 *   format: villasFormat("villas.human"),
 *   listen: "127.0.0.1:0",
 *   to: echo.addr,
 * });
 * await source.finished;
 * assertEquals(source.stats.returned, 2);
 * await source.close();
 * Deno.removeSync(path);
 * ```
 */
export async function startVillasReplay(options: VillasReplayOptions): Promise<VillasReplay> {
  const { speed = 1, rate, returns, path, format } = options;
  for (const [name, value] of [["speed", speed], ["rate", rate ?? 1]] as const) {
    if (!(value > 0)) {
      throw new UsageError(`Cannot use a ${name} of ${value}: expected more than 0`);
    }
  }
  // What comes back paces the samples where the clock does not.
  const burst = returns !== false && rate === undefined && speed === Infinity
    ? Infinity
    : undefined;
  const at: { pace?: Pace } = {};
  const file = await FileNode.open({
    ...options,
    ...{ path, format, burst },
    now: () => at.pace!.now(),
    onStep: (step) => at.pace!.onStep(step),
  });
  try {
    const source = await SignalSource.open(options, (pace) => {
      at.pace = pace;
      return file;
    });
    return { source, file };
  } catch (error) {
    await file.close();
    throw error;
  }
}
