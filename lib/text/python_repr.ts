/**
 * Writes a double as Python's `repr()` and `str()` do: the fewest digits that read back as the same number,
 * always with a point or an exponent.
 *
 * @param value Any double.
 * @returns For example `1.0`, `0.0001`, `1e-05`, `1e+16`, `-0.0`, `nan`, `-inf`.
 */
export function pythonRepr(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const size = Math.abs(value);
  if (size < 1e16 && size >= 1e-4) return Number.isInteger(value) ? `${value}.0` : `${value}`;
  if (size === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  // Python starts the exponent form at other sizes than JavaScript, and with two digits of exponent at least.
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
