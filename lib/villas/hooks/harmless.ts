import { kindOf, type Sample } from "../../codecs/villas/sample.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import type { Hook } from "../path.ts";
import { Refusal } from "./expected.ts";

/**
 * Makes the hook that lets nothing go to VILLASnode on which it aborts: samples of another type than DATA, values that are unset, and,
 * where the signals were stated, values of another kind.
 *
 * @param signals The signals that VILLASnode expects.
 */
export function harmless(signals: readonly Signal[] = []): Hook {
  return {
    process(batch) {
      for (const sample of batch.samples) check(sample, signals);
      return batch;
    },
  };
}

/** @throws {Refusal} If VILLASnode aborts on a sample; the message is the rest of a sentence. */
function check({ type, values }: Sample, signals: readonly Signal[]): void {
  if (type !== "data") {
    throw new Refusal(`its type is ${type.toUpperCase()}, and VILLASnode aborts on it`);
  }
  for (let i = 0; i < values.length; i++) {
    const kind = kindOf(values[i]!);
    if (kind === "unset") throw new Refusal(`value ${i} is unset, and VILLASnode aborts on it`);
    const wanted = signals[i]?.type ?? kind;
    if (kind === wanted) continue;
    throw new Refusal(
      `the kind of value ${i} is ${kind}, and that of its signal is ${wanted}: VILLASnode aborts on it`,
    );
  }
}
