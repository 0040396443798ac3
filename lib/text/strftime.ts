import { UsageError } from "../errors.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];
const two = (number: number) => String(number).padStart(2, "0");

/** What stands for each letter after a percent sign. */
const FIELDS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getFullYear()),
  y: (date) => two(date.getFullYear() % 100),
  m: (date) => two(date.getMonth() + 1),
  d: (date) => two(date.getDate()),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  p: (date) => date.getHours() < 12 ? "AM" : "PM",
  j: (date) => String(dayOfYear(date)).padStart(3, "0"),
  a: (date) => DAYS[date.getDay()]!.slice(0, 3),
  A: (date) => DAYS[date.getDay()]!,
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  B: (date) => MONTHS[date.getMonth()]!,
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  z: offsetOf,
  "%": () => "%",
};

/**
 * Puts a time into a pattern, as C's `strftime` does, in local time and in English.
 *
 * Fields: `%Y` year, `%y` its last two digits, `%m` month, `%d` day, `%H` hour, `%I` hour of 12 with `%p` AM or PM, `%M` minute,
 * `%S` second, `%j` day of the year, `%a` `%A` weekday, `%b` `%B` month by name, `%F` as `%Y-%m-%d`, `%T` as `%H:%M:%S`, `%s` seconds
 * since 1970, `%z` distance from UTC, `%%` a percent sign.
 *
 * @param pattern The pattern.
 * @param date The time.
 * @throws {UsageError} If there is another field in it.
 *
 * @example A file for each hour
 * ```ts
 * import { strftime } from "./strftime.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(strftime("run-%Y%m%d-%H.dat", new Date(2026, 10, 21, 9, 5)), "run-20261121-09.dat");
 * ```
 */
export function strftime(pattern: string, date: Date): string {
  return pattern.replace(/%(.?)/gsu, (field, letter) => {
    if (Object.hasOwn(FIELDS, letter)) return FIELDS[letter]!(date);
    const known = Object.keys(FIELDS).map((name) => `%${name}`).join(" ");
    throw new UsageError(
      `Cannot use "${field}" in "${pattern}": expected ${known}, with %% for a percent sign`,
    );
  });
}

/** The day of the year, from 1. */
function dayOfYear(date: Date): number {
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return Math.round((Date.UTC(year, month, day) - Date.UTC(year, 0, 0)) / 86_400_000);
}

/** The distance from UTC, as in `+0100`. */
function offsetOf(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
