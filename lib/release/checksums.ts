/**
 * Writes `dist/SHA256SUMS` for all other files in `dist/`: `deno task checksums`. `sha256sum --check` reads it.
 *
 * @module
 */

/** Where releases are made. */
export const dist: URL = new URL("../../dist/", import.meta.url);

/**
 * Computes the checksum of each file in a folder.
 *
 * @param folder The folder.
 * @returns What `sha256sum` prints: a line for each file, in the order of their names.
 */
export async function checksums(folder: URL): Promise<string> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && name !== "SHA256SUMS") names.push(name);
  }
  const lines: string[] = [];
  for (const name of names.sort()) {
    const bytes = await Deno.readFile(new URL(name, folder));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    lines.push(`${hex}  ${name}\n`);
  }
  return lines.join("");
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("SHA256SUMS", dist), await checksums(dist));
}
