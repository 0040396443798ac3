// @ts-check
/// <reference lib="dom" />
/** What the traces are where the mouse points. A keyboard has the cursors for it, and a screen reader the tables. */

import { isDark } from "./panes.js";
import { make, swatch } from "./table.js";

/** Rows before there is another column. */
const ROWS = 12;

/**
 * @typedef {object} Row
 * @property {number} signal
 * @property {string} name
 * @property {string} unit
 * @property {string[]} values That of the trace, and of its reply.
 */

/** A line under the pointer, and a box with values beside it. */
export class Readout {
  /** Where the pointer is on the screen; null where it is elsewhere. */
  /** @type {{ x: number, y: number } | null} */
  pointer = null;
  #line = make("div", null, { class: "pointer", "aria-hidden": "true" });
  #box = make("div", null, { class: "readout", "aria-hidden": "true" });
  #time = make("div", null, { class: "time" });
  #list = make("div", null, { class: "list" });
  #built = "";

  /** @param {HTMLElement} parent Where it lies. */
  constructor(parent) {
    this.parent = parent;
    this.#box.append(this.#time, this.#list);
    parent.append(this.#line, this.#box);
    this.hide();
  }

  hide() {
    this.#line.hidden = this.#box.hidden = true;
  }

  /**
   * @param {string} time
   * @param {Row[]} rows
   */
  show(time, rows) {
    if (!this.pointer) return this.hide();
    const built = JSON.stringify([
      isDark(),
      rows.map(({ signal, name, unit }) => [signal, name, unit]),
    ]);
    if (built !== this.#built) {
      this.#built = built;
      this.#list.style.gridTemplateRows = `repeat(${Math.min(rows.length, ROWS)}, auto)`;
      this.#list.replaceChildren(...rows.map(({ signal, name, unit }) => {
        const row = make("div", null, { class: "row" });
        row.append(
          swatch(signal, isDark()),
          make("span", name, { class: "of" }),
          make("span", "", { class: "number" }),
          make("span", unit, { class: "unit" }),
        );
        return row;
      }));
    }
    this.#time.textContent = time;
    rows.forEach(({ values: [own = "–", reply] }, i) => {
      const cell = this.#list.children[i]?.children[2];
      const text = reply === undefined || reply === own ? own : `${own} → ${reply}`;
      if (cell && cell.textContent !== text) cell.textContent = text;
    });
    this.#line.hidden = this.#box.hidden = false;
    this.#place(this.pointer);
  }

  /** @param {{ x: number, y: number }} pointer */
  #place({ x, y }) {
    const { left, top, width, height } = this.parent.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.#box;
    const isRight = x - left + 16 + offsetWidth > width;
    const at = isRight ? x - left - 16 - offsetWidth : x - left + 16;
    const down = Math.min(y - top + 16, height - offsetHeight - 4);
    this.#line.style.left = `${x - left}px`;
    this.#line.style.top = `${this.parent.scrollTop}px`;
    this.#box.style.left = `${Math.max(2, at)}px`;
    this.#box.style.top = `${Math.max(2, down) + this.parent.scrollTop}px`;
  }
}
