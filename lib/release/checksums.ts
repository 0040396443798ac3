/**
 * Writes `dist/SHA256SUMS` for all other files in `dist/`: `deno task checksums`. `sha256sum --check` reads it.
 *
 * @module
 */

import { runScript } from "./script.ts";

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
    if (isFile && !name.startsWith(".") && name !== "SHA256SUMS") names.push(name);
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

/**
 * Writes `SHA256SUMS` into a folder, whole or not at all.
 *
 * @param folder The folder.
 */
export async function writeChecksums(folder: URL = dist): Promise<void> {
  const written = new URL(".SHA256SUMS", folder);
  await Deno.writeTextFile(written, await checksums(folder));
  await Deno.rename(written, new URL("SHA256SUMS", folder));
}

if (import.meta.main) await runScript(() => writeChecksums());
