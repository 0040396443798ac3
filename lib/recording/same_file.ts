import { basename, dirname, join, resolve } from "node:path";

/**
 * Whether two paths lead to one file, also by another spelling or a link, and where it is not there yet. What is no file on a disk, such
 * as a pipe, is none.
 *
 * @param one A path.
 * @param other Another path.
 */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([statOf(one), statOf(other)]);
  if (a && !a.isFile || b && !b.isFile) return false;
  // Some systems number no files, and some with numbers of which the last digits are lost.
  const isNumbered = a?.ino && b?.ino && Number.isSafeInteger(a.ino);
  if (isNumbered && a.ino === b.ino && a.dev === b.dev) return true;
  return await placeOf(one) === await placeOf(other);
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  return await Deno.stat(path).catch(() => undefined); // it is not there
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
