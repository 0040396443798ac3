/**
 * Writes `lib/codecs/villas/protobuf/schema.ts` from `villas.proto`: `deno task proto`. The program carries the schema as a module,
 * so that neither the compiled executable nor the published package reads a file.
 *
 * @module
 */

import protobuf from "protobufjs";

/** Turns the text of a schema into the module that carries it. */
export function schemaModule(proto: string): string {
  const { root } = protobuf.parse(proto);
  return `// Made from proto/villas.proto by "deno task proto". Change that file, not this one.\n\n` +
    `/** The schema of VILLASnode's messages in protobufjs's JSON form. */\n` +
    `export const villasSchema: Readonly<Record<string, unknown>> = ${
      JSON.stringify(root.toJSON(), null, 2)
    };\n`;
}

if (import.meta.main) {
  const proto = await Deno.readTextFile(new URL("villas.proto", import.meta.url));
  const target = new URL("../lib/codecs/villas/protobuf/schema.ts", import.meta.url);
  await Deno.writeTextFile(target, schemaModule(proto));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", target.href] }).output();
}
