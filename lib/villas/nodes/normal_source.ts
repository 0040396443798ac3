/**
 * Normally distributed numbers that are the same again for the same seed.
 *
 * Uniform numbers come from the generator sfc32 ("small fast counter", 128 bits of state, by Chris Doty-Humphrey),
 * and are made normal by Marsaglia's polar method.
 */
export class NormalSource {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  /** The polar method makes two deviates at a time; this is the second. */
  #spare: number | undefined;

  /**
   * @param seed A whole number from 0 to 2⁵³ − 1. Without one the deviates are others every time.
   */
  constructor(seed?: number) {
    const state = new Uint32Array(3);
    if (seed === undefined) crypto.getRandomValues(state);
    else state.set([seed, seed / 2 ** 32, 0x6c616277]);
    [this.#a, this.#b, this.#c] = state as unknown as [number, number, number];
    // Seeds differ in few bits: after these rounds the output differs in half of them.
    for (let i = 0; i < 15; i++) this.#next32();
  }

  /**
   * Makes the next deviate.
   *
   * @returns A number from the standard normal distribution: mean 0, standard deviation 1.
   */
  next(): number {
    const spare = this.#spare;
    if (spare !== undefined) {
      this.#spare = undefined;
      return spare;
    }
    let x: number, y: number, square: number;
    do {
      x = 2 * this.#uniform() - 1;
      y = 2 * this.#uniform() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square === 0);
    const scale = Math.sqrt(-2 * Math.log(square) / square);
    this.#spare = y * scale;
    return x * scale;
  }

  /** A multiple of 2⁻⁵³ from 0 to below 1. */
  #uniform(): number {
    return (this.#next32() * 2 ** 21 + (this.#next32() >>> 11)) / 2 ** 53;
  }

  #next32(): number {
    const sum = (this.#a + this.#b | 0) + this.#counter | 0;
    this.#counter = this.#counter + 1 | 0;
    this.#a = this.#b ^ this.#b >>> 9;
    this.#b = this.#c + (this.#c << 3) | 0;
    this.#c = (this.#c << 21 | this.#c >>> 11) + sum | 0;
    return sum >>> 0;
  }
}
