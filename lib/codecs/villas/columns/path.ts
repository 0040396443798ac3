/**
 * The ways to the cells of a record, and their names.
 *
 * @module
 */

import { parseJson } from "../../json/json.ts";
import { type Cell, isMembers } from "./cell.ts";

/** The way to a cell: a column's index, or names and indices one after another. */
export type Path = readonly (string | number)[];

/** Whether an object is what json-server prints of a message: the numbers are in the message then. */
export function isHandled(object: { [name: string]: Cell }): boolean {
  return ["time", "peer", "data", "answer", "duration"].every((name) =>
    Object.hasOwn(object, name)
  );
}

/** The way to a member that was chosen; of what json-server prints, a message's own members are meant, too. */
export function fieldOf(field: string, object: { [name: string]: Cell }): Path {
  const path = pathOf(field, object);
  if (!isHandled(object) || cellAt(object, path) !== undefined || !isMembers(object.data)) {
    return path;
  }
  return ["data", ...pathOf(field, object.data)];
}

/** The cell at a place; undefined if there is none. */
export function cellAt(record: Cell, path: Path): Cell | undefined {
  let cell: Cell | undefined = record;
  for (let i = 0; i < path.length; i++) {
    const key = path[i]!;
    if (typeof key === "number") cell = Array.isArray(cell) ? cell[key] : undefined;
    else cell = isMembers(cell) && Object.hasOwn(cell, key) ? cell[key] : undefined;
    if (cell === undefined) return undefined;
  }
  return cell;
}

/** The way that a name describes: `data.volts[0]`, unless there is a member of just that name. */
export function pathOf(name: string, object: { [name: string]: Cell }): Path {
  if (Object.hasOwn(object, name)) return [name];
  return name.split(".").flatMap((part) => {
    const [, member = part, indices = ""] = /^(.*?)((?:\[\d+\])+)$/s.exec(part) ?? [];
    return [...(member === "" ? [] : [member]), ...Array.from(indices.matchAll(/\d+/g), Number)];
  });
}

/** The name that describes a way: `data.volts[0]`. */
export function nameOf(path: Path): string {
  return path.map((key, i) => typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)
    .join("");
}

/** The ways to the items of a list, or to the cell itself. */
export function spread(path: Path, object: { [name: string]: Cell }): Path[] {
  const cell = cellAt(object, path);
  return Array.isArray(cell) ? cell.flatMap((_, i) => spread([...path, i], object)) : [path];
}

/** The ways to everything in an object that is no list and no object, complex numbers aside. */
export function leavesOf(object: { [name: string]: Cell }, complex: boolean): Path[] {
  const paths: Path[] = [];
  const walk = (cell: Cell, path: Path): void => {
    const isNumber = complex && isMembers(cell) && ("re" in cell || "real" in cell);
    if (Array.isArray(cell)) cell.forEach((item, i) => walk(item, [...path, i]));
    else if (isMembers(cell) && !isNumber) {
      for (const [name, member] of Object.entries(cell)) walk(member, [...path, name]);
    } else paths.push(path);
  };
  walk(object, []);
  return paths;
}

/** Begins names that are integers, so that they are none any more. */
const MARK = "\uffff";

/**
 * The same in the order of the text: JavaScript has members whose names are integers before all others, and the lowest first.
 */
export function leavesAsWritten(
  object: { [name: string]: Cell },
  text: string,
  complex: boolean,
): Path[] {
  if (!/"\d+"\s*:/.test(text)) return leavesOf(object, complex);
  const marked = text.replace(
    /"(?:[^"\\]|\\.)*"(?=(\s*:)?)/g,
    (string, colon) => colon && /^"\d+"$/.test(string) ? `"${MARK}${string.slice(1)}` : string,
  );
  return leavesOf(parseJson(marked) as { [name: string]: Cell }, complex)
    .map((path) => path.map((key) => typeof key === "string" ? key.replace(MARK, "") : key));
}
