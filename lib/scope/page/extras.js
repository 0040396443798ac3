// @ts-check
/// <reference lib="dom" />
/** The spectrum of a trace, and one trace over another. */

import { colourOf } from "./colours.js";
import { short, si, ticksText } from "./format.js";
import { isDark, numbersFor } from "./panes.js";
import { fitted } from "./scale.js";

/** @type {typeof import("uplot")} */
const Plot = /** @type {any} */ (globalThis).uPlot;

/** Decibels below the greatest amplitude that are shown. */
const DEPTH = 120;

/** A pane without a time axis. */
class Plane {
  /** @type {[number, number]} */
  x = [0, 1];
  /** @type {[number, number]} */
  y = [0, 1];

  /**
   * @param {HTMLElement} parent
   * @param {(values: number[]) => string[]} xs How to write the numbers below.
   * @param {(ctx: CanvasRenderingContext2D, x: (value: number) => number, y: (value: number) => number) => void} draw
   */
  constructor(parent, xs, draw) {
    this.parent = parent;
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ variable) => () =>
      style.getPropertyValue(variable).trim();
    const axis = {
      stroke: colour("--soft"),
      grid: { stroke: colour("--grid"), width: 1 },
      ticks: { show: false },
      font: "13px system-ui, sans-serif",
    };
    this.plot = new Plot(
      {
        ...{ width: 300, height: 200, padding: [10, 16, 0, 0] },
        ...{ legend: { show: false }, cursor: { show: false } },
        scales: { x: { time: false, auto: false }, y: { auto: false } },
        axes: [
          { ...axis, size: 34, space: 70, values: (_, ticks) => xs(ticks) },
          {
            ...axis,
            size: (_, texts) => numbersFor(texts),
            space: 34,
            values: (_, ticks) => ticksText(ticks),
          },
        ],
        series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
        hooks: {
          draw: [(plot) => {
            const { ctx } = plot;
            const { left, top, width, height } = plot.bbox;
            ctx.save();
            ctx.beginPath();
            ctx.rect(left, top, width, height);
            ctx.clip();
            ctx.beginPath();
            draw(
              ctx,
              (value) => left + (value - this.x[0]) / (this.x[1] - this.x[0]) * width,
              (value) => top + (this.y[1] - value) / (this.y[1] - this.y[0]) * height,
            );
            ctx.lineWidth = 1.6 * devicePixelRatio;
            ctx.stroke();
            ctx.restore();
          }],
        },
      },
      [[0, 1], [null, null]],
      parent,
    );
  }

  show() {
    const width = this.parent.clientWidth;
    const height = Math.max(100, this.parent.clientHeight);
    if (width > 0 && (this.plot.width !== width || this.plot.height !== height)) {
      this.plot.setSize({ width, height });
    }
    this.plot.batch(() => {
      this.plot.setScale("x", { min: this.x[0], max: this.x[1] });
      this.plot.setScale("y", { min: this.y[0], max: this.y[1] });
      this.plot.redraw(false, true);
    });
  }
}

/** The spectrum of a trace. */
export class SpectrumPlot {
  /** @type {Float64Array} */
  amplitudes = new Float64Array();
  step = 0;
  decibel = false;
  signal = 0;

  /** @param {HTMLElement} parent @param {HTMLElement} peak */
  constructor(parent, peak) {
    this.peak = peak;
    this.plane = new Plane(parent, (ticks) => ticks.map((tick) => si(tick, "Hz")), (ctx, x, y) => {
      ctx.strokeStyle = colourOf(this.signal, isDark());
      this.amplitudes.forEach((amplitude, i) => {
        const at = y(this.#scaled(amplitude));
        if (i === 0) ctx.moveTo(x(0), at);
        else ctx.lineTo(x(i * this.step), at);
      });
    });
  }

  /** @param {number} amplitude */
  #scaled(amplitude) {
    return this.decibel ? 20 * Math.log10(Math.max(amplitude, 1e-300)) : amplitude;
  }

  /** @param {import("./protocol.js").Block} block */
  take(block) {
    this.step = block.numbers[0];
    this.amplitudes = block.data[0] ?? new Float64Array();
    let [best, at] = [0, 0];
    this.amplitudes.forEach((amplitude, i) => {
      if (i > 0 && amplitude > best) [best, at] = [amplitude, i];
    });
    this.peak.textContent = this.amplitudes.length === 0
      ? "Too few samples"
      : best > 0
      ? `Peak ${short(best)} at ${si(this.#between(at), "Hz")}`
      : "";
    this.plane.x = [0, Math.max(this.step * this.amplitudes.length, 1e-9)];
    const top = this.#scaled(Math.max(best, this.amplitudes[0] ?? 0));
    this.plane.y = this.decibel
      ? [Math.floor((top - DEPTH) / 20) * 20, Math.ceil(top / 20) * 20]
      : fitted(this.plane.y, [0, best > 0 ? best : 1]);
    if (!this.decibel) this.plane.y = [0, this.plane.y[1]];
  }

  /** A peak lies between the frequencies: where a parabola through three of them has its top. */
  /** @param {number} at */
  #between(at) {
    const [a, b, c] = [at - 1, at, at + 1].map((i) =>
      Math.log(Math.max(this.amplitudes[i] ?? 0, 1e-300))
    );
    if (a === undefined || b === undefined || c === undefined || at < 2) return at * this.step;
    const bend = a - 2 * b + c;
    return (at + (bend < 0 ? Math.max(-0.5, Math.min(0.5, (a - c) / (2 * bend))) : 0)) * this.step;
  }
}

/** One trace over another. */
export class PlanePlot {
  /** @type {Float64Array} */
  xs = new Float64Array();
  /** @type {Float64Array} */
  ys = new Float64Array();
  signal = 0;

  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.plane = new Plane(parent, ticksText, (ctx, x, y) => {
      ctx.strokeStyle = colourOf(this.signal, isDark());
      let isDown = false;
      for (let i = 0; i < this.xs.length; i++) {
        const [a, b] = [/** @type {number} */ (this.xs[i]), /** @type {number} */ (this.ys[i])];
        if (Number.isNaN(a + b)) isDown = false;
        else if (isDown) ctx.lineTo(x(a), y(b));
        else {
          ctx.moveTo(x(a), y(b));
          isDown = true;
        }
      }
    });
  }

  /** @param {import("./protocol.js").Block} block */
  take(block) {
    this.xs = block.data[0] ?? new Float64Array();
    this.ys = block.data[1] ?? new Float64Array();
    this.plane.x = fitted(this.plane.x, extent(this.xs));
    this.plane.y = fitted(this.plane.y, extent(this.ys));
  }
}

/** @param {Float64Array} values @returns {[number, number]} */
function extent(values) {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min && value > -Infinity) min = value;
    if (value > max && value < Infinity) max = value;
  }
  return [min, max];
}
