/**
 * Writes a number with what it counts.
 *
 * @param count How many.
 * @param one What one of them is called.
 * @param many What several are called. Default: the same with an s.
 * @returns `1 message`, `2 messages`.
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
