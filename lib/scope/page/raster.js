// @ts-check
/// <reference lib="dom" />
/**
 * Traces as pixels. A browser takes seconds for the outlines of 64 dense lines; what each line covers in each column of pixels is known,
 * and is set in a picture of their own in milliseconds.
 */

/** @typedef {{ top: Float32Array, bottom: Float32Array }} Bars What a line covers in each column, in pixels; NaN where it is nothing. */

/** Columns that are drawn together: they stay in the processor's cache while one trace after the other is drawn over them. */
const TILE = 16;
/** Pixels above which it is quicker to have them filled than to set them one by one. */
const LONG = 100;

/**
 * @typedef {object} Layer A trace.
 * @property {Bars} bars
 * @property {number} ink Its colour, in the order of bytes that pictures have.
 * @property {number} thickness In pixels.
 * @property {{ on: number, off: number, phase: number } | undefined} dash In pixels.
 */

/** A picture of the size of a pane. */
export class Raster {
  #canvas = document.createElement("canvas");
  /** @type {ImageData | undefined} */
  #image;
  /** The pixels, row by row. */
  #rows = new Uint32Array();
  /** Those of some columns, column by column. */
  #pixels = new Uint32Array();
  #width = 0;
  #height = 0;
  /** The traces; behind those that are drawn, what is to be used again. */
  /** @type {Layer[]} */
  #layers = [];
  #count = 0;

  /**
   * Begins a picture.
   *
   * @param {number} width
   * @param {number} height
   */
  begin(width, height) {
    this.#count = 0;
    if (this.#width === width && this.#height === height) return;
    this.#width = this.#canvas.width = width;
    this.#height = this.#canvas.height = height;
    this.#image = new ImageData(width, height);
    this.#rows = new Uint32Array(this.#image.data.buffer);
    this.#pixels = new Uint32Array(TILE * height);
    this.#layers = [];
  }

  /**
   * Takes a trace, which is drawn over those before.
   *
   * @param {string} colour As in #0068b3.
   * @param {number} thickness In pixels.
   * @param {{ on: number, off: number, phase: number } | undefined} dash In pixels.
   * @returns {Bars} To be filled with what it covers.
   */
  add(colour, thickness, dash) {
    const number = parseInt(colour.slice(1), 16);
    const ink = (number & 255) << 16 | number & 0xff00 | number >>> 16;
    const bars = this.#layers[this.#count]?.bars ??
      { top: new Float32Array(this.#width), bottom: new Float32Array(this.#width) };
    this.#layers[this.#count++] = { bars, ink, thickness, dash };
    return bars;
  }

  /**
   * Draws the picture over what is there.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} left
   * @param {number} top
   */
  finish(ctx, left, top) {
    if (!this.#image) return;
    const [rows, pixels, width, height] = [this.#rows, this.#pixels, this.#width, this.#height];
    for (let first = 0; first < width; first += TILE) {
      const end = Math.min(width, first + TILE);
      pixels.fill(0);
      for (let i = 0; i < this.#count; i++) {
        this.#draw(/** @type {Layer} */ (this.#layers[i]), first, end);
      }
      for (let y = 0; y < height; y++) {
        for (let x = first; x < end; x++) {
          rows[y * width + x] = /** @type {number} */ (pixels[(x - first) * height + y]);
        }
      }
    }
    this.#canvas.getContext("2d")?.putImageData(this.#image, 0, 0);
    ctx.drawImage(this.#canvas, left, top);
  }

  /** Draws some columns of a trace. */
  /** @param {Layer} layer @param {number} first @param {number} end */
  #draw({ bars: { top, bottom }, ink, thickness, dash }, first, end) {
    const [width, height] = [this.#width, this.#height];
    // Where the line is steep, its thickness lies across.
    const reach = Math.max(0, Math.round((thickness - 1.4) / 2));
    const period = dash ? dash.on + dash.off : 0;
    for (let x = first; x < end; x++) {
      if (dash && (((x + dash.phase) % period) + period) % period >= dash.on) continue;
      let from = /** @type {number} */ (top[x]);
      let to = /** @type {number} */ (bottom[x]);
      if (from !== from) continue; // NaN
      for (let near = Math.max(0, x - reach); reach > 0 && near <= x + reach; near++) {
        if (near >= width) break;
        const a = /** @type {number} */ (top[near]);
        const b = /** @type {number} */ (bottom[near]);
        if (!(b - a > 2 * thickness)) continue;
        if (a < from) from = a;
        if (b > to) to = b;
      }
      from = Math.max(0, from - thickness / 2);
      to = Math.min(height, to + thickness / 2);
      if (from < to) this.#bar((x - first) * height, from, to, ink);
    }
  }

  /** Fills a part of a column; at its ends, pixels are covered in part. */
  /** @param {number} start @param {number} from @param {number} to @param {number} ink */
  #bar(start, from, to, ink) {
    const [first, last] = [Math.floor(from), Math.ceil(to) - 1];
    if (first === last) return this.#mix(start + first, ink, to - from);
    const isFirstWhole = from - first < 0.004;
    const isLastWhole = last + 1 - to < 0.004;
    const pixels = this.#pixels;
    const begin = start + first + (isFirstWhole ? 0 : 1);
    const end = start + last + (isLastWhole ? 1 : 0);
    if (end - begin > LONG) pixels.fill(0xff000000 | ink, begin, end);
    else for (let at = begin; at < end; at++) pixels[at] = 0xff000000 | ink;
    if (!isFirstWhole) this.#mix(start + first, ink, first + 1 - from);
    if (!isLastWhole) this.#mix(start + last, ink, to - last);
  }

  /**
   * Draws over a pixel.
   *
   * @param {number} at
   * @param {number} ink
   * @param {number} covered From 0 to 1.
   */
  #mix(at, ink, covered) {
    const pixels = this.#pixels;
    const below = /** @type {number} */ (pixels[at]);
    if (below === 0) {
      pixels[at] = Math.round(covered * 255) << 24 | ink;
      return;
    }
    const kept = (below >>> 24) / 255 * (1 - covered);
    const alpha = covered + kept;
    const blue = ((ink >>> 16 & 255) * covered + (below >>> 16 & 255) * kept) / alpha;
    const green = ((ink >>> 8 & 255) * covered + (below >>> 8 & 255) * kept) / alpha;
    const red = ((ink & 255) * covered + (below & 255) * kept) / alpha;
    pixels[at] = Math.round(alpha * 255) << 24 | Math.round(blue) << 16 | Math.round(green) << 8 |
      Math.round(red);
  }
}
