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

/**
 * The next number of 1, 2 or 5 and zeros.
 *
 * @param {number} size What it must not be below.
 */
export function niceStep(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  return power * ([1, 2, 5].find((factor) => factor * power >= size) ?? 10);
}
