import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { neededPermissions } from "../../lib/permissions.ts";

const root = new URL("../../", import.meta.url);

/** The documents for people who change labwire. */
const documents = ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

function read(name: string): string {
  return Deno.readTextFileSync(new URL(`.github/${name}`, root));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isDirectory === path.endsWith("/");
  } catch {
    return false;
  }
}

for (const name of documents.slice(0, 2)) {
  Deno.test(`${name}: every path that it names exists`, () => {
    const quoted = [...read(name).matchAll(/`([^`\s]+)`/g)].map(([, text]) => text!);
    const isPath = /^(main\.ts|mod\.ts|deno\.json|(lib|tests|proto|\.ci|\.github)\/\S*)$/;
    const paths = quoted.filter((text) => isPath.test(text) && !/[A-Z]{4}|\*/.test(text));
    assert(paths.length > 8, "the paths were found");
    assertEquals([...new Set(paths)].filter((path) => !exists(path)), []);
  });
}

for (const name of documents) {
  Deno.test(`${name}: every relative link leads to a file`, () => {
    const links = [...read(name).matchAll(/\]\(([^):#]+)\)/g)].map(([, path]) => path!);
    const from = new URL(`.github/${name}`, root);
    const broken = links.filter((path) =>
      !exists(new URL(path, from).href.slice(root.href.length))
    );
    assertEquals(broken, []);
  });
}

Deno.test("ARCHITECTURE.md names every room of lib/", () => {
  const text = read("ARCHITECTURE.md");
  const rooms = [...Deno.readDirSync(new URL("lib/", root))]
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(rooms.filter((room) => !text.includes(`\`lib/${room}/`)), []);
});

Deno.test("ARCHITECTURE.md gives each dependency its reason", () => {
  const text = read("ARCHITECTURE.md");
  const packages = Object.values(config.imports).map((specifier) => specifier.replace(/@\^.*/, ""));
  assertEquals(packages.filter((name) => !text.includes(`| \`${name}\``)), []);
});

Deno.test("ARCHITECTURE.md and the guide to installing have the permissions as they are", () => {
  const rows = [...read("ARCHITECTURE.md").matchAll(/^\| `(--allow-[^`]*)` +\| (.*?) +\|$/gm)];
  assertEquals(
    rows.map(([, flag, reason]) => [flag, reason]),
    neededPermissions.map(({ flag, reason }) => [flag, reason]),
  );
  const guide = Deno.readTextFileSync(new URL("lib/guides/install.md", root));
  const line = /^deno install [^]*?\n +jsr:/m.exec(guide)![0];
  assertEquals(
    [...line.matchAll(/--allow-\S+/g)].map(([flag]) => flag),
    neededPermissions.map(({ flag }) => flag),
  );
});
