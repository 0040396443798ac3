import { defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { flag } from "../cli/options.ts";
import { readLines } from "../cli/read_lines.ts";
import { StructJson } from "../codecs/struct_json.ts";
import { CodecError } from "../errors.ts";
import {
  type AnyStruct,
  fieldsOption,
  platformOption,
  structOf,
  truncateOption,
} from "./struct_options.ts";

/** `labwire struct-line pack`. */
export const structLinePack = defineCommand({
  name: "struct-line pack",
  summary: "pack values into a struct and print its bytes in hex",
  details: [
    'Numbers may be written as in JavaScript or Python, byte strings as text or as {"hex": "…"}, booleans as true or false, ' +
    "complex numbers as 1-2j. Without values, lines from standard input are packed, each a JSON array of values.",
  ],
  positionals: [
    { name: "FORMAT", required: true, help: "Format of Python's struct module, such as '!I30sd'" },
    { name: "VALUE", variadic: true, isNumber: true, help: "One value for each field" },
  ],
  options: {
    raw: flag({ help: "Write the bytes themselves" }),
    ...fieldsOption,
    ...truncateOption,
    ...platformOption,
  },
  examples: [
    {
      text: "A number, a text and a number",
      command: "labwire struct-line pack '!I5sd' 3 hello 0.5",
    },
    {
      text: "Records for a file",
      command: "labwire struct-line pack --raw '<Hf' < records.jsonl > records.bin",
    },
  ],
  async run(context, { raw, fields, truncate, platform }, [format, ...values]) {
    const struct = structOf(format!, { truncate, platform });
    const json = new StructJson(struct, { fields });
    const { out } = context;
    const put = (bytes: Uint8Array) => raw ? out.bytes(bytes) : out.line(bytes.toHex());
    if (values.length === 0 && struct.fieldCount > 0) {
      return await packLines(context, struct, json, put);
    }
    put(struct.pack(values.map((text, i) => {
      return i < struct.fieldCount ? json.readTyped(i, text) : text;
    })));
  },
});

/** Packs each line of standard input. */
async function packLines(
  { out, stdin, signal }: Context,
  struct: AnyStruct,
  json: StructJson,
  put: (bytes: Uint8Array) => void,
): Promise<void> {
  let number = 0;
  for await (const line of readLines(stdin.readable, signal)) {
    number++;
    if (line.trim() === "") continue;
    try {
      put(struct.pack(json.parse(line)));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new CodecError(`Line ${number}: ${error.message}`, { cause: error });
    }
    await out.ready();
  }
}
