import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { outputOption } from "../../cli/output_option.ts";
import { readByteLines } from "../../cli/read_lines.ts";
import { StructJson } from "../../codecs/struct/json.ts";
import type { AnyStruct } from "../../codecs/struct/struct.ts";
import { CodecError, UsageError } from "../../errors.ts";
import {
  fieldsOption,
  platformOption,
  recordInputOption,
  structOf,
  truncateOption,
} from "./options.ts";
import { RecordReader, type RecordReaderOptions } from "../../struct/record_reader.ts";

/** `labwire struct-line pack`. */
export const structLinePack = defineCommand({
  name: "struct-line pack",
  summary: "pack values into a struct and print its bytes in hex",
  details: [
    'Numbers may be written as in JavaScript or Python, byte strings as text or as {"hex": "…"}, booleans as true or false, ' +
    "complex numbers as 1-2j. Without values, lines from standard input are packed, each a record in JSON or CSV.",
  ],
  positionals: [
    { name: "FORMAT", required: true, help: "Format of Python's struct module, such as '!I30sd'" },
    { name: "VALUE", variadic: true, isNumber: true, help: "One value for each field" },
  ],
  options: {
    output: outputOption(["hex", "raw"], { default: "hex", help: "How structs are written" }),
    ...recordInputOption,
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
      command: "labwire struct-line pack --output raw '<Hf' < records.jsonl > records.bin",
    },
  ],
  async run(context, options, [format, ...values]) {
    const { output, fields } = options;
    const struct = structOf(format!, options);
    const { out, given } = context;
    const put = (bytes: Uint8Array) =>
      output === "raw" ? out.bytes(bytes) : out.line(bytes.toHex());
    if (values.length === 0 && struct.fieldCount > 0) {
      return await packLines(context, struct, options, put);
    }
    if (given.has("input")) {
      throw new UsageError("Cannot pack both VALUE and --input: expected one of them");
    }
    const json = new StructJson(struct, { fields });
    put(struct.pack(values.map((text, i) => {
      return i < struct.fieldCount ? json.readTyped(i, text) : text;
    })));
  },
});

/** Packs each line of standard input, up to the first that is no record. */
async function packLines(
  { out, stdin, signal }: Context,
  struct: AnyStruct,
  options: RecordReaderOptions,
  put: (bytes: Uint8Array) => void,
): Promise<void> {
  const reader = new RecordReader(struct, options, {
    onRecord: (values) => put(struct.pack(values)),
    onBad(cause, line) {
      throw new CodecError(`Line ${line}: ${cause.message}`, { cause });
    },
  });
  for await (const line of readByteLines(stdin.readable, signal)) {
    reader.push(line);
    await out.ready();
  }
  reader.end();
}
