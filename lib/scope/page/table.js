// @ts-check
/// <reference lib="dom" />
/** The table of signals with their current values, the cursors' values, and the stream's statistics. */

import { colourOf, REPLY_DASH } from "./colours.js";
import { beside, duration, short, si, value } from "./format.js";

/**
 * @param {string} name
 * @param {string | null} [text]
 * @param {Record<string, string>} [attributes]
 */
export function make(name, text = null, attributes = {}) {
  const element = document.createElement(name);
  if (text !== null) element.textContent = text;
  for (const [key, each] of Object.entries(attributes)) element.setAttribute(key, each);
  return element;
}

/** Pixels beside what is seen of the table that are kept up to date too, and how often the rest is: every so many times. */
const [BESIDE, EVERY] = [200, 4];

/** Sets a text only where it is another one: a screen reader and the layout then have no work. */
/** @param {Element | undefined} element @param {string} text */
function set(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {HTMLElement | undefined} element @param {string | undefined} text */
function hint(element, text = "") {
  if (element && element.title !== text) element.title = text;
}

/** @param {number | null | undefined} number */
const orNone = (number) => number ?? NaN;

/**
 * @typedef {object} RowSignal A signal of the table.
 * @property {number} signal
 * @property {string} name
 * @property {string} unit
 * @property {boolean} isComplex
 * @property {string} part
 * @property {boolean} isHidden
 * @property {number} group
 * @property {{ lane: number, id: number }[]} channels Its trace in each lane.
 */

export class SignalTable {
  #body = /** @type {HTMLElement} */ (document.querySelector("#signals tbody"));
  #scroller = /** @type {HTMLElement} */ (this.#body.closest(".scroll"));
  #turn = 0;
  /** For each signal the cells of what came, and of the reply. */
  /** @type {Map<number, Record<string, HTMLElement>[]>} */
  #rows = new Map();

  /**
   * Makes a row for each signal.
   *
   * @param {RowSignal[]} signals
   * @param {{ hasGroups: boolean, isDark: boolean }} how
   * @param {{ toggle: (signal: number) => void, part: (signal: number, part: string) => void, group: (signal: number, group: number) => void }} actions
   */
  build(signals, { hasGroups, isDark }, actions) {
    this.#rows.clear();
    this.#turn = -1; // the next update is of all
    const rows = signals.map((each, index) => {
      const row = make("tr");
      const head = make("th", null, { scope: "row" });
      const button = make("button", null, {
        type: "button",
        "aria-pressed": String(!each.isHidden),
        title: each.isHidden ? "Show" : "Hide",
      });
      button.dataset["signal"] = String(each.signal);
      button.append(
        swatch(each.signal, isDark),
        make("kbd", index < 9 ? String(index + 1) : "", { "aria-hidden": "true" }),
        make("span", each.name),
      );
      button.addEventListener("click", () => actions.toggle(each.signal));
      head.append(button);
      if (each.isComplex) head.append(partSelect(each, actions.part));
      row.append(head);
      const cells = [makeCells(row, each.unit)];
      if (hasGroups) row.append(groupCell(each, actions.group));
      this.#rows.set(each.signal, cells);
      row.className = "signal";
      row.dataset["signal"] = String(each.signal);
      if (each.isHidden || each.channels.length < 2) return [row];
      const answer = make("tr", null, { class: "reply" });
      const name = make("th", null, { scope: "row" });
      name.append(
        swatch(each.signal, isDark, true),
        make("span", "reply"),
        make("span", ` of ${each.name}`, { class: "hidden" }),
      );
      answer.append(name);
      cells.push(makeCells(answer, each.unit));
      if (hasGroups) answer.append(make("td"));
      return [row, answer];
    });
    this.#body.replaceChildren(...rows.flat());
    const head = document.querySelector("#signals th.own");
    if (head instanceof HTMLElement) head.hidden = !hasGroups;
  }

  /**
   * Writes what the server told.
   *
   * @param {RowSignal[]} signals
   * @param {import("./types.js").State} state
   */
  update(signals, state) {
    this.#turn++;
    const { scrollTop, clientHeight } = this.#scroller;
    const isSeen = (/** @type {HTMLElement | undefined} */ row) =>
      !row ||
      row.offsetTop > scrollTop - BESIDE && row.offsetTop < scrollTop + clientHeight + BESIDE;
    // Before anything is written, so that the layout is made once.
    const due = signals.filter(({ signal }) =>
      this.#turn % EVERY === 0 || isSeen(this.#rows.get(signal)?.[0]?.["row"])
    );
    for (const { signal, channels } of due) {
      // The reply is written with the digits of what came, so that they can be compared.
      let [size, range] = [NaN, NaN];
      this.#rows.get(signal)?.forEach((cells, i) => {
        const channel = channels[i];
        const lane = channel && state.lanes[channel.lane];
        const measured = lane?.measured.find((each) => each.channel === channel?.id);
        if (i === 0) {
          const [min, max] = [orNone(measured?.min), orNone(measured?.max)];
          [size, range] = [Math.max(Math.abs(min), Math.abs(max)), max - min];
        }
        const exact = lane?.values[signal];
        if (exact !== undefined) {
          set(cells["number"], value(exact, size, range));
          hint(cells["value"], exact);
        }
        for (const name of /** @type {const} */ (["min", "max", "mean", "rms"])) {
          set(cells[name], beside(orNone(measured?.[name]), size, range));
        }
        set(cells["frequency"], si(orNone(measured?.frequency), "Hz"));
      });
    }
  }
}

/** The cells of a row. */
/** @param {HTMLElement} row @param {string} unit */
function makeCells(row, unit) {
  /** @type {Record<string, HTMLElement>} */
  const cells = { row };
  for (const name of ["value", "min", "max", "mean", "rms", "frequency"]) {
    const cell = make("td", "–", { class: name });
    cells[name] = cell;
    if (name === "value") {
      const number = make("span", "–");
      cell.replaceChildren(number, make("span", unit, { class: "unit" }));
      cells["number"] = number;
    }
    row.append(cell);
  }
  return cells;
}

/** A line as the trace is drawn. */
/** @param {number} signal @param {boolean} isDark @param {boolean} [isReply] */
export function swatch(signal, isDark, isReply = false) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "line");
  for (
    const [name, each] of Object.entries({
      x1: "0",
      x2: "100%",
      y1: "50%",
      y2: "50%",
      "stroke-width": "4",
    })
  ) {
    line.setAttribute(name, each);
  }
  line.setAttribute("stroke", colourOf(signal, isDark));
  if (isReply) line.setAttribute("stroke-dasharray", REPLY_DASH.join(" "));
  svg.append(line);
  return svg;
}

/** @param {RowSignal} row @param {(signal: number, part: string) => void} choose */
function partSelect({ signal, name, part }, choose) {
  const select = /** @type {HTMLSelectElement} */ (make("select", null, {
    "aria-label": `What of ${name} is shown`,
  }));
  for (const each of ["magnitude", "real", "imaginary", "phase"]) select.append(new Option(each));
  select.value = part;
  select.addEventListener("change", () => choose(signal, select.value));
  return select;
}

/** @param {RowSignal} row @param {(signal: number, group: number) => void} choose */
function groupCell({ signal, name, group }, choose) {
  const cell = make("td");
  const input = /** @type {HTMLInputElement} */ (make("input", null, {
    ...{ type: "number", min: "1", max: "16", "aria-label": `Pane of ${name}` },
  }));
  input.value = String(group);
  input.addEventListener("change", () => choose(signal, Number(input.value) || 1));
  cell.append(input);
  return cell;
}

/**
 * Writes the statistics of the stream.
 *
 * @param {import("./types.js").State} state
 * @param {import("./types.js").Lane[]} lanes
 */
export function showStatistics(state, lanes) {
  /** @type {[string, string, boolean][]} */
  const pairs = [];
  const [first, reply] = state.lanes;
  if (!first) return;
  pairs.push(["Rate", first.rate === null ? "–" : `${short(first.rate, 4)} /s`, false]);
  if (first.jitter !== null) pairs.push(["Jitter", duration(first.jitter), false]);
  pairs.push(["Samples", String(first.samples), false], [
    "Missed",
    String(first.missed),
    first.missed > 0,
  ]);
  pairs.push(["Reordered", String(first.reordered), first.reordered > 0]);
  pairs.push(["Duplicates", String(first.duplicates), first.duplicates > 0]);
  if (reply && reply.samples > 0) {
    pairs.push([lanes[1]?.isReply === false ? "Back" : "Replies", String(reply.samples), false]);
    pairs.push(["Echo delay", duration(orNone(reply.delay)), false]);
  }
  const unseen = first.unseen + (reply?.unseen ?? 0);
  if (unseen > 0) pairs.push(["Not shown", String(unseen), true]);
  if (first.isFull) {
    const shown = new Set(lanes[0]?.channels.map(({ signal }) => signal)).size;
    pairs.push(["Signals", `the first ${shown} only`, true]);
  }
  for (const { name, value, unit } of state.statistics) {
    const text = unit === "s" ? duration(value) : unit ? si(value, unit) : short(value);
    const isBad = value > 0 && /invalid|dropped|refused|failed|unsent|lost|missed/i.test(name);
    pairs.push([name, text, isBad]);
  }
  showPairs("statistics", pairs);
}

/** @param {string} id @param {[string, string, boolean][]} pairs */
export function showPairs(id, pairs) {
  const list = /** @type {HTMLElement} */ (document.getElementById(id));
  while (list.children.length > pairs.length) list.lastElementChild?.remove();
  pairs.forEach(([name, text, isBad], i) => {
    let pair = list.children[i];
    if (!pair) {
      pair = make("div");
      pair.append(make("dt"), make("dd"));
      list.append(pair);
    }
    pair.className = isBad ? "bad" : "";
    set(pair.children[0], name);
    set(pair.children[1], text);
  });
}
