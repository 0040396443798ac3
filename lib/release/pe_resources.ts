/**
 * The resources of Windows executables, after Microsoft's "PE Format". Nothing that is there moves: a new section is
 * appended, with the data of what is added and a new directory of all resources, whose other entries go on pointing to
 * where their data lies.
 *
 * @module
 */

/** A resource's data: where the loaded program has it, and how long it is; or the bytes of one to be added. */
type Leaf = { rva: number; size: number; codePage: number } | Uint8Array;
/** The entries of a resource directory; a name is text or a number. */
type Directory = [name: number | string, entry: Leaf | Directory][];

const SECTION_HEADER = 40;
/** An initialised, readable section. */
const SECTION_FLAGS = 0x4000_0040;
/** Marks an entry of a directory that is a directory itself, and a name that is text. */
const FLAG = 0x8000_0000;
/** English (United States). */
export const LANGUAGE = 0x0409;

/**
 * Adds a resource to a Windows executable.
 *
 * @param executable A 64-bit PE file.
 * @param type The kind of resource; others of this kind are lost.
 * @param data Its bytes.
 * @returns The file with the resource in it.
 */
export function withResource(executable: Uint8Array, type: number, data: Uint8Array): Uint8Array {
  const old = readHeaders(executable);
  const resources = old.resources === 0
    ? []
    : readDirectory(executable, offsetOf(old, old.resources), 0);
  const others = resources.filter(([name]) => name !== type);
  const at = others.findIndex(([name]) => typeof name === "number" && name > type);
  others.splice(at < 0 ? others.length : at, 0, [type, [[1, [[LANGUAGE, data]]]]]);
  const rva = align(old.endOfImage, old.sectionAlignment);
  const section = new ResourceSection(rva).with(others);
  const start = align(executable.length, old.fileAlignment);
  const bytes = new Uint8Array(start + align(section.length, old.fileAlignment));
  bytes.set(executable);
  bytes.set(section, start);
  writeHeaders(bytes, old, { rva, start, size: section.length });
  return bytes;
}

interface Headers {
  /** Offset of the signature, of the optional header, and of the section table. */
  pe: number;
  optional: number;
  table: number;
  sections: { rva: number; size: number; start: number }[];
  fileAlignment: number;
  sectionAlignment: number;
  endOfImage: number;
  /** Where the resources begin in the loaded program; 0 where there are none. */
  resources: number;
}

function readHeaders(bytes: Uint8Array): Headers {
  const view = viewOf(bytes);
  const pe = view.getUint32(0x3c, true);
  const optional = pe + 24;
  if (view.getUint32(pe, true) !== 0x4550 || view.getUint16(optional, true) !== 0x20b) {
    throw new Error("Cannot add a resource: expected a 64-bit Windows executable");
  }
  const table = optional + view.getUint16(pe + 20, true);
  const count = view.getUint16(pe + 6, true);
  const end = table + (count + 1) * SECTION_HEADER;
  if (end > view.getUint32(optional + 60, true)) {
    throw new Error("Cannot add a resource: the executable has no room for another section");
  }
  const sections = Array.from({ length: count }, (_, i) => {
    const at = table + i * SECTION_HEADER;
    return {
      rva: view.getUint32(at + 12, true),
      size: Math.max(view.getUint32(at + 8, true), view.getUint32(at + 16, true)),
      start: view.getUint32(at + 20, true),
    };
  });
  return {
    pe,
    optional,
    table,
    sections,
    sectionAlignment: view.getUint32(optional + 32, true),
    fileAlignment: view.getUint32(optional + 36, true),
    endOfImage: Math.max(...sections.map(({ rva, size }) => rva + size)),
    resources: view.getUint32(optional + 112 + 2 * 8, true),
  };
}

/** Where the file has what the loaded program has at an address. */
function offsetOf({ sections }: Headers, address: number): number {
  const section = sections.find(({ rva, size }) => address >= rva && address < rva + size);
  if (!section) throw new Error("Cannot add a resource: the resources lie in no section");
  return address - section.rva + section.start;
}

function writeHeaders(
  bytes: Uint8Array,
  { pe, optional, table, sections, fileAlignment, sectionAlignment }: Headers,
  { rva, start, size }: { rva: number; start: number; size: number },
): void {
  const view = viewOf(bytes);
  const at = table + sections.length * SECTION_HEADER;
  bytes.fill(0, at, at + SECTION_HEADER);
  bytes.set(new TextEncoder().encode(".labwire"), at);
  view.setUint32(at + 8, size, true);
  view.setUint32(at + 12, rva, true);
  view.setUint32(at + 16, align(size, fileAlignment), true);
  view.setUint32(at + 20, start, true);
  view.setUint32(at + 36, SECTION_FLAGS, true);
  view.setUint16(pe + 6, sections.length + 1, true);
  view.setUint32(optional + 56, align(rva + size, sectionAlignment), true);
  view.setUint32(optional + 64, 0, true); // the checksum, which Windows reads of drivers only
  view.setUint32(optional + 112 + 2 * 8, rva, true);
  view.setUint32(optional + 112 + 2 * 8 + 4, size, true);
  bytes.fill(0, optional + 112 + 4 * 8, optional + 112 + 5 * 8); // a signature would not fit any more
}

function readDirectory(bytes: Uint8Array, root: number, offset: number): Directory {
  const view = viewOf(bytes);
  const at = root + offset;
  const count = view.getUint16(at + 12, true) + view.getUint16(at + 14, true);
  return Array.from({ length: count }, (_, i) => {
    const name = view.getUint32(at + 16 + i * 8, true);
    const target = view.getUint32(at + 20 + i * 8, true);
    return [
      name >= FLAG ? readName(view, root + name - FLAG) : name,
      target >= FLAG ? readDirectory(bytes, root, target - FLAG) : {
        rva: view.getUint32(root + target, true),
        size: view.getUint32(root + target + 4, true),
        codePage: view.getUint32(root + target + 8, true),
      },
    ];
  });
}

function readName(view: DataView, at: number): string {
  const units = Array.from(
    { length: view.getUint16(at, true) },
    (_, i) => view.getUint16(at + 2 + 2 * i, true),
  );
  return String.fromCharCode(...units);
}

/** A section that holds resources. */
class ResourceSection {
  readonly #rva: number;
  readonly #parts: { at: number; bytes: Uint8Array }[] = [];
  #end = 0;

  /** @param rva Where the loaded program has it. */
  constructor(rva: number) {
    this.#rva = rva;
  }

  /** Its bytes, with a directory at the start. */
  with(root: Directory): Uint8Array {
    this.#directory(root);
    const section = new Uint8Array(this.#end);
    for (const { at, bytes } of this.#parts) section.set(bytes, at);
    return section;
  }

  #take(length: number): { at: number; bytes: Uint8Array; view: DataView } {
    const part = { at: this.#end, bytes: new Uint8Array(length) };
    this.#parts.push(part);
    this.#end = align(this.#end + length, 4);
    return { ...part, view: viewOf(part.bytes) };
  }

  #directory(directory: Directory): number {
    const { at, view } = this.#take(16 + 8 * directory.length);
    const named = directory.filter(([name]) => typeof name === "string").length;
    view.setUint16(12, named, true);
    view.setUint16(14, directory.length - named, true);
    for (const [i, [name, entry]] of directory.entries()) {
      const target = Array.isArray(entry) ? this.#directory(entry) + FLAG : this.#leaf(entry);
      view.setUint32(16 + 8 * i, typeof name === "number" ? name : this.#name(name), true);
      view.setUint32(20 + 8 * i, target, true);
    }
    return at;
  }

  #leaf(entry: Leaf): number {
    const { at, view } = this.#take(16);
    if (entry instanceof Uint8Array) {
      const data = this.#take(entry.length);
      data.bytes.set(entry);
      view.setUint32(0, this.#rva + data.at, true);
      view.setUint32(4, entry.length, true);
    } else {
      view.setUint32(0, entry.rva, true);
      view.setUint32(4, entry.size, true);
      view.setUint32(8, entry.codePage, true);
    }
    return at;
  }

  #name(name: string): number {
    const { at, bytes, view } = this.#take(2 + 2 * name.length);
    view.setUint16(0, name.length, true);
    bytes.set(utf16(name), 2);
    return at + FLAG;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Text as Windows has it, two bytes per character, the lower one first. */
export function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  const view = viewOf(bytes);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true);
  return bytes;
}

/** The next multiple of `to`. */
export function align(size: number, to: number): number {
  return Math.ceil(size / to) * to;
}
