// @ts-check
/** Ranges of round numbers. */

/** The greatest number on an axis: what is beyond it lies outside. */
const MOST = 1e300;
/** The least range, and its least part of the numbers in it: below that the steps of an axis are lost in their last digits. */
const [LEAST, PART] = [1e-300, 1e-13];

/** The least range around some numbers. */
/** @param {number} least @param {number} greatest */
const leastAround = (least, greatest) =>
  Math.max(LEAST, PART * Math.max(Math.abs(least), Math.abs(greatest)));

/**
 * A range of round numbers in which values find room; the one before is kept as long as it suits, so that nothing moves that need not.
 *
 * @param {[number, number]} before
 * @param {[number, number]} extent
 * @returns {[number, number]}
 */
export function fitted(before, extent) {
  const [least, greatest] = [Math.max(extent[0], -MOST), Math.min(extent[1], MOST)];
  if (!(least <= greatest)) return before;
  const [min, max] = before;
  const size = greatest - least;
  if (least >= min && greatest <= max && size > 0.45 * (max - min)) return before;
  const padded = size > 0
    ? Math.max(size * 1.1, leastAround(least, greatest))
    : Math.max(Math.abs(greatest) * 0.2, 1e-9, size === 0 && greatest === 0 ? 1 : 0);
  const middle = (least + greatest) / 2;
  const step = niceStep(padded / 5);
  return [
    Math.floor((middle - padded / 2) / step) * step,
    Math.ceil((middle + padded / 2) / step) * step,
  ];
}

/**
 * A range that is made smaller or larger around a value; the one before where no axis could show it.
 *
 * @param {[number, number]} before
 * @param {number} factor
 * @param {number} around
 * @returns {[number, number]}
 */
export function zoomed(before, factor, around) {
  const [min, max] = before.map((each) => around + (each - around) * factor);
  if (min === undefined || max === undefined) return before;
  return max - min >= leastAround(min, max) && max <= MOST && min >= -MOST ? [min, max] : before;
}

/** The steps of a time axis, in s: round numbers, and above a second those of a clock. */
export const TIME_STEPS = [
  ...[-7, -6, -5, -4, -3, -2, -1].flatMap((power) =>
    [1, 2, 5].map((each) => Number(`${each}e${power}`))
  ),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[1, 2, 3, 6, 12, 24, 48, 120, 240, 480, 1200, 2400].map((hours) => hours * 3600),
];

/**
 * The multiples of a step in a range.
 *
 * @param {[number, number]} range
 * @param {number} step
 * @param {number} base Where 0 is, for the multiples.
 */
export function multiples([min, max], step, base) {
  const first = Math.ceil((min + base) / step - 1e-6);
  const count = Math.max(0, Math.floor((max + base) / step + 1e-6) - first + 1);
  return Array.from({ length: count }, (_, i) => (first + i) * step - base);
}

/**
 * The next number of 1, 2 or 5 and zeros.
 *
 * @param {number} size What it must not be below.
 */
export function niceStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5].find((factor) => factor * power >= size) ?? 10);
}
