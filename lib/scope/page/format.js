// @ts-check
/** Numbers and times as a person reads them. */

/**
 * A number in at most so many digits, never longer than it must be.
 *
 * @param {number} value The number.
 * @param {number} [digits] How many.
 */
export function short(value, digits = 5) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (Number.isInteger(value) && size < 1e9) return sign(String(value));
  if (size >= 1e7 || size < 1e-4) return sign(value.toExponential(digits - 2));
  const decimals = Math.max(0, digits - 1 - Math.max(0, Math.floor(Math.log10(size))));
  return sign(value.toFixed(Math.min(decimals, 8)));
}

/**
 * A number beside others of the same size: with as many decimals as these have, so that columns of them stand still.
 *
 * @param {number} value The number.
 * @param {number} size The greatest of them.
 * @param {number} [range] How far they are apart, where that may be little.
 */
export function beside(value, size, range = size) {
  if (!Number.isFinite(value) || Number.isInteger(value) || size >= 1e7 || size < 1e-4) {
    return short(value);
  }
  const text = value.toFixed(decimalsOf(size, range));
  return sign(Number(text) === 0 ? "0" : text);
}

/** The decimals of numbers of a size, of which those matter that tell them apart. */
/** @param {number} size @param {number} range */
function decimalsOf(size, range) {
  const least = 4 - Math.max(0, Math.floor(Math.log10(size)));
  // What is apart in the last digits only is so by rounding.
  const more = range > size * 1e-12 ? 3 - Math.floor(Math.log10(range)) : 0;
  return Math.min(12, Math.max(0, least, more));
}

/**
 * A number on an axis, without zeros at its end, and with as many digits as it takes to tell it from its neighbours.
 *
 * @param {number} value The number.
 * @param {number} step How far it is from the next one.
 */
export function tick(value, step) {
  const size = Math.abs(value);
  if (!(size > step / 1e3)) return "0";
  const digits = Math.ceil(Math.log10(size / step)) + 2;
  const number = Number(value.toPrecision(Math.min(Math.max(digits, 6), 17)));
  return sign(size >= 1e7 || size < 1e-4 ? number.toExponential() : String(number));
}

/**
 * The numbers on an axis.
 *
 * @param {number[]} ticks
 */
export function ticksText(ticks) {
  const [first = 0, second = first] = ticks;
  return ticks.map((each) => tick(each, Math.abs(second - first)));
}

/**
 * The value of a trace at a time, or the least and the greatest one where many lie in one column of pixels.
 *
 * @param {[number, number] | undefined} band Both; the same where it is one value.
 * @param {number} size The greatest of the values that they stand among.
 * @param {number} range How far these are apart.
 */
export function band(band, size, range) {
  if (!band) return "–";
  const [low, high] = band;
  const [least, greatest] = [low, high].map((each) => beside(each, size, range));
  return low === high ? `${least}` : `${least} … ${greatest}`;
}

/**
 * The exact text of a value, cut to what finds room; integers keep all digits.
 *
 * @param {string} text As the server sent it.
 * @param {number} [size] The greatest of the values that it stands among.
 * @param {number} [range] How far these are apart.
 */
export function value(text, size = NaN, range = size) {
  if (text === "true" || text === "false" || text === "") return text === "" ? "–" : text;
  if (/^-?\d+$/.test(text)) return sign(text);
  const parts = /^(\S+) ([+−]) (\S+) i$/.exec(text);
  if (parts) return `${short(Number(parts[1]))} ${parts[2]} ${short(Number(parts[3]))} i`;
  const number = Number(text);
  // A zero that is not quite one says so in no unit of its neighbours.
  if (size >= 1e-4 && size < 1e7 && Number.isFinite(number)) {
    return sign(
      number.toFixed(decimalsOf(size, range)).replace(/^-(0\.?0*)$/, "$1"),
    );
  }
  return text.length <= 8 ? sign(text) : short(number, 6);
}

/** @param {string} text */
function sign(text) {
  return text.replaceAll("-", "−").replace("e+", "e");
}

/** @type {[number, string][]} */
const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [
  1e-9,
  "n",
]];

/**
 * A number with a unit and the prefix that suits it, as in 12.5 ms.
 *
 * @param {number} value The number.
 * @param {string} unit Its unit.
 * @param {number} [digits] Digits that matter.
 */
export function si(value, unit, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return `0 ${unit}`;
  // Rounded first, so that 0.99996 Hz is 1 Hz and not 1000 mHz.
  const size = Math.abs(Number(value.toPrecision(digits)));
  const [factor, prefix] = PREFIXES.find(([each]) => size >= each) ??
    /** @type {[number, string]} */ ([1e-9, "n"]);
  return `${sign(String(Number((value / factor).toPrecision(digits))))} ${prefix}${unit}`;
}

/**
 * A duration, as in 20 ms or 5 min.
 *
 * @param {number} seconds How long.
 */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size >= 3600) return `${sign(String(Number((seconds / 3600).toPrecision(4))))} h`;
  if (size >= 60) return `${sign(String(Number((seconds / 60).toPrecision(4))))} min`;
  return si(seconds, "s");
}

/**
 * A day, as in 2026-11-21.
 *
 * @param {number} time Seconds since 1970.
 */
export function day(time) {
  const date = new Date(time * 1000);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((number) => String(number).padStart(2, "0")).join("-");
}

/**
 * A time of day.
 *
 * @param {number} time Seconds since 1970.
 * @param {number} span Seconds between two times that must be told apart.
 */
export function clock(time, span) {
  const date = new Date(time * 1000);
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const text = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const decimals = Math.max(0, Math.min(6, Math.ceil(-Math.log10(Math.max(span, 1e-6)))));
  if (decimals === 0) return text;
  const part = ((time % 1) + 1) % 1;
  return text + Math.min(part, 1 - 10 ** -decimals).toFixed(decimals).slice(1);
}

/**
 * The greatest number in a range, and how far it reaches.
 *
 * @param {[number, number]} [range]
 * @returns {[number, number]}
 */
export function sizeAndRange([min, max] = [NaN, NaN]) {
  return [Math.max(Math.abs(min), Math.abs(max)), max - min];
}
