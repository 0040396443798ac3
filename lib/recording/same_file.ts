import { basename, dirname, join, resolve } from "node:path";

/**
 * Whether two paths lead to one file, also by another spelling or a link, and where it is not there yet. What is no file on a disk, such
 * as a pipe, is none.
 *
 * @param one A path; 0 for standard input, 1 for standard output.
 * @param other Another one.
 */
export async function isSameFile(one: string | number, other: string | number): Promise<boolean> {
  const [a, b] = await Promise.all([statOf(one), statOf(other)]);
  if (a && !a.isFile || b && !b.isFile) return false;
  // Some systems number no files, and some with numbers of which the last digits are lost.
  const isNumbered = a?.ino && b?.ino && Number.isSafeInteger(a.ino);
  if (isNumbered && a.ino === b.ino && a.dev === b.dev) return true;
  if (typeof one === "number" || typeof other === "number") return false;
  return await placeOf(one) === await placeOf(other);
}

async function statOf(
  file: string | number,
): Promise<Pick<Deno.FileInfo, "isFile" | "dev" | "ino"> | undefined> {
  try {
    if (typeof file === "string") return await Deno.stat(file);
    // What /dev/stdin is, Deno tells only with all permissions.
    const { fstatSync } = await import("node:fs");
    const info = fstatSync(file);
    return { isFile: info.isFile(), dev: info.dev, ino: info.ino };
  } catch {
    return undefined; // it is not there
  }
}

/** Where a file is, or will be, without links. */
async function placeOf(path: string): Promise<string> {
  const link = await Deno.readLink(path).catch(() => ""); // what it leads to may not be there yet
  return await realPath(link ? resolve(dirname(path), link) : resolve(path));
}

/** A path without links, also where the end of it is not there yet. */
async function realPath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(await realPath(folder), basename(path));
  }
}
