import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { choice } from "../../cli/options.ts";
import { readLines } from "../../cli/read_lines.ts";
import type { AnyStruct } from "../../codecs/struct/struct.ts";
import { quoted } from "../../text/wording.ts";
import { CodecError, UsageError } from "../../errors.ts";
import { readRecords } from "../../net/framing/read_records.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { checkRecordSize } from "../../struct/check_record_size.ts";
import { bytesOption, fieldsOption, platformOption, structOf } from "./options.ts";
import { type Printer, printOption, structPrinter } from "./printer.ts";

/** `labwire struct-line unpack`. */
export const structLineUnpack = defineCommand({
  name: "struct-line unpack",
  summary: "unpack the bytes of structs and print their values",
  details: [
    "Each argument, or each line of standard input if there is none, holds one or more structs in hex. Blanks and colons between " +
    "digits are skipped.",
  ],
  positionals: [
    { name: "FORMAT", required: true, help: "Format of Python's struct module, such as '!I30sd'" },
    { name: "HEX", variadic: true, help: "The bytes" },
  ],
  options: {
    input: choice(["hex", "raw"], {
      default: "hex",
      placeholder: "FORM",
      help:
        "What stdin is: hex, lines of digits, or raw, the bytes themselves, struct after struct",
    }),
    ...printOption,
    ...fieldsOption,
    ...bytesOption,
    ...platformOption,
  },
  examples: [
    {
      text: "A struct",
      command: "labwire struct-line unpack '!I5sd' 0000000368656c6c6f3fe0000000000000",
    },
    {
      text: "A file of them, as a table",
      command:
        "labwire struct-line unpack --input raw --output csv --fields t,u '<Hf' < records.bin",
    },
  ],
  async run(context, { input, platform, ...printing }, [format, ...texts]) {
    const struct = structOf(format!, { platform, fields: printing.fields });
    const print = structPrinter(struct, printing, context.out);
    if (input === "raw" && texts.length > 0) {
      throw new UsageError("Cannot unpack both --input raw and HEX: expected one of them");
    }
    if (input === "raw") return await unpackStream(context, struct, print);
    for (const text of texts) unpackAll(hexBytes(text), struct, print);
    if (texts.length > 0) return;
    let number = 0;
    for await (const line of readLines(context.stdin.readable, context.signal)) {
      number++;
      if (line.trim() !== "") unpackLine(line, number, struct, print);
      await context.out.ready();
    }
  },
});

function unpackLine(line: string, number: number, struct: AnyStruct, print: Printer): void {
  try {
    unpackAll(hexBytes(line), struct, print);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new CodecError(`Line ${number}: ${cause.message}`, { cause });
  }
}

/** Prints the structs that lie one after another. */
function unpackAll(bytes: Uint8Array, struct: AnyStruct, print: Printer): void {
  // The message about one struct of the wrong size is plainer than that about several.
  const records = bytes.length <= struct.size ? [struct.unpack(bytes)] : struct.iterUnpack(bytes);
  let at = 0;
  for (const values of records) {
    const recordBytes = bytes.subarray(at, at += struct.size);
    print(values, { recordBytes, recordTime: NaN });
  }
}

function hexBytes(text: string): Uint8Array {
  const digits = text.trimStart().replace(/^0x/i, "").replace(/[\s:]/g, "");
  try {
    return Uint8Array.fromHex(digits);
  } catch (cause) {
    const at = digits.search(/[^0-9a-f]/i);
    const why = at < 0 ? "expected an even number of digits" : `"${digits[at]}" is no digit`;
    throw new CodecError(`Cannot read hex ${quoted(text)}: ${why}`, { cause });
  }
}

async function unpackStream(
  { out, stdin, signal }: Context,
  struct: AnyStruct,
  print: Printer,
): Promise<void> {
  checkRecordSize(struct);
  using reader = readerOf(stdin.readable, signal);
  for await (const block of readRecords(reader, struct.size)) {
    unpackAll(block, struct, print);
    await out.ready();
  }
}

/** Makes a stream fill buffers. */
function readerOf(stream: ReadableStream<Uint8Array>, signal: AbortSignal) {
  const reader = stream.getReader();
  const stop = () => void reader.cancel().catch(() => {});
  const ending = whenAborted(signal, stop);
  let chunk: Uint8Array = new Uint8Array(0);
  return {
    async readInto(buffer: Uint8Array): Promise<number | null> {
      while (chunk.length === 0) {
        const { value, done } = await reader.read();
        if (done) return null;
        chunk = value;
      }
      const length = Math.min(chunk.length, buffer.length);
      buffer.set(chunk.subarray(0, length));
      chunk = chunk.subarray(length);
      return length;
    },
    [Symbol.dispose]() {
      ending[Symbol.dispose]();
      stop();
    },
  };
}
