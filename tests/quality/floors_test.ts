import { assertEquals } from "@std/assert";

/** The floors of the house, from the ground; a module imports from its own folder and from floors below. */
const floors: Readonly<Record<string, number>> = {
  "": 0,
  guides: 0,
  time: 1,
  text: 1,
  codecs: 2,
  net: 3,
  process: 3,
  handlers: 4,
  villas: 5,
  json: 5,
  struct: 5,
  socket: 5,
  scope: 6,
  cli: 7,
  doctor: 7,
  commands: 8,
  release: 9,
};

/** Rooms that know nothing of each other, although one lies above the other. */
const strangers: readonly (readonly [string, string])[] = [["net", "codecs"], [
  "process",
  "codecs",
]];

function mayImport(room: string, other: string): boolean {
  return floors[other]! < floors[room]! &&
    !strangers.some(([a, b]) => a === room && b === other);
}

const lib = new URL("../../lib/", import.meta.url);

function* sources(folder: URL): Generator<URL> {
  for (const entry of Deno.readDirSync(folder)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), folder);
    if (entry.isDirectory) {
      if (entry.name !== "links") yield* sources(url);
    } else if (entry.name.endsWith(".ts")) yield url;
  }
}

/** The folder of lib/ that a module lies in, `""` for lib/ itself; undefined outside of lib/. */
function roomOf(module: URL): string | undefined {
  if (!module.href.startsWith(lib.href)) return undefined;
  const parts = module.href.slice(lib.href.length).split("/");
  return parts.length > 1 ? parts[0]! : "";
}

/** Every relative import in a source, also of types and dynamic ones. */
function importsOf(module: URL): URL[] {
  const source = Deno.readTextFileSync(module).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  return [...found].map(([, path]) => new URL(path!, module));
}

Deno.test("modules of lib/ import from their own folder and from floors below only", () => {
  const upward: string[] = [];
  let seen = 0;
  for (const module of sources(lib)) {
    const room = roomOf(module)!;
    for (const target of importsOf(module)) {
      seen++;
      const other = roomOf(target);
      if (other === undefined) {
        if (!target.href.endsWith("/deno.json")) {
          upward.push(`${module.href} imports ${target.href}`);
        }
      } else if (other !== room && !mayImport(room, other)) {
        upward.push(
          `${room}: ${module.href.slice(lib.href.length)} imports ${
            target.href.slice(lib.href.length)
          }`,
        );
      }
    }
  }
  assertEquals(upward, []);
  assertEquals(seen > 100, true, "the imports were found");
});

Deno.test("modules of lib/ do not import one another in a circle", () => {
  const state = new Map<string, "open" | "done">();
  const circles: string[] = [];
  const visit = (module: URL, path: readonly string[]) => {
    const name = module.href.slice(lib.href.length);
    if (state.get(name) === "done" || !module.href.startsWith(lib.href) || !name.endsWith(".ts")) {
      return;
    }
    if (state.get(name) === "open") {
      circles.push([...path.slice(path.indexOf(name)), name].join(" → "));
      return;
    }
    state.set(name, "open");
    for (const target of importsOf(module)) visit(target, [...path, name]);
    state.set(name, "done");
  };
  for (const module of sources(lib)) visit(module, []);
  assertEquals(circles, []);
});

Deno.test("only commands/, cli/ and release/ write to the console, and only main.ts exits", () => {
  const offenders: string[] = [];
  for (const module of sources(lib)) {
    const room = roomOf(module)!;
    const source = Deno.readTextFileSync(module).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    const name = module.href.slice(lib.href.length);
    if (room !== "release" && /\bDeno\.exit\(/.test(source)) offenders.push(`${name} exits`);
    if (
      !["commands", "cli", "release"].includes(room) &&
      /\bconsole\.|Deno\.(stdout|stderr)/.test(source)
    ) {
      offenders.push(`${name} writes to the console`);
    }
  }
  assertEquals(offenders, []);
});
