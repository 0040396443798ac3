// @ts-check
/// <reference lib="dom" />
/** The two cursors: lines across the panes, and a table of what the traces are there. */

import { band, beside, duration, si, sizeAndRange } from "./format.js";
import { isDark } from "./panes.js";
import { make, showPairs, swatch } from "./table.js";

/** Cursors A and B. */
export class Cursors {
  #put;
  #body = /** @type {HTMLElement} */ (document.querySelector("#cursor-table tbody"));

  /**
   * @param {HTMLElement} parent Where they lie.
   * @param {import("./pointer.js").Actions} actions What they do.
   */
  constructor(parent, actions) {
    this.#put = { a: makeCursor(parent, "a", actions), b: makeCursor(parent, "b", actions) };
  }

  /**
   * @param {{ a: number | null, b: number | null }} cursors Where they are: a part of the view, from 0 to 1.
   * @param {import("./panes.js").Scene} now What is visible.
   * @param {import("./panes.js").Pane[]} panes
   * @param {(at: number) => string} text How a time is written.
   */
  show({ a, b }, now, panes, text) {
    const time = (/** @type {number | null} */ part) =>
      part === null ? NaN : now.from + part * (now.to - now.from);
    const [ta, tb] = [time(a), time(b)];
    this.#put.a(a, text(ta));
    this.#put.b(b, text(tb));
    if (a === null && b === null) return;
    /** @type {[string, string, boolean][]} */
    const pairs = [];
    if (a !== null) pairs.push(["A", text(ta), false]);
    if (b !== null) pairs.push(["B", text(tb), false]);
    if (a !== null && b !== null) {
      pairs.push(["Δt", duration(tb - ta), false]);
      pairs.push(["1/Δt", si(Math.abs(1 / (tb - ta)), "Hz"), false]);
    }
    showPairs("cursor-times", pairs);
    const shown = panes.flatMap(({ traces, range }) =>
      traces.map((trace) => ({ ...trace, sizes: sizeAndRange(range) }))
    );
    this.#makeRows(shown.length);
    shown.forEach((trace, i) => {
      const cells = this.#body.children[i]?.children;
      if (!cells) return;
      const name = trace.isReply ? `${trace.name} (reply)` : trace.name;
      if (cells[0]?.getAttribute("title") !== name) {
        cells[0]?.replaceChildren(swatch(trace.signal, isDark(), trace.isReply), ` ${name}`);
        cells[0]?.setAttribute("title", name);
      }
      const [va, vb] = [ta, tb].map((at) => now.lanes[trace.lane]?.at(trace.id, at));
      const one = (/** @type {[number, number] | undefined} */ each) =>
        each ? (each[0] + each[1]) / 2 : NaN;
      const texts = [va, vb].map((each) => band(each, ...trace.sizes));
      [...texts, beside(one(vb) - one(va), ...trace.sizes)].forEach((text, k) => {
        const cell = cells[k + 1];
        if (cell && cell.textContent !== text) cell.textContent = text;
      });
    });
  }

  /**
   * Makes the rows anew, where there are others, or other colours.
   *
   * @param {number} count
   */
  #makeRows(count) {
    const body = this.#body;
    const theme = String(isDark());
    if (body.children.length === count && body.dataset["theme"] === theme) return;
    body.dataset["theme"] = theme;
    body.replaceChildren(...Array.from({ length: count }, () => {
      const row = make("tr");
      row.append(make("th", null, { scope: "row" }), make("td"), make("td"), make("td"));
      return row;
    }));
  }
}

/**
 * A line that can be dragged and moved with the arrow keys.
 *
 * @param {HTMLElement} parent Where it lies.
 * @param {"a" | "b"} name Which one.
 * @param {import("./pointer.js").Actions} actions What it does.
 * @returns {(part: number | null, text: string) => void} Puts it somewhere.
 */
function makeCursor(parent, name, actions) {
  const line = document.createElement("div");
  line.className = "cursor";
  line.dataset["name"] = name;
  line.tabIndex = 0;
  line.setAttribute("role", "slider");
  line.setAttribute("aria-label", `Cursor ${name.toUpperCase()}`);
  line.setAttribute("aria-valuemin", "0");
  line.setAttribute("aria-valuemax", "100");
  const flag = document.createElement("span");
  flag.textContent = name.toUpperCase();
  line.append(flag);
  line.hidden = true;
  parent.append(line);
  let part = 0;
  const put = (/** @type {number} */ where) =>
    actions.setCursor(name, Math.min(1, Math.max(0, where)));
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    event.stopPropagation();
  });
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const { left, width } = actions.area();
    put((event.clientX - left) / width);
  });
  line.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    put(part + step * (event.shiftKey ? 0.05 : 1 / actions.area().width));
    event.preventDefault();
    event.stopPropagation();
  });
  return (where, text) => {
    line.hidden = where === null;
    if (where === null) return;
    part = where;
    const { left, width } = actions.area();
    line.style.left = `${left - parent.getBoundingClientRect().left + where * width}px`;
    line.setAttribute("aria-valuenow", String(Math.round(where * 100)));
    line.setAttribute("aria-valuetext", text);
  };
}
