// @ts-check
/** What is shown and how: all of it is in the page's address, so that it can be sent to a colleague. */

/** The time bases, in s. */
export const SPANS = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[60, 120, 300, 600, 1200, 1800, 3600],
];

/** The least and the most seconds that can be visible; the most of a recording. */
export const [SHORTEST, LONGEST] = [1e-4, 1e7];

/**
 * @typedef {object} Trigger
 * @property {number} signal
 * @property {"rising" | "falling" | "either"} slope
 * @property {number} level
 * @property {number} hysteresis
 * @property {number} holdoff
 * @property {number} position From 0 to 1.
 * @property {"auto" | "normal" | "single"} mode
 */

export class View {
  /** Seconds that are visible. */
  span = 10;
  /** Where the view ends, in s since 1970; null while it follows the stream. */
  /** @type {number | null} */
  end = null;
  /** Signals that are hidden. */
  /** @type {Set<number>} */
  hidden = new Set();
  /** What is shown of complex signals. */
  /** @type {Map<number, string>} */
  parts = new Map();
  /** How traces are divided into panes. */
  panes = "unit";
  /** The pane of each signal, where the user chooses. */
  /** @type {Map<number, number>} */
  groups = new Map();
  /** @type {Trigger | null} */
  trigger = null;
  /** @type {{ signal: number, window: string, decibel: boolean } | null} */
  spectrum = null;
  /** @type {{ x: number, y: number } | null} */
  xy = null;
  /** Where the cursors are: a part of the view, from 0 to 1. */
  /** @type {{ a: number | null, b: number | null }} */
  cursors = { a: null, b: null };
  /** "light", "dark", or "" for what the system wants. */
  theme = "";

  /** @param {string} hash The part of an address after the #. */
  constructor(hash) {
    const query = new URLSearchParams(hash.replace(/^#/, ""));
    const numbers = (/** @type {string | null} */ text) =>
      (text ?? "").split(",").filter((each) => each !== "").map(Number);
    const span = Number(query.get("span"));
    if (span >= SHORTEST && span <= LONGEST) this.span = span;
    if (query.has("end") && Number.isFinite(Number(query.get("end")))) {
      this.end = Number(query.get("end"));
    }
    this.hidden = new Set(numbers(query.get("hide")));
    this.panes = query.get("panes") ?? "unit";
    this.theme = query.get("theme") ?? "";
    for (const each of (query.get("parts") ?? "").split(",")) {
      const [signal, part] = each.split(":");
      if (part) this.parts.set(Number(signal), part);
    }
    for (const each of (query.get("groups") ?? "").split(",")) {
      const [signal, group] = each.split(":");
      if (group) this.groups.set(Number(signal), Number(group));
    }
    this.trigger = readObject(query.get("trigger"));
    this.spectrum = readObject(query.get("spectrum"));
    this.xy = readObject(query.get("xy"));
    const [a, b] = (query.get("cursors") ?? ",").split(",");
    this.cursors = { a: a ? Number(a) : null, b: b ? Number(b) : null };
  }

  /** What stands after the # in the address. */
  get hash() {
    const query = new URLSearchParams();
    query.set("span", String(this.span));
    if (this.end !== null) query.set("end", this.end.toFixed(6));
    if (this.hidden.size > 0) query.set("hide", [...this.hidden].join());
    if (this.panes !== "unit") query.set("panes", this.panes);
    if (this.theme !== "") query.set("theme", this.theme);
    const pairs = (/** @type {Map<number, unknown>} */ map) =>
      [...map].map(([key, value]) => `${key}:${value}`).join();
    if (this.parts.size > 0) query.set("parts", pairs(this.parts));
    if (this.groups.size > 0) query.set("groups", pairs(this.groups));
    for (const name of /** @type {const} */ (["trigger", "spectrum", "xy"])) {
      if (this[name]) query.set(name, JSON.stringify(this[name]));
    }
    const { a, b } = this.cursors;
    if (a !== null || b !== null) {
      query.set("cursors", [a, b].map((each) => each === null ? "" : each.toFixed(5)).join());
    }
    return `#${query}`;
  }

  /**
   * Takes the next shorter or longer time base.
   *
   * @param {number} step -1 or 1.
   */
  stepSpan(step) {
    const next = step > 0
      ? SPANS.find((span) => span > this.span * 1.001)
      : SPANS.findLast((span) => span < this.span / 1.001);
    this.span = next ?? this.span;
  }
}

/** @param {string | null} text */
function readObject(text) {
  try {
    const value = JSON.parse(text ?? "null");
    return typeof value === "object" ? value : null;
  } catch {
    return null; // an address that was written by hand
  }
}
