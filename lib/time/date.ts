/**
 * Whether a text begins with a day of the calendar: `Date` takes 31 February for 3 March.
 *
 * @param text A date as ISO 8601 writes it, `2026-11-21`, and anything behind it.
 */
export function beginsWithDay(text: string): boolean {
  const day = text.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
