/** The largest index: missing items before it become null. */
const MOST = 9999;

/** How many brackets a name may have. */
const DEEPEST = 500;

/** The start of a name, and the brackets that may follow. Brackets after a backslash are ordinary characters. */
const FIRST = /^(?:\\[[\]]|[^[\]\\]|\\(?![[\]]))*/;
const BRACKET = /\[((?:\\[[\]]|[^[\]\\]|\\(?![[\]]))*)\]/y;

/** A step into a value: a name in an object, an index in a list, or null for the end of a list. */
export type Step = string | number | null;

/** A name that is invalid or contradicts an earlier one. The message says why, as the end of a sentence. */
export class PathError extends Error {}

/**
 * Reads a name with brackets.
 *
 * @param text The name as written, not empty: `a`, `a[b]`, `a[0]`, `a[]`, any number of brackets. A backslash before `=`,
 * `:`, `[` or `]` makes that an ordinary character, and digits after one a name.
 * @returns The steps.
 * @throws {PathError} If a bracket has no counterpart.
 */
export function parsePath(text: string): Step[] {
  const first = FIRST.exec(text)![0];
  if (first === "") throw new PathError(`expected a name before "${text}"`);
  const steps: Step[] = [unescape(first)];
  const bracket = new RegExp(BRACKET);
  for (let at = first.length; at < text.length; at = bracket.lastIndex) {
    bracket.lastIndex = at;
    const inside = bracket.exec(text)?.[1];
    if (inside === undefined) {
      throw new PathError(
        `expected brackets in pairs, as in a[b][c], found "${
          text.slice(at)
        }"; write \\[ and \\] for those of a name`,
      );
    }
    steps.push(stepOf(inside));
  }
  if (steps.length > DEEPEST) throw new PathError(`it nests deeper than ${DEEPEST} levels`);
  return steps;
}

function stepOf(text: string): Step {
  if (text === "") return null;
  if (/^-\d+$/.test(text)) {
    throw new PathError(`expected an index from 0, found "${text}"; write \\${text} for a name`);
  }
  if (!/^\d+$/.test(text)) return unescape(text.replace(/^\\(?=-?\d+$)/, ""));
  if (Number(text) <= MOST) return Number(text);
  throw new PathError(`expected an index up to ${MOST}, found "${text}"`);
}

/** Removes backslashes before these characters; other backslashes are literal. */
function unescape(text: string): string {
  return text.replace(/\\([=:[\]])/g, "$1");
}

/** A value, and the argument that it comes from. */
type Node =
  | { readonly kind: "value"; readonly word: string; readonly json: string }
  | { readonly kind: "object"; readonly word: string; readonly members: Map<string, Node> }
  | { readonly kind: "list"; readonly word: string; readonly items: (Node | undefined)[] };

/** An object built from names with brackets, and values that are JSON already. */
export class Tree {
  readonly #root: Node = { kind: "object", word: "", members: new Map() };

  /**
   * Adds a value to the tree.
   *
   * @param path Where: at least one step.
   * @param json The value.
   * @param word The user's argument, for errors about later arguments.
   * @throws {PathError} If the place, or one on the way to it, is taken.
   */
  set(path: readonly Step[], json: string, word: string): void {
    let node = this.#root;
    for (const [i, step] of path.entries()) {
      const name = () => quote(path.slice(0, i + 1));
      const there = childOf(node, step, () => quote(path.slice(0, i)));
      if (i + 1 === path.length) {
        if (there) throw new PathError(`${name()} is given twice, also in "${there.word}"`);
        put(node, step, { kind: "value", word, json });
        return;
      }
      if (there?.kind === "value") {
        throw new PathError(`${name()} has a value already, from "${there.word}"`);
      }
      node = there ?? put(node, step, containerFor(path[i + 1]!, word));
    }
  }

  /**
   * Writes the tree.
   *
   * @returns JSON in one line; missing items of lists are null.
   */
  toJson(): string {
    return write(this.#root);
  }
}

function containerFor(step: Step, word: string): Node {
  return typeof step === "string"
    ? { kind: "object", word, members: new Map() }
    : { kind: "list", word, items: [] };
}

/** The child at a place of an object or list. */
function childOf(node: Node, step: Step, name: () => string): Node | undefined {
  if (node.kind === "object" && typeof step === "string") return node.members.get(step);
  if (node.kind === "list" && typeof step !== "string") return node.items[step ?? -1];
  const [is, wanted] = node.kind === "object"
    ? ["an object", "a name in the brackets, with a backslash before digits"]
    : ["a list", "an index in the brackets, or nothing"];
  throw new PathError(`${name()} is ${is}, from "${node.word}": expected ${wanted}`);
}

function put(node: Node, step: Step, child: Node): Node {
  if (node.kind === "object") node.members.set(String(step), child);
  else if (node.kind === "list") node.items[Number(step ?? node.items.length)] = child;
  return child;
}

function write(node: Node | undefined): string {
  switch (node?.kind) {
    case "value":
      return node.json;
    case "list":
      return `[${Array.from(node.items, write).join(",")}]`;
    case "object":
      return `{${
        [...node.members].map(([name, child]) => `${JSON.stringify(name)}:${write(child)}`).join()
      }}`;
    default:
      return "null";
  }
}

function quote([first, ...rest]: readonly Step[]): string {
  return `"${first}${rest.map((step) => `[${step ?? ""}]`).join("")}"`;
}
