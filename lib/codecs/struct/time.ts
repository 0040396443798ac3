/**
 * Writes a time in UTC, in ISO 8601 with microseconds: `2026-10-05T12:34:56.789012Z`.
 *
 * @param ms Milliseconds since 1970-01-01T00:00:00Z, with fractions.
 */
export function isoTime(ms: number): string {
  const micros = Math.floor(ms * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = String(micros - whole * 1000).padStart(3, "0");
  return new Date(whole).toISOString().replace("Z", `${rest}Z`);
}

/**
 * Whether a value is a time as {@linkcode isoTime}, Python or pandas writes it.
 *
 * @param value Anything.
 */
export function isTime(value: unknown): boolean {
  return typeof value === "string" &&
    /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/.test(value);
}
