// @ts-check
/** What has arrived of each lane, and what is to be read from it. */

/** A column or point before which something is missing. */
export const GAP = 1;
/** A column without samples. */
export const EMPTY = 2;

/** Numbers in a row that grows at its end and is cut at its begin. */
class Row {
  /** @param {Float64Array | Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.start = 0;
    this.end = 0;
  }

  get length() {
    return this.end - this.start;
  }

  /** @param {ArrayLike<number>} values */
  push(values) {
    if (this.end + values.length > this.data.length) this.#makeRoom(values.length);
    this.data.set(values, this.end);
    this.end += values.length;
  }

  /** @param {number} more */
  #makeRoom(more) {
    const kept = this.data.subarray(this.start, this.end);
    const size = Math.max(1024, 2 * (kept.length + more));
    const Kind = /** @type {Float64ArrayConstructor} */ (this.data.constructor);
    const data = size <= this.data.length ? this.data : new Kind(size);
    data.set(kept);
    this.data = data;
    this.end = kept.length;
    this.start = 0;
  }
}

const numbers = () => new Row(new Float64Array(1024));

/** What has arrived of one lane: points, or columns with minimum and maximum. */
export class Traces {
  /** @type {"points" | "columns"} */
  mode = "points";
  flags = new Row(new Uint8Array(1024));
  times = numbers();
  /** @type {Map<number, Row>} */
  lows = new Map();
  /** @type {Map<number, Row>} */
  highs = new Map();
  /** The number of the first column. */
  first = 0;
  origin = 0;
  width = 1;
  ids = "";

  /** @param {"points" | "columns"} mode */
  clear(mode) {
    this.mode = mode;
    this.flags = new Row(new Uint8Array(1024));
    this.times = numbers();
    this.lows = new Map();
    this.highs = new Map();
  }

  get count() {
    return this.flags.length;
  }

  /**
   * Takes a block of points or columns.
   *
   * @param {import("./protocol.js").Block} block What came.
   */
  take(block) {
    const { kind, numbers: [a, width, first], ids, replace } = block;
    if (replace || kind !== this.mode || ids.join() !== this.ids) {
      this.clear(kind === "columns" ? "columns" : "points");
      this.ids = ids.join();
      for (const id of ids) {
        this.lows.set(id, numbers());
        this.highs.set(id, kind === "points" ? /** @type {Row} */ (this.lows.get(id)) : numbers());
      }
      if (kind === "columns") [this.origin, this.width, this.first] = [a, width, first];
    } else if (kind === "columns") {
      // The columns that were not complete come again.
      const kept = Math.min(Math.max(0, first - this.first), this.count);
      for (const row of this.#rows()) row.end = row.start + kept;
    }
    this.flags.push(block.flags);
    if (kind === "points") {
      this.times.push(block.data[0] ?? []);
      ids.forEach((id, i) => this.lows.get(id)?.push(block.data[i + 1] ?? []));
    } else {
      const times = new Float64Array(block.count);
      for (let i = 0; i < times.length; i++) {
        times[i] = this.origin + (first + i + 0.5) * this.width;
      }
      this.times.push(times);
      ids.forEach((id, i) => {
        this.lows.get(id)?.push(block.data[2 * i] ?? []);
        this.highs.get(id)?.push(block.data[2 * i + 1] ?? []);
      });
    }
  }

  /**
   * Lets go of what lies before a time, except the last before it.
   *
   * @param {number} time In s.
   */
  forget(time) {
    const index = this.find(time) - 2;
    if (index < 1024) return;
    for (const row of this.#rows()) row.start += index;
    this.first += index;
  }

  #rows() {
    return new Set([this.flags, this.times, ...this.lows.values(), ...this.highs.values()]);
  }

  /**
   * The place of the first point or column at a time or later.
   *
   * @param {number} time In s.
   */
  find(time) {
    const { data, start, end } = this.times;
    let [low, high] = [start, end];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (/** @type {number} */ (data[middle]) < time) low = middle + 1;
      else high = middle;
    }
    return low - start;
  }

  /**
   * The least and the greatest value of a channel between two times, of those that are not infinite.
   *
   * @param {number} id The channel.
   * @param {number} from In s.
   * @param {number} to In s.
   * @returns {[number, number]} Infinity and -Infinity where there is no value.
   */
  range(id, from, to) {
    const [lows, highs] = [this.lows.get(id), this.highs.get(id)];
    let [min, max] = [Infinity, -Infinity];
    if (!lows || !highs) return [min, max];
    const end = Math.min(this.find(to) + 1, this.count);
    for (let i = Math.max(0, this.find(from) - 1); i < end; i++) {
      const low = /** @type {number} */ (lows.data[lows.start + i]);
      const high = /** @type {number} */ (highs.data[highs.start + i]);
      if (low < min && low > -Infinity) min = low;
      if (high > max && high < Infinity) max = high;
    }
    return [min, max];
  }

  /**
   * The value of a channel at a time: that of the nearest sample, or the least and the greatest one of its column.
   *
   * @param {number} id The channel.
   * @param {number} time In s.
   * @returns {[number, number] | undefined} Undefined where there is none.
   */
  at(id, time) {
    const [lows, highs] = [this.lows.get(id), this.highs.get(id)];
    if (!lows || !highs || this.count === 0) return undefined;
    let i = this.find(time);
    const near = (/** @type {number} */ at) =>
      Math.abs((this.times.data[this.times.start + at] ?? Infinity) - time);
    if (i >= this.count || i > 0 && near(i - 1) <= near(i)) i--;
    const low = lows.data[lows.start + i];
    const high = highs.data[highs.start + i];
    if (low === undefined || high === undefined || Number.isNaN(low)) return undefined;
    return [low, high];
  }

  /**
   * The last value of a channel.
   *
   * @param {number} id The channel.
   */
  last(id) {
    const row = this.highs.get(id);
    return row && row.length > 0 ? row.data[row.end - 1] : undefined;
  }

  /**
   * Finds what a channel covers in each column of pixels.
   *
   * @param {number} id The channel.
   * @param {{ top: Float32Array, bottom: Float32Array }} bars Where to write it; NaN where it is nothing.
   * @param {{ from: number, to: number, isStep: boolean }} how What part, and whether values hold until the next one.
   * @param {{ max: number, scale: number }} y A value is at (max - value) × scale.
   */
  cover(id, bars, { from, to, isStep }, { max, scale }) {
    const { top, bottom } = bars;
    top.fill(NaN);
    bottom.fill(NaN);
    const [lows, highs] = [this.lows.get(id), this.highs.get(id)];
    if (!lows || !highs) return;
    const width = top.length;
    const pixels = width / (to - from);
    const isPoints = this.mode === "points";
    const half = isPoints ? 0 : this.width * pixels / 2;
    // Without arrays of two, here and below: these are called a hundred thousand times for a picture.
    const extend = (/** @type {number} */ x, /** @type {number} */ a, /** @type {number} */ b) => {
      if (x < 0 || x >= width) return;
      const high = a < b ? a : b;
      const low = a < b ? b : a;
      if (!(/** @type {number} */ (top[x]) <= high)) top[x] = high;
      if (!(/** @type {number} */ (bottom[x]) >= low)) bottom[x] = low;
    };
    const line = (
      /** @type {number} */ x0,
      /** @type {number} */ y0,
      /** @type {number} */ x1,
      /** @type {number} */ y1,
    ) => {
      if (!(x1 > x0)) return extend(Math.floor(x0), y0, y1);
      const first = Math.max(0, Math.floor(x0));
      const last = Math.min(width - 1, Math.floor(x1));
      const slope = (y1 - y0) / (x1 - x0);
      for (let x = first; x <= last; x++) {
        extend(x, y0 + (Math.max(x0, x) - x0) * slope, y0 + (Math.min(x1, x + 1) - x0) * slope);
      }
    };
    let isDown = false;
    let lastX = 0;
    let lastTop = 0;
    let lastBottom = 0;
    const end = Math.min(this.count, this.find(to) + 1);
    for (let i = Math.max(0, this.find(from) - 1); i < end; i++) {
      const flags = /** @type {number} */ (this.flags.data[this.flags.start + i]);
      if (flags & EMPTY) continue;
      const low = /** @type {number} */ (lows.data[lows.start + i]);
      if (low !== low) { // NaN
        isDown = false;
        continue;
      }
      const high = /** @type {number} */ (highs.data[highs.start + i]);
      const x = (/** @type {number} */ (this.times.data[this.times.start + i]) - from) * pixels;
      const atTop = (max - high) * scale;
      const atBottom = (max - low) * scale;
      if (isDown && !(flags & GAP)) {
        // From the nearer end of the one before.
        const y0 = atTop > lastBottom
          ? lastBottom
          : atBottom < lastTop
          ? lastTop
          : isPoints
          ? atTop
          : NaN;
        const y1 = atTop > lastBottom ? atTop : atBottom;
        if (isStep && lastTop === lastBottom) {
          line(lastX, lastTop, x, lastTop);
          extend(Math.floor(x), lastTop, atTop);
        } else if (y0 === y0) line(lastX, y0, x, y1);
        else if (x - lastX > 2 * half + 1) {
          line(lastX, (lastTop + lastBottom) / 2, x, (atTop + atBottom) / 2);
        }
      }
      if (half <= 0.75) extend(Math.floor(x), atTop, atBottom);
      else {for (let c = Math.floor(x - half + 0.5); c < x + half - 0.5; c++) {
          extend(c, atTop, atBottom);
        }}
      isDown = true;
      lastX = x;
      lastTop = atTop;
      lastBottom = atBottom;
    }
  }

  /**
   * Draws a channel as a path.
   *
   * @param {{ moveTo(x: number, y: number): void, lineTo(x: number, y: number): void }} path Where to.
   * @param {number} id The channel.
   * @param {(time: number) => number} x Where a time is.
   * @param {(value: number) => number} y Where a value is.
   * @param {{ from: number, to: number, isStep: boolean }} how What part, and whether values hold until the next one.
   */
  trace(path, id, x, y, { from, to, isStep }) {
    const [lows, highs] = [this.lows.get(id), this.highs.get(id)];
    if (!lows || !highs) return;
    const start = Math.max(0, this.find(from) - 1);
    const end = Math.min(this.count, this.find(to) + 1);
    const isPoints = this.mode === "points";
    let isDown = false;
    let [lastX, lastLow, lastHigh] = [0, 0, 0];
    let isAlone = false;
    const dot = () => isAlone && path.lineTo(lastX + 0.01, lastLow);
    for (let i = start; i < end; i++) {
      const flags = /** @type {number} */ (this.flags.data[this.flags.start + i]);
      if (flags & EMPTY) continue;
      const low = /** @type {number} */ (lows.data[lows.start + i]);
      const high = /** @type {number} */ (highs.data[highs.start + i]);
      if (Number.isNaN(low)) {
        dot();
        isDown = isAlone = false;
        continue;
      }
      const atX = x(/** @type {number} */ (this.times.data[this.times.start + i]));
      const [atLow, atHigh] = [y(low), y(high)];
      if (!isDown || flags & GAP) {
        dot();
        path.moveTo(atX, atLow);
        if (!isPoints) path.lineTo(atX, atHigh);
        [isDown, isAlone] = [true, isPoints || atLow === atHigh];
      } else if (isPoints) {
        if (isStep) path.lineTo(atX, lastLow);
        path.lineTo(atX, atLow);
        isAlone = false;
      } else {
        if (isStep && lastLow === lastHigh) path.lineTo(atX, lastLow);
        // From the nearer end, so that two columns which overlap look like one band.
        const isBelow = Math.abs(atLow - lastHigh) <= Math.abs(atHigh - lastHigh);
        path.lineTo(atX, isBelow ? atLow : atHigh);
        path.lineTo(atX, isBelow ? atHigh : atLow);
        isAlone = false;
        [lastX, lastLow, lastHigh] = [atX, atLow, isBelow ? atHigh : atLow];
        continue;
      }
      [lastX, lastLow, lastHigh] = [atX, atLow, atHigh];
    }
    dot();
  }
}
