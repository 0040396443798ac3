/** Puts byte arrays together into a new one; of types that the real `@std/bytes/concat` satisfies. */
export function concat(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer>;
