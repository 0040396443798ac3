import { visibleLine } from "../../text/visible_text.ts";
import type { Feed } from "../feed.ts";
import { duration, short, tick, value } from "../page/format.js";
import { fitted, niceStep } from "../page/scale.js";
import { SPANS } from "../page/view.js";
import { measure } from "../store/measure.ts";
import { EMPTY, GAP, reduceToColumns } from "../store/reduce.ts";
import { exactText } from "../viewer.ts";
import { BrailleCanvas } from "./braille.ts";

/** Colours of a terminal's 256 that are told apart, also by people who do not see all of them. */
const COLOURS = [39, 208, 43, 170, 220, 117, 250, 141] as const;
/** Characters of the numbers at the left, at least, and of the names at the right. */
const [LEFT, RIGHT] = [9, 34];
/** Signals that find room beside the picture at most. */
const MOST_LINES = 32;

/** How big a picture is, and whether it may have colours. */
export interface PlotSize {
  /** Characters in a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
  /** Whether it may have colours. */
  readonly colours: boolean;
}

/** Traces in a terminal, drawn in braille. */
export class TerminalPlot {
  readonly #feed: Feed;
  readonly #hidden = new Set<number>();
  #span = 10;
  #end: number | undefined;
  #range: [number, number] = [-1, 1];
  /** Characters of the numbers at the left, which have made room for the longest one so far. */
  #left = LEFT;

  /** @param feed What there is to see. */
  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /**
   * Does what a key stands for.
   *
   * @param key The character.
   */
  press(key: string): void {
    if (key === " ") this.#end = this.#end === undefined ? this.#feed.end : undefined;
    else if (key === "+" || key === "=") this.#step(-1);
    else if (key === "-") this.#step(1);
    else if (key === "0") this.#hidden.clear();
    else if (/^[1-9]$/.test(key)) {
      const signal = this.#signals()[Number(key) - 1];
      if (signal !== undefined && !this.#hidden.delete(signal)) this.#hidden.add(signal);
    }
  }

  /** Takes the next shorter or longer time base. */
  #step(direction: number): void {
    this.#span = direction < 0
      ? SPANS.findLast((span: number) => span < this.#span) ?? this.#span
      : SPANS.find((span: number) => span > this.#span) ?? this.#span;
  }

  /** The picture, as lines of text; what comes from outside has been made visible. */
  draw({ columns, rows, colours }: PlotSize): string[] {
    const paint = (text: string, signal: number) =>
      colours ? `\x1b[38;5;${COLOURS[signal % COLOURS.length]}m${text}\x1b[39m` : text;
    const signals = this.#signals();
    const end = this.#end ?? this.#feed.end;
    if (signals.length === 0) return ["Waiting for samples …"];
    const right = columns < 70 ? 0 : RIGHT;
    const left = Math.min(this.#left, Math.max(LEFT, columns >> 2));
    const width = Math.max(10, columns - 1 - left - right);
    const height = Math.max(3, rows - 3);
    const canvas = new BrailleCanvas(width, height);
    this.#trace(canvas, end);
    const legend = right === 0 ? [] : this.#legend(signals, end, paint);
    const labels = axisLabels(this.#range, height);
    for (const label of labels.values()) this.#left = Math.max(this.#left, label.length + 1);
    const picture = canvas.lines((text, colour) => paint(text, colour)).map((line, row) => {
      const label = (labels.get(row) ?? "").slice(0, left - 1).padStart(left - 1);
      return `${label} ${line} ${legend[row] ?? ""}`;
    });
    const state = this.#end === undefined ? "live" : "paused";
    const begin = `−${duration(this.#span)}`;
    const axis = " ".repeat(left) + begin + "0 s".padStart(Math.max(4, width - begin.length));
    const { rate, missed } = this.#feed.statistics()[0]!;
    const known = `${state}, ${duration(this.#span)}, ${
      short(rate, 4)
    } samples/s, ${missed} missed`;
    const help = "space pause, + − time, 1-9 hide, 0 all";
    const head = `${known}   ${help}`;
    return [head.slice(0, columns - 1), ...picture, axis];
  }

  /** The signals that have had values. */
  #signals(): number[] {
    const signals = this.#feed.lanes.flatMap(({ channels }) =>
      channels.map(({ signal }) => signal)
    );
    return [...new Set(signals)].sort((a, b) => a - b);
  }

  #trace(canvas: BrailleCanvas, end: number): void {
    const count = canvas.width + 1;
    const grid = { origin: end - this.#span, width: this.#span / canvas.width };
    const drawn = this.#feed.lanes.map((lane) => {
      const shown = lane.channels.map(({ signal, part, kind }, id) => ({ id, signal, part, kind }))
        .filter(({ signal, part }) =>
          !this.#hidden.has(signal) && (part === "value" || part === "magnitude")
        );
      return { shown, ...reduceToColumns(lane, shown.map(({ id }) => id), grid, 0, count) };
    });
    let [least, greatest] = [Infinity, -Infinity];
    for (const { mins, maxs } of drawn) {
      for (const row of mins) {
        for (const low of row) if (low < least && low > -Infinity) least = low;
      }
      for (const row of maxs) {
        for (const high of row) if (high > greatest && high < Infinity) greatest = high;
      }
    }
    this.#range = fitted(this.#range, [least, greatest]);
    // What came is drawn over what went out, which is mostly the same.
    for (const { shown, flags, mins, maxs } of drawn.reverse()) {
      shown.forEach(({ signal, kind }, i) => {
        const isStep = kind === "integer" || kind === "boolean";
        this.#line(canvas, signal, isStep, flags, mins[i]!, maxs[i]!);
      });
    }
  }

  #line(
    canvas: BrailleCanvas,
    signal: number,
    isStep: boolean,
    flags: Uint8Array,
    mins: Float64Array,
    maxs: Float64Array,
  ): void {
    const [min, max] = this.#range;
    const y = (value: number) => Math.round((max - value) / (max - min) * (canvas.height - 1));
    let before: { x: number; top: number; bottom: number } | undefined;
    for (let x = 0; x < flags.length; x++) {
      if (flags[x]! & EMPTY) continue;
      if (Number.isNaN(mins[x]!)) {
        before = undefined;
        continue;
      }
      const [top, bottom] = [y(maxs[x]!), y(mins[x]!)];
      canvas.line(x, top, x, bottom, signal);
      if (before && !(flags[x]! & GAP)) {
        const from = before.top > bottom ? before.top : before.bottom < top ? before.bottom : top;
        const to = before.top > bottom ? bottom : before.bottom < top ? top : from;
        if (isStep) canvas.line(before.x, from, x, from, signal);
        canvas.line(isStep ? x : before.x, from, x, to, signal);
      }
      before = { x, top, bottom };
    }
  }

  /** Names and numbers. */
  #legend(
    signals: readonly number[],
    end: number,
    paint: (text: string, signal: number) => string,
  ): string[] {
    const [lane] = this.#feed.lanes;
    return signals.slice(0, MOST_LINES).map((signal, i) => {
      const { name, unit = "" } = this.#feed.signals[signal] ?? {};
      const latest = lane!.latest[signal];
      const isHidden = this.#hidden.has(signal);
      const now = latest === undefined
        ? ""
        : this.#end === undefined
        ? value(exactText(latest))
        : short(measure(lane!, [lane!.channelOf(signal)], end - this.#span, end)[0]!.mean);
      const label = visibleLine(name || `signal${signal}`).slice(0, 14).padEnd(14);
      const text = `${i < 9 ? i + 1 : " "} ${label} ${now} ${visibleLine(unit)}`.slice(
        0,
        RIGHT - 2,
      );
      return isHidden ? `${text.slice(0, 17)}(hidden)` : paint(text, signal);
    });
  }
}

/** Round numbers, at the lines that they belong to. */
function axisLabels([min, max]: readonly [number, number], rows: number): Map<number, string> {
  const step = niceStep((max - min) / Math.max(2, Math.min(6, rows / 3)));
  const labels = new Map<number, string>();
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) {
    const row = Math.round((max - i * step) / (max - min) * (rows - 1));
    labels.set(row, tick(i * step, step));
  }
  return labels;
}
