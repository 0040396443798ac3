// @ts-check
/// <reference lib="dom" />
/**
 * Traces as pixels. A browser takes seconds for the outlines of 64 dense lines; what each line covers in each column of pixels is known,
 * and is set in a picture of their own in milliseconds.
 */

/** @typedef {{ top: Float32Array, bottom: Float32Array }} Bars What a line covers in each column, in pixels; NaN where it is nothing. */

/** A picture of the size of a pane. */
export class Raster {
  #canvas = document.createElement("canvas");
  /** @type {ImageData | undefined} */
  #image;
  #pixels = new Uint32Array();
  #width = 0;
  #height = 0;
  /** @type {Bars} */
  bars = { top: new Float32Array(), bottom: new Float32Array() };

  /**
   * Begins a picture.
   *
   * @param {number} width
   * @param {number} height
   */
  begin(width, height) {
    if (this.#width !== width || this.#height !== height || !this.#image) {
      [this.#width, this.#height] = [width, height];
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#image = new ImageData(width, height);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      this.bars = { top: new Float32Array(width), bottom: new Float32Array(width) };
    } else this.#pixels.fill(0);
  }

  /**
   * Draws what is in the bars.
   *
   * @param {string} colour As in #0068b3.
   * @param {number} thickness In pixels.
   * @param {{ on: number, off: number, phase: number } | undefined} dash In pixels.
   */
  draw(colour, thickness, dash) {
    const { top, bottom } = this.bars;
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\da-f]{2}/gi) ?? []).map((each) =>
      parseInt(each, 16)
    );
    const [width, height] = [this.#width, this.#height];
    // Where the line is steep, its thickness lies across.
    const reach = Math.max(0, Math.round((thickness - 1.4) / 2));
    for (let x = 0; x < width; x++) {
      if (
        dash &&
        (((x + dash.phase) % (dash.on + dash.off)) + dash.on + dash.off) % (dash.on + dash.off) >=
          dash.on
      ) continue;
      let [from, to] = [/** @type {number} */ (top[x]), /** @type {number} */ (bottom[x])];
      if (from !== from) continue; // NaN
      for (let near = Math.max(0, x - reach); near <= Math.min(width - 1, x + reach); near++) {
        const [a, b] = [/** @type {number} */ (top[near]), /** @type {number} */ (bottom[near])];
        if (b - a > 2 * thickness) {
          if (a < from) from = a;
          if (b > to) to = b;
        }
      }
      from -= thickness / 2;
      to += thickness / 2;
      if (to <= 0 || from >= height) continue;
      const first = Math.max(0, Math.floor(from));
      const last = Math.min(height - 1, Math.ceil(to) - 1);
      for (let y = first, at = first * width + x; y <= last; y++, at += width) {
        const covered = Math.min(y + 1, to) - Math.max(y, from);
        this.#set(at, red, green, blue, covered);
      }
    }
  }

  /**
   * @param {number} at
   * @param {number} red
   * @param {number} green
   * @param {number} blue
   * @param {number} covered From 0 to 1.
   */
  #set(at, red, green, blue, covered) {
    const pixels = this.#pixels;
    if (covered > 0.996) {
      pixels[at] = 0xff000000 | blue << 16 | green << 8 | red;
      return;
    }
    const below = /** @type {number} */ (pixels[at]);
    const old = (below >>> 24) / 255;
    const alpha = covered + old * (1 - covered);
    if (alpha <= 0) return;
    const mix = (/** @type {number} */ part, /** @type {number} */ shift) =>
      Math.round((part * covered + (below >>> shift & 255) * old * (1 - covered)) / alpha);
    pixels[at] = Math.round(alpha * 255) << 24 | mix(blue, 16) << 16 | mix(green, 8) << 8 |
      mix(red, 0);
  }

  /**
   * Puts the picture over what is there.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} left
   * @param {number} top
   */
  finish(ctx, left, top) {
    if (!this.#image) return;
    this.#canvas.getContext("2d")?.putImageData(this.#image, 0, 0);
    ctx.drawImage(this.#canvas, left, top);
  }
}
