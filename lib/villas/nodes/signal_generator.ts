/**
 * The mathematics of VILLASnode's `signal` node.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { NormalSource } from "./normal_source.ts";

/** The types of which `mixed` signals are in turn. */
const MIXED_TYPES = [
  "random",
  "sine",
  "square",
  "triangle",
  "ramp",
  "counter",
  "constant",
] as const;

/** What {@linkcode SignalGenerator} can generate, as VILLASnode's `signal` node calls it. */
export const SIGNAL_TYPES = ["mixed", ...MIXED_TYPES, "pulse"] as const;

/** The type of a signal: one of {@linkcode SIGNAL_TYPES}. */
export type SignalType = typeof SIGNAL_TYPES[number];

/** Options of {@linkcode SignalGenerator}. What can be a list has one number for each value. */
export interface SignalGeneratorOptions {
  /**
   * Which signal, {@linkcode SIGNAL_TYPES}. `"mixed"` gives every value another one.
   *
   * @default {"mixed"}
   */
  type?: SignalType;
  /**
   * How many values.
   *
   * @default {1}
   */
  values?: number;
  /**
   * Samples per second. Only `pulse` depends on it.
   *
   * @default {10}
   */
  rate?: number;
  /**
   * Frequency in Hz; of a `ramp`, its period in seconds.
   *
   * @default {1}
   */
  frequency?: number | readonly number[];
  /**
   * Amplitude; the slope of a `ramp` per second and of a `counter` per step.
   *
   * @default {1}
   */
  amplitude?: number | readonly number[];
  /**
   * What is added to every value; where the walk of a `random` signal starts.
   *
   * @default {0}
   */
  offset?: number | readonly number[];
  /**
   * Phase in radians.
   *
   * @default {0}
   */
  phase?: number | readonly number[];
  /**
   * Standard deviation of the steps of a `random` signal.
   *
   * @default {0.2}
   */
  stddev?: number | readonly number[];
  /**
   * Width of a `pulse` in periods of `rate`.
   *
   * @default {1}
   */
  pulseWidth?: number | readonly number[];
  /**
   * A `pulse` outside its width.
   *
   * @default {0}
   */
  pulseLow?: number | readonly number[];
  /**
   * A `pulse` within its width.
   *
   * @default {1}
   */
  pulseHigh?: number | readonly number[];
  /** A whole number from 0 that makes `random` signals repeatable. Without one they differ every time. */
  seed?: number;
}

/** The options that can be lists, and their defaults. */
const DEFAULTS = {
  frequency: 1,
  amplitude: 1,
  offset: 0,
  phase: 0,
  stddev: 0.2,
  pulseWidth: 1,
  pulseLow: 0,
  pulseHigh: 1,
};

/** The name of an option that can be a list. */
type ListName = keyof typeof DEFAULTS;

/** One value's part of the options, what follows from them, and the state of its random walk. */
interface Signal extends Record<ListName, number> {
  readonly type: Exclude<SignalType, "mixed">;
  /** The phase as a part of a period. */
  readonly turn: number;
  /** The part of a period in which a pulse is high. */
  readonly duty: number;
  walk: number;
}

/**
 * Generates the values of VILLASnode's `signal` node. It keeps no time: the caller says what time it is.
 *
 * With t the time since start, c the counter, f frequency, A amplitude, o offset, p phase and r rate, and frac the
 * part after the point, the values are
 *
 * | type | value |
 * |---|---|
 * | `constant` | o + A |
 * | `sine` | o + A sin(2π t f + p) |
 * | `triangle` | o + 4 A (abs(frac(t f + p/2π) − 0.5) − 0.25) |
 * | `square` | o − A if frac(t f + p/2π) < 0.5, else o + A |
 * | `ramp` | o + A fmod(t, f), as VILLASnode has it: f is its period |
 * | `counter` | o + A c |
 * | `random` | a walk from o whose steps are normal deviates |
 * | `pulse` | o + high if abs(frac(t f + p/2π)) ≤ width / r, else o + low |
 * | `mixed` | value i is number i mod 7 of random, sine, square, triangle, ramp, counter, constant |
 *
 * @example A square and a triangle wave
 * ```ts
 * import { SignalGenerator } from "@labwire/labwire/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const square = new SignalGenerator({ type: "square", values: 2, amplitude: [1, 5] });
 * assertEquals(square.next(0.25, 0), [-1, -5]);
 * assertEquals(square.next(0.75, 1), [1, 5]);
 *
 * const triangle = new SignalGenerator({ type: "triangle" });
 * assertEquals([0, 0.25, 0.5, 0.75].map((t, c) => triangle.next(t, c)[0]), [1, 0, -1, 0]);
 * ```
 */
export class SignalGenerator {
  readonly #signals: Signal[];
  readonly #normal: NormalSource;

  /**
   * Makes the generator.
   *
   * @param options Which signals.
   * @throws {UsageError} If an option is out of range, or a list has neither one number nor one for each value.
   */
  constructor(options: SignalGeneratorOptions = {}) {
    this.#signals = signalsOf(options);
    if (options.seed !== undefined && !(Number.isSafeInteger(options.seed) && options.seed >= 0)) {
      throw new UsageError(`Cannot use seed ${options.seed}: expected a whole number from 0`);
    }
    this.#normal = new NormalSource(options.seed);
  }

  /**
   * Generates the values of the next sample. Every call is one step of the random walks.
   *
   * @param t Time since start, in seconds.
   * @param counter Number of the sample since start, from 0.
   * @param out Where to put the values, instead of a new array.
   * @returns One number for each value.
   */
  next(t: number, counter: number, out: number[] = []): number[] {
    const signals = this.#signals;
    out.length = signals.length;
    for (let i = 0; i < signals.length; i++) out[i] = this.#valueOf(signals[i]!, t, counter);
    return out;
  }

  #valueOf(signal: Signal, t: number, counter: number): number {
    const { type, frequency, amplitude, offset, phase, turn } = signal;
    switch (type) {
      case "random":
        return signal.walk += signal.stddev * this.#normal.next();
      case "sine":
        return offset + amplitude * Math.sin(t * frequency * 2 * Math.PI + phase);
      case "square":
        return offset + amplitude * ((t * frequency + turn) % 1 < 0.5 ? -1 : 1);
      case "triangle":
        return offset + amplitude * (Math.abs((t * frequency + turn) % 1 - 0.5) - 0.25) * 4;
      case "ramp":
        return offset + amplitude * (t % frequency);
      case "counter":
        return offset + amplitude * counter;
      case "constant":
        return offset + amplitude;
      case "pulse": {
        const inside = Math.abs((t * frequency + turn) % 1) <= signal.duty;
        return offset + (inside ? signal.pulseHigh : signal.pulseLow);
      }
    }
  }
}

function signalsOf(options: SignalGeneratorOptions): Signal[] {
  const { type = "mixed", values = 1, rate = 10 } = options;
  checkShape(type, values, rate);
  const lists = {} as Record<ListName, readonly number[]>;
  for (const name of Object.keys(DEFAULTS) as ListName[]) {
    lists[name] = listOf(name, options[name] ?? DEFAULTS[name], values);
  }
  return Array.from({ length: values }, (_, i) => {
    const own = { ...DEFAULTS };
    for (const name of Object.keys(own) as ListName[]) {
      own[name] = lists[name][lists[name].length === 1 ? 0 : i]!;
    }
    return {
      ...own,
      type: type === "mixed" ? MIXED_TYPES[i % MIXED_TYPES.length]! : type,
      turn: own.phase / (2 * Math.PI),
      duty: own.pulseWidth / rate,
      walk: own.offset,
    };
  });
}

function checkShape(type: SignalType, values: number, rate: number): void {
  if (!SIGNAL_TYPES.includes(type)) {
    throw new UsageError(`Cannot generate signal "${type}": expected ${SIGNAL_TYPES.join(", ")}`);
  }
  if (!(Number.isSafeInteger(values) && values >= 1)) {
    throw new UsageError(`Cannot generate ${values} values: expected a whole number from 1`);
  }
  if (!(rate > 0 && rate < Infinity)) {
    throw new UsageError(`Cannot use rate ${rate}: expected a number greater than 0`);
  }
}

/** Checks an option that has one number for all values or one for each. */
function listOf(
  name: ListName,
  given: number | readonly number[],
  values: number,
): readonly number[] {
  const list = typeof given === "number" ? [given] : given;
  if (list.length !== 1 && list.length !== values) {
    const wanted = values === 1 ? "1" : `1, or ${values} for as many values`;
    throw new UsageError(`Cannot use ${list.length} numbers for ${name}: expected ${wanted}`);
  }
  for (const number of list) {
    if (!Number.isFinite(number)) {
      throw new UsageError(`Cannot use ${number} for ${name}: expected a finite number`);
    }
    if (name === "stddev" && number < 0) {
      throw new UsageError(`Cannot use ${number} for ${name}: expected a number from 0`);
    }
  }
  return list;
}
