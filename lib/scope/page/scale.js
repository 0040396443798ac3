// @ts-check
/** Ranges of round numbers. */

/**
 * A range of round numbers in which values find room; the one before is kept as long as it suits, so that nothing moves that need not.
 *
 * @param {[number, number]} before
 * @param {[number, number]} extent
 * @returns {[number, number]}
 */
export function fitted(before, [least, greatest]) {
  if (!(least <= greatest) || !Number.isFinite(least + greatest)) return before;
  const [min, max] = before;
  const size = greatest - least;
  if (least >= min && greatest <= max && size > 0.45 * (max - min)) return before;
  const padded = size > 0
    ? size * 1.1
    : Math.max(Math.abs(greatest) * 0.2, 1e-9, size === 0 && greatest === 0 ? 1 : 0);
  const middle = (least + greatest) / 2;
  const step = niceStep(padded / 5);
  return [
    Math.floor((middle - padded / 2) / step) * step,
    Math.ceil((middle + padded / 2) / step) * step,
  ];
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
