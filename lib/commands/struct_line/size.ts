import { defineCommand } from "../../cli/command.ts";
import { flag } from "../../cli/options.ts";
import { outputOption } from "../../cli/output_option.ts";
import { stringifyJson } from "../../codecs/json/json.ts";
import type { StructLayout } from "../../codecs/struct/format.ts";
import { platformOption, structOf } from "./options.ts";

/** `labwire struct-line size`. */
export const structLineSize = defineCommand({
  name: "struct-line size",
  summary: "print how many bytes a struct has, and where its fields lie",
  positionals: [
    { name: "FORMAT", required: true, help: "Format of Python's struct module, such as '!I30sd'" },
  ],
  options: {
    layout: flag({ help: "Print a table of the fields" }),
    output: outputOption(["text", "json"], {
      default: "text",
      help: "How the size is printed, and the table; JSON has both in one object",
    }),
    ...platformOption,
  },
  examples: [
    { text: "How many bytes", command: "labwire struct-line size '!I30sd'" },
    {
      text: "Where a C compiler for Windows puts the fields",
      command: "labwire struct-line size --layout --platform windows '@clh0l'",
    },
  ],
  // deno-lint-ignore require-await
  async run({ out }, { layout, output, platform }, [format]) {
    const struct = structOf(format!, { platform });
    if (output === "json") {
      const { size, fieldCount, items } = struct.layout;
      const fields = items.map(({ offset, text, cType, padding, count, width, form }) => {
        return { offset, code: text, type: cType, bytes: bytesOf({ form, count, width }), padding };
      });
      return out.json(stringifyJson({ format, size, values: fieldCount, fields }));
    }
    if (layout) { for (const line of table(struct.layout)) out.line(line); }
    else out.line(String(struct.size));
  },
});

type Extent = Pick<StructLayout["items"][number], "form" | "count" | "width">;

function bytesOf({ form, count, width }: Extent): number {
  return form === "pad" ? width : count * width;
}

/** Columns, those of numbers to the right, and a last line with the sum. */
function table({ items, size }: StructLayout): string[] {
  const rows = items.map((item) => {
    const { offset, text, cType, padding } = item;
    return [`${offset}`, text, cType, `${bytesOf(item)}`, `${padding}`];
  });
  const lines = [["offset", "code", "C type", "bytes", "padding"], ...rows, [`${size}`, "end"]];
  const isNumber = [true, false, false, true, true];
  const widths = isNumber.map((_, k) =>
    lines.reduce((width, line) => Math.max(width, line[k]?.length ?? 0), 0)
  );
  return lines.map((line) =>
    line.map((cell, k) => isNumber[k] ? cell.padStart(widths[k]!) : cell.padEnd(widths[k]!))
      .join("  ").trimEnd()
  );
}
