/**
 * Numbers as C's `printf` writes them: exact digits, halves rounded to even, and never another form than the
 * one asked for. (JavaScript's `toFixed` and `toExponential` round halves away from zero, `toFixed` changes to
 * the exponent form at 10²¹, and both lose the sign of -0.)
 *
 * @module
 */

/** How {@linkcode printFixed} and {@linkcode printExponent} write a number. */
export interface PrintOptions {
  /** Writes a `+` before what is not negative, as the flag `+` of `printf` does. Off by default. */
  plus?: boolean;
}

/**
 * Writes a number as `%.*f` does.
 *
 * @param value Any double. The sign of a NaN cannot be seen in JavaScript: it is written without one.
 * @param digits How many digits after the point, 0 to 100.
 * @param options Whether a `+` is wanted.
 * @returns For example `-1.00000000000000000`, `inf`, `nan`.
 */
export function printFixed(value: number, digits: number, options: PrintOptions = {}): string {
  return signOf(value, options) + (notFinite(value) ?? fixed(Math.abs(value), digits));
}

/**
 * Writes a number as `%.*e` does: one digit before the point, and two digits of exponent at least.
 *
 * @param value Any double. The sign of a NaN cannot be seen in JavaScript: it is written without one.
 * @param digits How many digits after the point, 0 to 99.
 * @param options Whether a `+` is wanted.
 * @returns For example `1.014593e-01`, `inf`, `nan`.
 */
export function printExponent(value: number, digits: number, options: PrintOptions = {}): string {
  return signOf(value, options) + (notFinite(value) ?? exponent(Math.abs(value), digits));
}

/**
 * Writes a number as `%.*g` does: so many digits that count, without the zeros at their end, in the form of `%f` or of `%e`.
 *
 * @param value Any double. The sign of a NaN cannot be seen in JavaScript: it is written without one.
 * @param digits How many digits count, 1 to 100.
 * @returns For example `0.10000000000000001`, `1e+20`, `-0`, `nan`.
 */
export function printGeneral(value: number, digits: number): string {
  const sign = signOf(value, {});
  const word = notFinite(value);
  if (word !== undefined) return sign + word;
  const size = Math.abs(value);
  if (size === 0) return sign + "0";
  let text = size.toExponential(digits - 1);
  let e = text.indexOf("e");
  let power = Number(text.slice(e + 1));
  // Half of the last digit: C rounds to even.
  if (size * 2 ** (digits - 1 - power) % 1 === 0.5) {
    text = exponent(size, digits - 1);
    e = text.indexOf("e");
    power = Number(text.slice(e + 1));
  }
  let end = e;
  while (text.charCodeAt(end - 1) === 0x30) end--;
  if (power < -4 || power >= digits) {
    if (end === 2) end = 1; // no digit is left after the point
    const places = Math.abs(power) < 10 ? `0${Math.abs(power)}` : Math.abs(power);
    return `${sign}${text.slice(0, end)}e${power < 0 ? "-" : "+"}${places}`;
  }
  const kept = text[0] + text.slice(2, end);
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${kept}`;
  if (kept.length <= power + 1) return sign + kept + "0".repeat(power + 1 - kept.length);
  return `${sign}${kept.slice(0, power + 1)}.${kept.slice(power + 1)}`;
}

function signOf(value: number, { plus = false }: PrintOptions): string {
  return value < 0 || Object.is(value, -0) ? "-" : plus ? "+" : "";
}

function notFinite(value: number): string | undefined {
  return Number.isNaN(value) ? "nan" : Number.isFinite(value) ? undefined : "inf";
}

/** Half of the digits that a double can have before the point. */
const HALF = 154;
const HALF_POWER = 10n ** BigInt(HALF);

/** The digits of a whole number. Converting takes time by the square of the length, so half the length takes half the time. */
function decimal(whole: bigint): string {
  if (whole < HALF_POWER) return whole.toString();
  const high = whole / HALF_POWER;
  return high + (whole - high * HALF_POWER).toString().padStart(HALF, "0");
}

/** `toFixed()` for a number from 0, without its switch to the exponent form and its rounding of ties. */
function fixed(size: number, digits: number): string {
  if (size >= 1e21) return decimal(BigInt(size)) + (digits > 0 ? "." + "0".repeat(digits) : "");
  // A tie has exactly one binary digit more after the point than there are decimal ones: an odd multiple of
  // 2⁻ᵈ⁻¹, and 5ᵈ times that odd number is twice the digits to be written, as a whole number.
  const halves = size * 2 ** (digits + 1);
  if (halves % 2 !== 1) return size.toFixed(digits);
  const doubled = BigInt(halves) * 5n ** BigInt(digits);
  const rounded = (doubled >> 1n) + (doubled >> 1n & 1n);
  if (digits === 0) return rounded.toString();
  const text = rounded.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** `toExponential()` for a number from 0, without its rounding of ties, and with two digits of exponent. */
function exponent(size: number, digits: number): string {
  let text = size.toExponential(digits);
  // A tie ends here: the digit after those asked for is a 5, and no digit that a double can have follows it.
  const longer = size.toExponential(digits + 1);
  if (/5e/.test(longer) && isExact(size, longer)) {
    const [kept, lastDigit] = /^(.*(\d))\.?5e/.exec(longer)!.slice(1);
    if (Number(lastDigit) % 2 === 0) text = kept + longer.slice(longer.indexOf("e"));
  }
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** Tells whether a decimal number is a double exactly, not just nearest to it. */
function isExact(size: number, decimal: string): boolean {
  const [digits, power] = decimal.replace(".", "").split("e") as [string, string];
  const scale = Number(power) - (digits.length - 1);
  if (scale >= 0) {
    return Number.isInteger(size) && BigInt(size) === BigInt(digits) * 10n ** BigInt(scale);
  }
  // With s decimal places, a double has at most s binary ones, so that s more powers of two make it whole.
  const whole = size * 2 ** -scale;
  return Number.isInteger(whole) && BigInt(whole) * 5n ** BigInt(-scale) === BigInt(digits);
}
