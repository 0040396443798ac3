// @ts-check
/// <reference lib="dom" />
/** What is visible, as a picture or a drawing. */

import { colourOf } from "./colours.js";
import { band, clock, duration, ticksText } from "./format.js";
import { drawTraces } from "./panes.js";

const [WIDTH, LEFT, RIGHT, TOP, BOTTOM, GUTTER] = [1280, 80, 132, 74, 44, 40];

/** Draws as a canvas does, and gives an SVG document. */
class Drawing {
  strokeStyle = "#000";
  fillStyle = "#000";
  lineWidth = 1;
  font = "";
  textAlign = "left";
  textBaseline = "middle";
  lineJoin = "round";
  lineCap = "butt";
  /** @type {string[]} */
  #parts = [];
  #path = "";
  /** @type {number[]} */
  #dash = [];
  #clips = 0;
  /** How many groups were opened since each `save()`. */
  /** @type {number[]} */
  #saved = [];

  save() {
    this.#saved.push(0);
  }
  restore() {
    this.#parts.push("</g>".repeat(this.#saved.pop() ?? 0));
  }
  beginPath() {
    this.#path = "";
  }
  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.#path += `M${round(x)} ${round(y)}`;
  }
  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.#path += `L${round(x)} ${round(y)}`;
  }
  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  rect(x, y, width, height) {
    this.#path += `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}z`;
  }
  clip() {
    const id = `clip${this.#clips++}`;
    this.#parts.push(
      `<clipPath id="${id}"><path d="${this.#path}"/></clipPath><g clip-path="url(#${id})">`,
    );
    const open = this.#saved.pop() ?? 0;
    this.#saved.push(open + 1);
  }
  /** @param {number[]} dash */
  setLineDash(dash) {
    this.#dash = dash;
  }
  stroke() {
    if (this.#path === "") return;
    const dash = this.#dash.length > 0 ? ` stroke-dasharray="${this.#dash.join(" ")}"` : "";
    this.#parts.push(
      `<path d="${this.#path}" fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}" stroke-linejoin="round"${dash}/>`,
    );
  }
  fill() {
    this.#parts.push(`<path d="${this.#path}" fill="${this.fillStyle}"/>`);
  }
  /** @param {number} x @param {number} y @param {number} width @param {number} height */
  fillRect(x, y, width, height) {
    this.#parts.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${this.fillStyle}"/>`,
    );
  }
  /** @param {string} text */
  measureText(text) {
    return { width: 8 * text.length };
  }
  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    const [, weight = "400", size = "13"] = /^(\d+)? ?([\d.]+)px/.exec(this.font) ?? [];
    const anchor = { right: "end", center: "middle" }[this.textAlign] ?? "start";
    this.#parts.push(
      `<text x="${round(x)}" y="${
        round(y)
      }" fill="${this.fillStyle}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}" dominant-baseline="middle">${
        escaped(text)
      }</text>`,
    );
  }
  /** @param {number} width @param {number} height @param {string} title */
  toString(width = 0, height = 0, title = "") {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif"><title>${
      escaped(title)
    }</title>${this.#parts.join("")}</svg>\n`;
  }
}

/** @param {number} number */
const round = (number) => Math.round(number * 100) / 100;

/** @param {string} text */
function escaped(text) {
  // What XML does not allow at all is left out.
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/**
 * @typedef {object} Report What is to be saved.
 * @property {string} title
 * @property {import("./panes.js").Scene} scene
 * @property {import("./panes.js").Pane[]} panes
 * @property {import("./table.js").RowSignal[]} signals
 */

/**
 * Saves a picture.
 *
 * @param {Report} report
 */
export async function savePng(report) {
  const canvas = document.createElement("canvas");
  const height = heightOf(report);
  const scale = 2;
  canvas.width = WIDTH * scale;
  canvas.height = height * scale;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.scale(scale, scale);
  paint(ctx, report, height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) download(/** @type {Blob} */ (blob), "labwire.png");
}

/**
 * Saves a drawing.
 *
 * @param {Report} report
 */
export function saveSvg(report) {
  const drawing = new Drawing();
  const height = heightOf(report);
  paint(/** @type {any} */ (drawing), report, height);
  download(
    new Blob([drawing.toString(WIDTH, height, report.title)], { type: "image/svg+xml" }),
    "labwire.svg",
  );
}

/** @param {Blob} blob @param {string} name */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** @param {Report} report */
function heightOf({ panes, signals }) {
  return TOP + panes.length * 300 + (panes.length - 1) * GUTTER + BOTTOM + 24 +
    Math.ceil(signals.filter((each) => !each.isHidden).length / 3) * 22;
}

/**
 * Draws title, panes and legend, dark on light.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {Report} report
 * @param {number} height
 */
function paint(ctx, { title, scene, panes, signals }, height) {
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, WIDTH, height);
  ctx.textBaseline = "middle";
  ctx.fillStyle = "#16202a";
  ctx.font = "600 18px system-ui, sans-serif";
  ctx.fillText(title, LEFT, 24);
  ctx.font = "13px system-ui, sans-serif";
  const span = scene.to - scene.from;
  ctx.fillText(
    `${new Date((scene.zero + scene.to) * 1000).toISOString().slice(0, 10)} ${
      clock(scene.zero + scene.from, span / 1000)
    } to ${clock(scene.zero + scene.to, span / 1000)}, ${duration(span)}`,
    LEFT,
    46,
  );
  let top = TOP;
  const texts = panes.flatMap(({ range: [min, max] }) => ticksText(ticks(min, max, 6)));
  const left = Math.max(LEFT, ...texts.map((text) => 16 + ctx.measureText(text).width));
  for (const pane of panes) {
    const area = { left, top, width: WIDTH - left - RIGHT, height: 300 };
    frame(ctx, area, scene, pane);
    drawTraces(ctx, area, scene, pane, { pixel: 1, isDark: false, labels: pane.labels });
    top += 300 + GUTTER;
  }
  legend(ctx, signals.filter((each) => !each.isHidden), panes, scene, top - GUTTER + BOTTOM + 10);
}

/**
 * The grid and the numbers of a pane.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {{ left: number, top: number, width: number, height: number }} area
 * @param {import("./panes.js").Scene} scene
 * @param {import("./panes.js").Pane} pane
 */
function frame(ctx, { left, top, width, height }, scene, { range: [min, max], name }) {
  const offset = Number.isNaN(scene.reference) ? 0 : scene.reference;
  const [from, to] = [scene.from - offset, scene.to - offset];
  ctx.font = "13px system-ui, sans-serif";
  ctx.lineWidth = 1;
  const line = (/** @type {number[]} */ [x0 = 0, y0 = 0, x1 = 0, y1 = 0]) => {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  };
  ctx.setLineDash([]);
  ctx.strokeStyle = "#dde3e8";
  ctx.fillStyle = "#51606e";
  for (const tick of ticks(from, to, 8)) {
    const x = left + (tick - from) / (to - from) * width;
    line([x, top, x, top + height]);
    ctx.textAlign = "center";
    const step = (to - from) / 8;
    ctx.fillText(
      Number.isNaN(scene.reference)
        ? clock(scene.zero + tick, step)
        : duration(Number(tick.toPrecision(9))),
      x,
      top + height + 14,
    );
  }
  const values = ticks(min, max, 6);
  const texts = ticksText(values);
  values.forEach((tick, i) => {
    const y = top + (max - tick) / (max - min) * height;
    line([left, y, left + width, y]);
    ctx.textAlign = "right";
    ctx.fillText(texts[i] ?? "", left - 8, y);
  });
  ctx.textAlign = "left";
  ctx.fillText(name, left + 4, top - 9);
  ctx.strokeStyle = "#8a97a3";
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.stroke();
}

/** Round numbers in a range. */
/** @param {number} from @param {number} to @param {number} count */
function ticks(from, to, count) {
  const power = 10 ** Math.floor(Math.log10((to - from) / count));
  const step = power * ([1, 2, 5].find((factor) => factor * power * count >= to - from) ?? 10);
  const found = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) {
    found.push(i * step);
  }
  return found;
}

/**
 * The names of the signals with their values at the right end of the picture.
 *
 * @param {CanvasRenderingContext2D} ctx
 * @param {import("./table.js").RowSignal[]} signals
 * @param {import("./panes.js").Pane[]} panes
 * @param {import("./panes.js").Scene} scene
 * @param {number} top
 */
function legend(ctx, signals, panes, scene, top) {
  signals.forEach(({ signal, name, unit, channels }, i) => {
    const x = LEFT + i % 3 * ((WIDTH - LEFT) / 3);
    const y = top + Math.floor(i / 3) * 22;
    ctx.strokeStyle = colourOf(signal, false);
    ctx.lineWidth = 3;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 26, y);
    ctx.stroke();
    ctx.fillStyle = "#16202a";
    const pane = panes.find(({ traces }) => traces.some((trace) => trace.signal === signal));
    const [min, max] = pane?.range ?? [NaN, NaN];
    const [channel] = channels;
    const last = channel && scene.lanes[channel.lane]?.at(channel.id, scene.to);
    const text = band(last, Math.max(Math.abs(min), Math.abs(max)), max - min);
    ctx.fillText(`${name}  ${text} ${unit}`, x + 34, y);
  });
}
