/**
 * Writes a number with what is counted.
 *
 * @param count The number.
 * @param noun The word for one.
 * @returns For example `1 message`, or `2 messages`.
 */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
