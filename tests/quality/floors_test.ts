import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

/**
 * The rooms of lib/ by floor, from the ground. A module imports from its own room and from floors below; rooms of one floor do not
 * import one another. `""` stands for the tables that lie in lib/ itself.
 */
const floors: readonly (readonly string[])[] = [
  ["", "guides"],
  ["time", "text"],
  ["codecs"],
  ["net", "process", "recording"],
  ["handlers"],
  ["villas", "json", "struct", "socket"],
  ["scope"],
  ["cli", "doctor"],
  ["commands"],
  ["release"],
];

/** Rooms that know nothing of each other, although one lies above the other. */
const strangers = [["net", "codecs"], ["process", "codecs"], ["recording", "codecs"]] as const;

function floorOf(room: string): number {
  const floor = floors.findIndex((rooms) => rooms.includes(room));
  assert(floor >= 0, `lib/${room} is on no floor: give it one in this test`);
  return floor;
}

function mayImport(room: string, other: string): boolean {
  return floorOf(other) < floorOf(room) && !strangers.some(([a, b]) => a === room && b === other);
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

function isFolder(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
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
  assert(seen > 100, "the imports were found");
});

Deno.test("a room's mod.ts is for users: only mod.ts imports it, and nothing else", () => {
  const root = new URL("../../mod.ts", import.meta.url);
  const rooms = new Set(importsOf(root).map(({ href }) => href.slice(lib.href.length)));
  const offenders = [...rooms].filter((name) => !name.endsWith("/mod.ts"));
  for (const module of sources(lib)) {
    const name = module.href.slice(lib.href.length);
    if (name.endsWith("/mod.ts") && !rooms.has(name)) offenders.push(`${name} is not in mod.ts`);
    for (const { href } of importsOf(module)) {
      if (href.endsWith("/mod.ts")) offenders.push(`${name} imports ${href}`);
    }
  }
  assertEquals(offenders, []);
});

Deno.test("the package's entries are the main program and the rooms' mod.ts", () => {
  const { ".": all, "./main": main, ...others } = config.exports;
  assertEquals([all, main], ["./mod.ts", "./main.ts"]);
  for (const [entry, path] of Object.entries(others)) {
    assertEquals(path, `./lib/${entry.slice(2)}/mod.ts`);
  }
});

Deno.test("tests/ mirrors lib/: a test of a room lies in the folder of its name", () => {
  const elsewhere = ["bench", "examples", "fixtures", "guides", "interop", "long", "quality"];
  const missing: string[] = [];
  const compare = (tests: URL, path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(tests)) {
      if (!isDirectory || name.startsWith("_") || (path === "" && elsewhere.includes(name))) {
        continue;
      }
      if (!isFolder(new URL(`${path}${name}/`, lib))) missing.push(`tests/${path}${name}`);
      else compare(new URL(`${name}/`, tests), `${path}${name}/`);
    }
  };
  compare(new URL("../", import.meta.url), "");
  assertEquals(missing, []);
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
