import type { Lane } from "./lane.ts";
import { crossing } from "./measure.ts";

/** What a trigger waits for. */
export interface TriggerSettings {
  /** The channel that it looks at. */
  readonly channel: number;
  /** Which way the trace has to go through the level. */
  readonly slope: "rising" | "falling" | "either";
  /** The level. */
  readonly level: number;
  /** How far the trace has to be on the other side first; 0 for none. */
  readonly hysteresis: number;
  /** Seconds after one event before the next one counts. */
  readonly holdoff: number;
}

/** Finds where a trace goes through a level, in samples as they come. */
export class Trigger {
  readonly #settings: TriggerSettings;
  #next: number;
  #below = false;
  #above = false;
  #time = NaN;
  #value = NaN;
  #last = -Infinity;

  /**
   * @param settings What to wait for.
   * @param first The number of the first sample to look at.
   */
  constructor(settings: TriggerSettings, first: number) {
    this.#settings = settings;
    this.#next = first;
  }

  /**
   * Looks at the samples that have come.
   *
   * @param lane The samples.
   * @param onEvent Called with the time of each event, in s.
   */
  scan(lane: Lane, onEvent: (time: number) => void): void {
    const raw = lane.levels[0]!;
    const { channel, slope, level, hysteresis } = this.#settings;
    const [low, high] = [level - hysteresis, level + hysteresis];
    raw.visit(this.#next, raw.next, (chunk, start, stop) => {
      const values = chunk.data[channel];
      if (!values) return;
      for (let i = start; i < stop; i++) {
        const [time, value] = [chunk.from[i]!, values[i]!];
        // An edge across a gap may never have been there.
        if (chunk.gaps[i] === 1 || value !== value) this.#below = this.#above = false;
        if (this.#below && value >= level && slope !== "falling") this.#fire(time, value, onEvent);
        if (this.#above && value <= level && slope !== "rising") this.#fire(time, value, onEvent);
        if (value >= level) this.#below = false;
        if (value <= level) this.#above = false;
        if (value <= low && value < level) this.#below = true;
        if (value >= high && value > level) this.#above = true;
        [this.#time, this.#value] = [time, value];
      }
    });
    this.#next = raw.next;
  }

  #fire(time: number, value: number, onEvent: (time: number) => void): void {
    const { level, holdoff } = this.#settings;
    const at = crossing(this.#time, this.#value, time, value, level);
    if (at - this.#last < holdoff) return;
    this.#last = at;
    onEvent(at);
  }
}
