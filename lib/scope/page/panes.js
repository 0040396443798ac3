// @ts-check
/// <reference lib="dom" />
/** The panes with the traces: one uPlot each, which draws axes and grid, with the traces drawn into it. */

import { colourOf, REPLY_DASH } from "./colours.js";
import { Raster } from "./raster.js";
import { fitted, multiples, TIME_STEPS, zoomed } from "./scale.js";
import { clock, duration, ticksText } from "./format.js";

/** @typedef {import("./types.js").Trace} Trace */

/** @type {typeof import("uplot")} */
const Plot = /** @type {any} */ (globalThis).uPlot;

/** Pixels at the right for the names of the traces, at least and at most; the latter on a phone, too. */
const [NARROW, WIDE, WIDE_ON_PHONE] = [24, 124, 92];
/** Where the names begin, and what is left behind them. */
const [BEFORE, AFTER] = [7, 5];
const LABEL_FONT = "system-ui, sans-serif";

/** How much larger than on a desk everything is written and drawn: the style knows how large the screen is. */
export function zoomOf() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}

/**
 * Pixels at the right for names.
 *
 * @param {readonly string[]} names
 */
export function labelsFor(names) {
  const ctx = document.createElement("canvas").getContext("2d");
  const most = innerWidth < 900 ? WIDE_ON_PHONE : WIDE;
  if (!ctx) return most;
  ctx.font = `600 13.5px ${LABEL_FONT}`;
  const longest = Math.max(0, ...names.map((name) => ctx.measureText(name).width));
  return Math.max(NARROW, Math.min(most, BEFORE + Math.ceil(longest) + AFTER));
}

/** Pixels at the left for the numbers of the values: the same in all panes, so that one time lies below another; they grow only. */
let numbers = 64;

/** @param {readonly string[] | null} texts Those of one pane. */
export function numbersFor(texts) {
  const longest = Math.max(0, ...(texts ?? []).map(({ length }) => length));
  return numbers = Math.max(numbers, Math.ceil(longest * 7.6 / 8) * 8 + 8);
}

/** Pixels below the last pane for its time axis. */
export const timeAxis = () => Math.round(34 * zoomOf());

/**
 * @typedef {object} Scene What is to be drawn.
 * @property {number} from In s.
 * @property {number} to In s.
 * @property {number} reference What is 0 on the axis, in s; NaN for times of day.
 * @property {number} zero In s since 1970.
 * @property {import("./traces.js").Traces[]} lanes
 * @property {{ trace: { lane: number, id: number } | undefined, level: number } | null} trigger
 */

/** One pane. */
export class Pane {
  /** @type {[number, number]} */
  range = [-1, 1];
  /** Whether the user has zoomed the values. */
  isFixed = false;
  #raster = new Raster();

  /**
   * @param {HTMLElement} parent
   * @param {string} name The unit, or what else the traces have in common.
   * @param {Trace[]} traces
   * @param {{ isLast: boolean, labels: number }} how Whether the time axis is written below, and the room for names at the right.
   */
  constructor(parent, name, traces, { isLast, labels }) {
    this.name = name;
    this.labels = labels;
    this.traces = traces;
    this.element = document.createElement("div");
    this.element.className = "pane";
    this.label = document.createElement("div");
    this.label.className = "name";
    this.label.textContent = name;
    parent.append(this.element);
    /** @type {Scene | undefined} */
    this.scene = undefined;
    this.isLast = isLast;
    const zoom = zoomOf();
    const font = `${13 * zoom}px system-ui, sans-serif`;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ variable) => () =>
      style.getPropertyValue(variable).trim();
    const axis = {
      stroke: colour("--soft"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
    };
    this.plot = new Plot(
      {
        width: 400,
        height: 200,
        // Whole pixels, as everything else here.
        padding: [Math.round(14 * zoom), Math.round(labels * zoom), isLast ? 0 : 6, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          {
            ...axis,
            size: isLast ? timeAxis() : 0,
            gap: Math.round(8 * zoom),
            space: 90 * zoom,
            font,
            incrs: TIME_STEPS,
            splits: (_plot, _axis, min, max, step) => this.#splits([min, max], step),
            values: (_, ticks) => isLast ? this.#times(ticks) : ticks.map(() => ""),
          },
          {
            ...axis,
            size: (_, texts) => Math.round(numbersFor(texts) * zoom),
            space: 34 * zoom,
            font,
            values: (_, ticks) => ticksText(ticks),
          },
        ],
        series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
        hooks: { draw: [() => this.#draw()] },
      },
      [[0, 1], [null, null]],
      this.element,
    );
    this.element.append(this.label);
  }

  /** Where the lines of the time axis are: at times that are round by the clock, where the axis has times of day. */
  /** @param {[number, number]} range @param {number} step */
  #splits(range, step) {
    const { reference, zero } = this.scene ?? { reference: 0, zero: 0 };
    if (!Number.isNaN(reference) || step <= 1) return multiples(range, step, 0);
    const time = zero + range[0];
    const local = time - new Date(time * 1000).getTimezoneOffset() * 60;
    return multiples(range, step, local - range[0]);
  }

  /** @param {number[]} ticks */
  #times(ticks) {
    const { reference, zero } = this.scene ?? { reference: 0, zero: 0 };
    if (!Number.isNaN(reference)) {
      return ticks.map((tick) => tick === 0 ? "0 s" : duration(Number(tick.toPrecision(9))));
    }
    const step = ticks.length > 1 ? (ticks[1] ?? 1) - (ticks[0] ?? 0) : 1;
    return ticks.map((tick) => clock(zero + tick, step));
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    if (this.plot.width !== width || this.plot.height !== height) {
      this.plot.setSize({ width, height });
    }
  }

  /** @param {Scene} scene */
  show(scene) {
    this.scene = scene;
    if (!this.isFixed) this.range = fitted(this.range, this.#extent(scene));
    const offset = Number.isNaN(scene.reference) ? 0 : scene.reference;
    const [min, max] = this.range;
    this.plot.batch(() => {
      this.plot.setScale("x", { min: scene.from - offset, max: scene.to - offset });
      this.plot.setScale("y", { min, max });
      this.plot.redraw(false, true);
    });
  }

  /**
   * The least and the greatest value that is visible.
   *
   * @param {Scene} scene
   * @returns {[number, number]}
   */
  #extent({ lanes, from, to }) {
    let [min, max] = [Infinity, -Infinity];
    for (const { lane, id } of this.traces) {
      const [low, high] = lanes[lane]?.range(id, from, to) ?? [Infinity, -Infinity];
      min = Math.min(min, low);
      max = Math.max(max, high);
    }
    return [min, max];
  }

  /** Zooms the values around one of them. */
  /** @param {number} factor @param {number} around */
  zoom(factor, around) {
    this.isFixed = true;
    this.range = zoomed(this.range, factor, around);
  }

  #draw() {
    const { scene, plot } = this;
    if (!scene) return;
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    const area = { left, top, width, height };
    this.label.style.left = `${left / devicePixelRatio}px`;
    ctx.save();
    drawTraces(ctx, area, scene, this, {
      ...{ pixel: devicePixelRatio * zoomOf(), isDark: isDark(), raster: this.#raster },
      labels: this.labels,
    });
    ctx.restore();
  }
}

/** Whether the page is dark now. */
export function isDark() {
  return document.documentElement.dataset["theme"] === "dark";
}

/**
 * Draws the traces of a pane, and their names beside them.
 *
 * @param {CanvasRenderingContext2D} ctx Where to.
 * @param {{ left: number, top: number, width: number, height: number }} area Where in it.
 * @param {Scene} scene What.
 * @param {{ traces: Trace[], range: [number, number] }} pane Which traces.
 * @param {{ pixel: number, isDark: boolean, labels: number, raster?: Raster }} how Canvas pixels in one of the page, the ground, the room
 * for names, and what is quick on a screen; without it the lines are drawn as such.
 */
export function drawTraces(
  ctx,
  area,
  scene,
  { traces, range },
  { pixel, isDark, labels: room, raster },
) {
  const { left, top, width, height } = area;
  const [min, max] = range;
  const x = (/** @type {number} */ time) =>
    left + (time - scene.from) / (scene.to - scene.from) * width;
  const y = (/** @type {number} */ value) => top + (max - value) / (max - min) * height;
  /** @type {{ at: number, trace: Trace }[]} */
  const labels = [];
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  raster?.begin(Math.round(width), Math.round(height));
  // Replies lie on top, in wider dashes, so that both are seen where they are equal.
  for (const trace of [...traces].sort((a, b) => Number(a.isReply) - Number(b.isReply))) {
    const lane = scene.lanes[trace.lane];
    if (!lane) continue;
    const colour = colourOf(trace.signal, isDark);
    const thickness = (trace.isReply ? 3 : 1.6) * pixel;
    const part = { from: scene.from, to: scene.to, isStep: trace.isStep };
    if (raster) {
      const [on = 1, off = 1] = REPLY_DASH.map((each) => Math.round(each * pixel));
      // The dashes move with the trace.
      const phase = Math.round(scene.from / (scene.to - scene.from) * width);
      const bars = raster.add(colour, thickness, trace.isReply ? { on, off, phase } : undefined);
      lane.cover(trace.id, bars, part, { max, scale: height / (max - min) });
    } else {
      ctx.beginPath();
      lane.trace(ctx, trace.id, x, y, part);
      ctx.strokeStyle = colour;
      ctx.lineWidth = thickness;
      ctx.setLineDash(trace.isReply ? REPLY_DASH.map((each) => each * pixel) : []);
      ctx.stroke();
    }
    const last = lane.last(trace.id);
    if (last !== undefined && !Number.isNaN(last) && !trace.isReply) {
      labels.push({ at: Math.min(Math.max(y(last), top), top + height), trace });
    }
  }
  raster?.finish(ctx, left, top);
  ctx.setLineDash([]);
  drawTrigger(ctx, area, scene, traces, y, pixel);
  ctx.restore();
  if (labels.length <= 16) drawLabels(ctx, area, labels, { pixel, isDark, room });
}

/** Writes the names of the traces at their right ends, none over another. */
/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ left: number, top: number, width: number, height: number }} area
 * @param {{ at: number, trace: Trace }[]} labels
 * @param {{ pixel: number, isDark: boolean, room: number }} how
 */
function drawLabels(ctx, { left, top, width, height }, labels, { pixel, isDark, room }) {
  const line = 16 * pixel;
  if (labels.length * line > height + line) return;
  labels.sort((a, b) => a.at - b.at);
  for (let round = 0; round < 8; round++) {
    for (let i = 1; i < labels.length; i++) {
      const [above, below] = [
        /** @type {{at: number}} */ (labels[i - 1]),
        /** @type {{at: number}} */ (labels[i]),
      ];
      const overlap = line - (below.at - above.at);
      if (overlap <= 0) continue;
      above.at = Math.max(above.at - overlap / 2, top);
      below.at = Math.min(above.at + line, top + height);
    }
  }
  ctx.font = `600 ${13.5 * pixel}px ${LABEL_FONT}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const { at, trace } of labels) {
    ctx.fillStyle = colourOf(trace.signal, isDark);
    const text = shortened(ctx, trace.name, (room - BEFORE) * pixel);
    ctx.fillText(text, left + width + BEFORE * pixel, at);
  }
}

/** What of a name finds room. */
/** @param {CanvasRenderingContext2D} ctx @param {string} name @param {number} room */
function shortened(ctx, name, room) {
  if (ctx.measureText(name).width <= room) return name;
  const letters = [...name];
  while (letters.length > 1 && ctx.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

/** Marks the trigger's level. */
/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ left: number, width: number }} area
 * @param {Scene} scene
 * @param {Trace[]} traces
 * @param {(value: number) => number} y
 * @param {number} pixel
 */
function drawTrigger(ctx, { left, width }, { trigger }, traces, y, pixel) {
  if (
    !trigger?.trace ||
    !traces.some(({ lane, id }) => lane === trigger.trace?.lane && id === trigger.trace.id)
  ) return;
  const at = y(trigger.level);
  ctx.strokeStyle = ctx.fillStyle = "#888";
  ctx.lineWidth = pixel;
  ctx.setLineDash([2 * pixel, 4 * pixel]);
  ctx.beginPath();
  ctx.moveTo(left, at);
  ctx.lineTo(left + width, at);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(left, at - 6 * pixel);
  ctx.lineTo(left + 9 * pixel, at);
  ctx.lineTo(left, at + 6 * pixel);
  ctx.fill();
}
