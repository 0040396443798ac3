import type { Value } from "../codecs/villas/sample.ts";
import type { Feed } from "./feed.ts";
import { type Block, encodeFrame } from "./protocol.ts";
import type { Lane } from "./store/lane.ts";
import { measure, type Measurement } from "./store/measure.ts";
import { copyPoints, reduceToColumns } from "./store/reduce.ts";
import { laneSpectrum } from "./store/spectrum.ts";
import { Trigger } from "./store/trigger.ts";
import type { View } from "./view.ts";

/** Seconds between two frames at least: a little less than two ticks of the scope, so that a tick that is early is not left out. */
const FRAME_SECONDS = 1 / 50;
/** Seconds between two looks at values, statistics and measurements. */
const STATE_SECONDS = 0.25;
/** Seconds between two spectra or pictures of X over Y. */
const EXTRA_SECONDS = 0.1;
/** Numbers in a frame at most. */
const MOST_NUMBERS = 1 << 21;
/** Points of a picture of X over Y. */
const XY_POINTS = 8192;
/** Seconds without an event after which a trigger in the mode "auto" shows the stream. */
const AUTO_SECONDS = 0.5;
/** A view that takes longer than this to fill up after its event is shown while it does, in s. */
const PATIENCE = 0.3;

/** Traces that are read at once, before what the path has to do gets its turn again. */
const TOGETHER = 16;

/** A number that is told beside the traces. */
export interface Statistic {
  /** What it is. */
  readonly name: string;
  /** How many. */
  readonly value: number;
  /** Its unit, if it has one. */
  readonly unit?: string;
}

/** How a viewer is served. */
export interface ViewerOptions {
  /** What there is to see. */
  readonly feed: Feed;
  /** Numbers that are told beside the traces. */
  readonly statistics: () => readonly Statistic[];
  /** How much of a recording has been read, from 0 to 1. */
  readonly progress?: () => number;
  /** What the page should know first, as JSON; made anew when there are more channels. */
  readonly describe: () => Promise<Record<string, unknown>>;
  /** Sends a message; resolves when the system has taken it. */
  readonly send: (message: string | Uint8Array) => Promise<boolean>;
}

/** How far a lane has been sent. */
interface Sent {
  mode: "points" | "columns";
  /** The next point, or column. */
  next: number;
}

/**
 * What one viewer is sent. Nothing goes out until the page draws what it got last: a slow or sleeping viewer loses frames and costs no
 * memory.
 */
export class Viewer {
  readonly #options: ViewerOptions;
  #view: View | undefined;
  #isReady = true;
  #isSending = false;
  #described = -1;
  #framed = -Infinity;
  #stated = -Infinity;
  #extra = -Infinity;
  #sent: (Sent | undefined)[] = [];
  /** When each lane ended as its columns were sent last. */
  readonly #ends: number[] = [];
  #trigger: Trigger | undefined;
  #event = NaN;
  #next = NaN;
  #isShown = false;
  #eventSeen = -Infinity;
  #done = -Infinity;
  /** What was measured last of each channel of each lane, and which one of all had its turn. */
  #measured: Map<number, Measurement>[] = [];
  #turn = Infinity;

  /** @param options What to serve. */
  constructor(options: ViewerOptions) {
    this.#options = options;
  }

  /** The page has drawn the last frame. */
  ready(): void {
    this.#isReady = true;
  }

  /** The page wants to see something else. */
  show(view: View): void {
    const before = this.#view;
    this.#view = view;
    this.#sent = [];
    this.#measured = [];
    this.#done = this.#extra = -Infinity;
    this.#isShown = false;
    const { trigger } = view;
    if (JSON.stringify(before?.trigger) === JSON.stringify(trigger)) return;
    this.#event = this.#next = NaN;
    const lane = trigger && this.#options.feed.lanes[trigger.lane];
    this.#trigger = lane ? new Trigger(trigger, lane.levels[0]!.next) : undefined;
  }

  /**
   * Sends what is new, if the viewer is ready for it.
   *
   * @param now Any clock in s.
   */
  async tick(now: number): Promise<void> {
    this.#watch();
    if (!this.#isReady || this.#isSending || now - this.#framed < FRAME_SECONDS) return;
    this.#isSending = true;
    try {
      const { feed, describe, send } = this.#options;
      const channels = feed.lanes.reduce((sum, { channels }) => sum + channels.length, 0);
      if (channels !== this.#described) {
        if (!await send(JSON.stringify({ type: "hello", ...await describe() }))) return;
        this.#described = channels;
      }
      const view = this.#view;
      if (!view) return;
      const blocks = await this.#blocks(view, now);
      if (this.#view !== view) return; // it has changed meanwhile
      const isStateDue = now - this.#stated >= STATE_SECONDS;
      if (blocks.length === 0 && !isStateDue) return;
      this.#isReady = false;
      this.#framed = now;
      if (isStateDue) {
        this.#stated = now;
        if (!await send(JSON.stringify(this.#state(view)))) return;
      }
      const trigger = this.#isTriggered(view) ? this.#event : undefined;
      await send(encodeFrame({ view: view.id, end: feed.end, trigger, blocks }));
    } finally {
      this.#isSending = false;
    }
  }

  /** Looks for events of the trigger in what has come. */
  #watch(): void {
    const view = this.#view;
    const settings = view?.trigger;
    if (!settings || !this.#trigger) return;
    const lane = this.#options.feed.lanes[settings.lane]!;
    const after = (1 - settings.position) * view.span;
    this.#trigger.scan(lane, (time) => {
      if (settings.mode === "single" && !Number.isNaN(this.#event)) return;
      const isFull = lane.end >= this.#event + after;
      if (Number.isNaN(this.#event) || isFull && after > PATIENCE) this.#take(time);
      // The newest one whose view is complete is shown; for that it must not be overtaken all the time.
      else if (after <= PATIENCE && !(this.#next + after > lane.end)) this.#next = time;
    });
    if (this.#next + after <= lane.end) {
      this.#take(this.#next);
      this.#next = NaN;
    }
  }

  #take(time: number): void {
    this.#event = time;
    this.#isShown = false;
    this.#done = -Infinity;
    this.#eventSeen = performance.now() / 1000;
  }

  /** Whether the view stands at an event, rather than following the stream. */
  #isTriggered({ trigger, end, span }: View): boolean {
    if (!trigger || end !== null || Number.isNaN(this.#event)) return false;
    if (trigger.mode !== "auto") return true;
    return performance.now() / 1000 - this.#eventSeen < Math.max(AUTO_SECONDS, 1.5 * span);
  }

  async #blocks(view: View, now: number): Promise<Block[]> {
    const { feed } = this.#options;
    const isTriggered = this.#isTriggered(view);
    const blocks: Block[] = [];
    if (isTriggered || view.end !== null) {
      const end = isTriggered ? this.#event + (1 - view.trigger!.position) * view.span : view.end!;
      blocks.push(...await this.#still(view, end));
    } else if (!view.trigger || view.trigger.mode === "auto") {
      if (this.#isShown) [this.#isShown, this.#sent] = [false, []];
      for (const [index, lane] of feed.lanes.entries()) {
        const block = await this.#live(lane, index, view);
        if (this.#view !== view) return [];
        if (block) blocks.push(block);
      }
    }
    if (now - this.#extra >= EXTRA_SECONDS && (view.spectrum || view.xy)) {
      this.#extra = now;
      blocks.push(...this.#extras(view, ...this.#window(view)));
    }
    return blocks;
  }

  /** What is visible, in s. */
  #window(view: View): [number, number] {
    const end = this.#isTriggered(view)
      ? this.#event + (1 - view.trigger!.position) * view.span
      : view.end ?? this.#options.feed.end;
    return [end - view.span, end];
  }

  /** A window that stands still: sent once, and again as long as it is not complete. */
  #still(view: View, end: number): Promise<Block[]> | Block[] {
    const { feed } = this.#options;
    const reached = Math.min(end, feed.end);
    if (this.#isShown && this.#done >= reached) return [];
    this.#isShown = true;
    this.#done = reached;
    this.#sent = [];
    const from = end - view.span;
    return Promise.all(feed.lanes.map((lane, index) => {
      const ids = shown(lane, view, index);
      const raw = lane.levels[0]!;
      const first = raw.find(from) - 1;
      const after = raw.find(end) + 1;
      if (after - first <= 3 * columnsOf(view) && (raw.start <= from || raw.oldest === 0)) {
        return pointsBlock(lane, index, ids, first, after, true);
      }
      const columns = columnsOf(view);
      // What stands still has a column of samples for each column of pixels.
      const grid = { origin: from, width: view.span / columns };
      return columnsBlock(lane, index, ids, grid, -1, columns + 3, true);
    }));
  }

  /** What is new of a lane that is followed. */
  #live(lane: Lane, index: number, view: View): Promise<Block> | Block | undefined {
    const raw = lane.levels[0]!;
    const ids = shown(lane, view, index);
    const end = this.#options.feed.end;
    if (raw.next === raw.oldest || ids.length === 0 && this.#sent[index]) return undefined;
    const from = end - view.span;
    const inside = raw.next - raw.find(from);
    const sent = this.#sent[index];
    const columns = columnsOf(view);
    const most = (sent?.mode === "columns" ? 1.5 : 3) * columns;
    if (inside <= most && (raw.start <= from || raw.oldest === 0)) {
      const isNew = sent?.mode !== "points" || sent.next < raw.next - inside - 1;
      const first = isNew ? Math.max(raw.next - inside - 1, raw.oldest) : sent.next;
      if (first >= raw.next) return undefined;
      this.#sent[index] = { mode: "points", next: raw.next };
      return pointsBlock(lane, index, ids, first, raw.next, isNew);
    }
    const width = view.span / columns;
    const least = Math.floor(from / width) - 1;
    const last = Math.floor(lane.end / width);
    const isNew = sent?.mode !== "columns" || sent.next < least;
    const first = isNew ? least : sent.next;
    if (!isNew && lane.end === this.#ends[index]) return undefined;
    this.#ends[index] = lane.end;
    // The last column is not complete yet, and will be sent again.
    this.#sent[index] = { mode: "columns", next: last };
    return columnsBlock(lane, index, ids, { origin: 0, width }, first, last + 1 - first, isNew);
  }

  #extras({ spectrum, xy }: View, from: number, to: number): Block[] {
    const { lanes } = this.#options.feed;
    const blocks: Block[] = [];
    const lane = spectrum && lanes[spectrum.lane];
    if (lane) {
      const { channel, window } = spectrum;
      const found = laneSpectrum(lane, channel, from, to + 1e-9, window);
      const amplitudes = found?.amplitudes ?? new Float64Array();
      blocks.push({
        ...{ kind: "spectrum", lane: spectrum.lane, count: amplitudes.length, replace: true },
        ...{ numbers: [found?.step ?? 0, 0, 0], ids: [channel], data: [amplitudes] },
      });
    }
    const plane = xy && lanes[xy.lane];
    if (plane) {
      const raw = plane.levels[0]!;
      const end = raw.find(to + 1e-9);
      const first = Math.max(raw.find(from), end - XY_POINTS);
      const { values, times } = copyPoints(plane, [xy.x, xy.y], first, end);
      blocks.push({
        ...{ kind: "xy", lane: xy.lane, count: times.length, replace: true },
        ...{ numbers: [0, 0, 0], ids: [xy.x, xy.y], data: values },
      });
    }
    return blocks;
  }

  /** Values, statistics and measurements. */
  #state(view: View): Record<string, unknown> {
    const { feed, statistics } = this.#options;
    const [from, to] = this.#window(view);
    const counts = feed.lanes.map((lane, index) => shown(lane, view, index).length);
    const all = counts.reduce((sum, count) => sum + count, 0);
    this.#turn = this.#turn + TOGETHER < all ? this.#turn + TOGETHER : 0;
    const before = (lane: number) => counts.slice(0, lane).reduce((sum, count) => sum + count, 0);
    return {
      type: "state",
      start: feed.start,
      end: feed.end,
      whole: feed.whole,
      progress: this.#options.progress?.() ?? 1,
      lanes: feed.statistics().map((known, index) => {
        const lane = feed.lanes[index]!;
        const ids = shown(lane, view, index);
        return {
          ...known,
          samples: lane.samples,
          isFull: lane.isFull,
          values: lane.latest.map(exactText),
          measured: this.#measure(lane, index, before(index), ids, [from, to]),
        };
      }),
      statistics: statistics(),
    };
  }

  /** Measures some of the traces, one after another in turn: it is what costs most here. What has its turn later is told as it was. */
  #measure(
    lane: Lane,
    index: number,
    before: number,
    ids: readonly number[],
    [from, to]: readonly [number, number],
  ) {
    const known = this.#measured[index] ??= new Map();
    const now = ids.filter((_, i) => {
      const at = before + i;
      return at >= this.#turn && at < this.#turn + TOGETHER;
    });
    measure(lane, now, from, to).forEach((each, i) => known.set(now[i]!, each));
    return ids.flatMap((channel) => {
      const each = known.get(channel);
      return each ? [{ channel, ...each }] : [];
    });
  }
}

/** The channels of a lane that are shown. */
function shown(lane: Lane, view: View, index: number): number[] {
  return (view.channels[index] ?? []).filter((id) => id < lane.channels.length);
}

/** How many columns a frame may have, so that it stays small however many traces there are. */
function columnsOf(view: View): number {
  const traces = view.channels.reduce((sum, { length }) => sum + length, 1);
  return Math.max(16, Math.min(view.columns, Math.floor(MOST_NUMBERS / 2 / traces)));
}

/** A value with every digit. */
export function exactText(value: Value): string {
  if (value === null) return "";
  if (typeof value !== "object") return String(value);
  const { real, imag } = value;
  return `${real} ${imag < 0 || Object.is(imag, -0) ? "−" : "+"} ${Math.abs(imag)} i`;
}

function pointsBlock(
  lane: Lane,
  index: number,
  ids: readonly number[],
  first: number,
  end: number,
  replace: boolean,
): Block {
  const { first: from, times, flags, values } = copyPoints(lane, ids, first, end);
  return {
    ...{ kind: "points", lane: index, count: times.length, replace, numbers: [from, 0, 0] },
    ...{ ids, flags, data: [times, ...values] },
  };
}

async function columnsBlock(
  lane: Lane,
  index: number,
  ids: readonly number[],
  grid: { origin: number; width: number },
  first: number,
  count: number,
  replace: boolean,
): Promise<Block> {
  const { flags, mins, maxs } = reduceToColumns(lane, ids.slice(0, TOGETHER), grid, first, count);
  const data = mins.flatMap((least, i) => [least, maxs[i]!]);
  for (let i = TOGETHER; i < ids.length; i += TOGETHER) {
    // A whole picture takes its time, in which nothing else would be received and answered.
    if (replace) await new Promise((resolve) => setTimeout(resolve, 0));
    const more = reduceToColumns(lane, ids.slice(i, i + TOGETHER), grid, first, count);
    more.mins.forEach((least, k) => data.push(least, more.maxs[k]!));
  }
  return {
    ...{ kind: "columns", lane: index, count, replace, numbers: [grid.origin, grid.width, first] },
    ...{ ids, flags, data },
  };
}
