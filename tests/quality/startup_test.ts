import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Everything that a module imports before it runs: itself, and what its `import` and `export … from` name, on and on. */
function loadedAtOnce(module: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(module.href)) return seen;
  seen.add(module.href);
  const source = Deno.readTextFileSync(module).replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const imports = source.matchAll(
    /^(?:import|export)\b(?!\s+type\b)(?:[^;"(]*?\bfrom\s+|\s+)"([^"]+)"/gm,
  );
  for (const [, specifier] of imports) {
    if (specifier!.startsWith(".")) loadedAtOnce(new URL(specifier!, module), seen);
    else seen.add(specifier!);
  }
  return seen;
}

Deno.test("main.ts loads no command, no behaviour and no protobufjs before it knows what is wanted", () => {
  const loaded = [...loadedAtOnce(new URL("main.ts", root))]
    .map((module) => module.replace(root.href, ""));
  assert(loaded.includes("lib/cli/run.ts") && loaded.includes("@std/cli/parse-args"));
  const allowed = /^(main\.ts|deno\.json|@std\/|lib\/errors\.ts|lib\/(cli|text|time)\/)/;
  const allowedToo = [
    "lib/time/clock.ts",
    "lib/time/lifecycle.ts",
    "lib/commands/registry.ts",
    "lib/handlers/place.ts",
    "lib/net/address/address.ts",
  ];
  assertEquals(
    loaded.filter((module) => !allowed.test(module) && !allowedToo.includes(module)),
    [],
  );
});
