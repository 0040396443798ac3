import type { Sample, Value } from "../../../lib/codecs/villas/sample.ts";
import { bitsOf } from "../struct/random_values.ts";

/** Samples in the words of `tests/interop/parse_messages.py`. */
export function described(samples: Sample[]): unknown {
  return samples.map(({ type, sequence, origin, received, newFrame, values }) => ({
    type: ["data", "start", "stop"].indexOf(type) + 1,
    ...(sequence === undefined ? {} : { sequence: sequence.toString() }),
    ...(origin === undefined ? {} : { origin: [origin.sec, origin.nsec] }),
    ...(received === undefined ? {} : { received: [received.sec, received.nsec] }),
    ...(newFrame === undefined ? {} : { newFrame }),
    values: values.map(partsOf),
  }));
}

function partsOf(value: Value): unknown[] {
  if (typeof value === "number") return ["f", bitsOf(value)];
  if (typeof value === "bigint") return ["i", value.toString()];
  if (typeof value === "boolean") return ["b", value];
  return value === null ? [] : ["z", bitsOf(value.real), bitsOf(value.imag)];
}
