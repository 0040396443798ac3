import type { Struct } from "../codecs/struct/struct.ts";
import type { StructValues } from "../codecs/struct/types.ts";

/** What handles the records of a block. */
export interface Actor<F extends string> {
  /** The format of the records. */
  readonly struct: Struct<F>;
  /** Handles a record at an offset of the block; if it returns a promise, that is waited for as `most` says. */
  readonly act: (values: StructValues<F>, block: Uint8Array, at: number) => unknown;
  /** Called with what `act` throws. */
  readonly onError: (error: unknown) => void;
  /** Whether to stop. */
  readonly stopped: () => boolean;
  /** How many records may be handled at once. */
  readonly most: () => number;
  /** Those that are, the first one first; where only one may be it is not among them. */
  readonly running: Promise<void>[];
}

/**
 * Handles the records of a block one after another. A promise is created only if handling a record returns one.
 *
 * @param block Whole records.
 * @param actor What to do with them.
 */
export async function actOnBlock<F extends string>(
  block: Uint8Array,
  { struct, act, onError, stopped, most, running }: Actor<F>,
): Promise<void> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  for (let at = 0; at < block.length && !stopped(); at += struct.size) {
    try {
      const result = act(struct.unpackFrom(view, at), block, at);
      if (typeof result !== "object" || result === null || !("then" in result)) continue;
      if (most() > 1) {
        running.push((result as Promise<unknown>).then(() => {}, onError));
        while (running.length >= most()) await running.shift();
      } else await result;
    } catch (error) {
      onError(error);
    }
  }
}
