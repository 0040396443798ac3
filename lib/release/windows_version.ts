import { align, LANGUAGE, utf16, withResource } from "./pe_resources.ts";

/** What the version resource says. */
export interface WindowsVersion {
  /** `1.2.3`. */
  version: string;
  /** The strings, by the names that Windows has for them: `ProductName`, `FileDescription` … */
  strings: Readonly<Record<string, string>>;
}

const RT_VERSION = 16;
/** UTF-16. */
const CODE_PAGE = 0x04b0;
/** Language and code page in the form that names a string table. */
const TABLE = "040904b0";

/**
 * Adds a version to a Windows executable: what the file's properties and the task manager show. `deno compile` leaves none.
 *
 * @param executable A 64-bit PE file.
 * @param version What the version says.
 * @returns The file with the version in it.
 */
export function withWindowsVersion(executable: Uint8Array, version: WindowsVersion): Uint8Array {
  return withResource(executable, RT_VERSION, versionInfo(version));
}

/** The structure that Microsoft calls VS_VERSIONINFO. */
function versionInfo({ version, strings }: WindowsVersion): Uint8Array {
  const numbers = version.split(/[.+-]/).slice(0, 3).map(Number);
  const [major = 0, minor = 0, patch = 0] = numbers;
  const fixed = new DataView(new ArrayBuffer(52));
  const fields = [0xfeef04bd, 0x10000, major << 16 | minor, patch << 16, major << 16 | minor];
  for (const [i, field] of [...fields, patch << 16, 0x3f, 0, 0x40004, 1].entries()) {
    fixed.setUint32(4 * i, field, true);
  }
  const all = Object.entries({ ...strings, FileVersion: version, ProductVersion: version });
  const rows = all.map(([name, text]) => block(name, utf16(`${text}\0`), text.length + 1, []));
  const translation = new Uint8Array(new Uint16Array([LANGUAGE, CODE_PAGE]).buffer);
  return block("VS_VERSION_INFO", new Uint8Array(fixed.buffer), 0, [
    block("StringFileInfo", new Uint8Array(), 0, [block(TABLE, new Uint8Array(), 0, rows)]),
    block("VarFileInfo", new Uint8Array(), 0, [block("Translation", translation, 0, [])]),
  ]);
}

/** One block of VS_VERSIONINFO; the length of a text is given in characters, of anything else in bytes. */
function block(
  key: string,
  value: Uint8Array,
  characters: number,
  children: Uint8Array[],
): Uint8Array {
  const head = align(6 + 2 * (key.length + 1), 4);
  const length = children.reduce(
    (sum, child) => align(sum, 4) + child.length,
    head + value.length,
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, characters || value.length, true);
  view.setUint16(4, characters > 0 ? 1 : 0, true);
  bytes.set(utf16(key), 6);
  bytes.set(value, head);
  let at = head + value.length;
  for (const child of children) {
    at = align(at, 4);
    bytes.set(child, at);
    at += child.length;
  }
  return bytes;
}
