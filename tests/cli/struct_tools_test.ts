import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { structLinePack } from "../../lib/commands/struct_line/pack.ts";
import { structLineSize } from "../../lib/commands/struct_line/size.ts";
import { structLineUnpack } from "../../lib/commands/struct_line/unpack.ts";
import { CodecError, UsageError } from "../../lib/errors.ts";
import {
  bytes,
  FEATURES,
  HALF_OVERFLOWS,
  HALF_ROUNDING,
  HALVES,
  integerFormats,
  integerRange,
  PASCAL,
} from "../codecs/struct/cases.ts";
import { labwire, programCommand } from "./run.ts";
import { runCommand } from "./run_command.ts";

const linux = ["--platform", "linux"];

/** What `struct-line pack` prints, cutting as Python does. */
async function pack(format: string, ...values: unknown[]): Promise<string> {
  const words = values.map((value) =>
    value instanceof Uint8Array ? `{"hex":"${value.toHex()}"}` : String(value)
  );
  const args = [...linux, "--truncate", "--", format, ...words];
  return (await runCommand(structLinePack, args)).trimEnd();
}

/** What `struct-line unpack` prints, byte strings as hex. */
async function unpack(format: string, packed: Uint8Array): Promise<unknown[]> {
  const args = [...linux, "--bytes", "hex", "--", format, packed.toHex()];
  const text = await runCommand(structLineUnpack, args);
  return JSON.parse(text, (_, value, context?: { source?: string }) => {
    return typeof value === "number" && !Number.isSafeInteger(value) && Number.isInteger(value)
      ? BigInt(context!.source!)
      : value;
  });
}

async function size(format: string): Promise<number> {
  return Number(await runCommand(structLineSize, [...linux, "--", format]));
}

const hex = (value: Uint8Array) => ({ hex: value.toHex() });

Deno.test("struct-line pack, unpack and size agree with test_struct: new features", async () => {
  for (const [format, value, big, little, differs] of FEATURES) {
    if (Array.isArray(value) || (format === "?" && value === 3)) continue; // a boolean is typed as such
    for (const [mode, expected] of [[">", big], ["!", big], ["<", little], ["=", little]]) {
      const packed = await pack(mode + format, value);
      assertEquals(packed, bytes(expected!).toHex(), mode + format);
      assertEquals(await size(mode + format), expected!.length);
      const [back] = await unpack(mode + format, bytes(expected!));
      if (!differs) {
        assertEquals(back, value instanceof Uint8Array ? hex(value) : value as typeof back, format);
      }
    }
  }
});

Deno.test("struct-line pack, unpack and size agree with test_struct: Pascal strings", async () => {
  for (const [format, value, packed, back] of PASCAL) {
    assertEquals(await pack(format, bytes(value)), bytes(packed).toHex());
    assertEquals(await unpack(format, bytes(packed)), [hex(bytes(back))]);
    assertEquals(await size(format), packed.length);
  }
});

Deno.test("struct-line pack, unpack and size agree with test_struct: integers", async () => {
  for (const [format, code] of integerFormats()) {
    const length = await size(format);
    const [min, max] = integerRange(code, length);
    for (const value of [min, min + 1n, 0n, 1n, max - 1n, max]) {
      const big = BigInt.asUintN(length * 8, value).toString(16).padStart(length * 2, "0");
      const expected = Uint8Array.fromHex(big);
      if (!/^[>!]/.test(format)) expected.reverse();
      assertEquals(await pack(format, value), expected.toHex(), `${format} ${value}`);
      const [back] = await unpack(format, expected);
      assertEquals(String(back), String(value), format);
      // Structs of one byte may stand one after another.
      if (length > 1) {
        await assertRejects(() => unpack(format, Uint8Array.of(1, ...expected)), CodecError);
      }
    }
    for (const value of [min - 1n, max + 1n, -(10n ** 50n), 10n ** 50n]) {
      const wanted = `is out of range ${min} to ${max}`;
      await assertRejects(() => pack(format, value), CodecError, wanted);
    }
    for (const value of ["a string", "3+42j", "1.5", "", "nan"]) {
      await assertRejects(() => pack(format, value), CodecError, "is not an integer");
    }
  }
});

Deno.test("struct-line pack and unpack agree with test_struct: half floats", async () => {
  for (const [little, value] of HALVES) {
    const data = Uint8Array.from(little);
    assertEquals(await unpack("<e", data), [Number.isFinite(value) ? value : String(value)]);
    assertEquals(await pack("<e", Object.is(value, -0) ? "-0.0" : value), data.toHex());
    assertEquals(
      await pack(">e", Object.is(value, -0) ? "-0.0" : value),
      data.toReversed().toHex(),
    );
  }
  for (const [packed, value] of HALF_ROUNDING) assertEquals(await pack(">e", value), packed);
  for (const value of HALF_OVERFLOWS) {
    await assertRejects(() => pack(">e", value), CodecError, "range");
  }
  for (const bits of ["01fc", "00fe", "ffff", "017c", "007e", "ff7f"]) {
    assertEquals(await unpack("<e", Uint8Array.fromHex(bits)), ["NaN"]);
  }
});

Deno.test("struct-line pack, unpack and size agree with test_struct: what is refused", async () => {
  const huge = [`${2n ** 63n}b`, `${2n ** 62n}b${2n ** 62n}H`];
  for (const format of ["Z", "12345", "c12345", "14s42", "=n", "<N", "!P", ...huge]) {
    await assertRejects(() => size(format), UsageError);
    await assertRejects(() => pack(format), UsageError);
    await assertRejects(() => unpack(format, new Uint8Array(0)), UsageError);
  }
  await assertRejects(() => pack("iii", 3), CodecError, "expected 3 values, got 1");
  await assertRejects(() => pack("i", 3, 3, 3), CodecError, "expected 1 value, got 3");
  await assertRejects(() => pack("i", "foo"), CodecError);
  await assertRejects(() => unpack("d", bytes("flap")), CodecError, "expected 8 bytes, got 4");
  await assertRejects(() => unpack("iii", new Uint8Array(8)), CodecError);
  assertEquals(await size("cbxxxxxxhhhhiillffd?") * 3, await size("3c3b18x12h6i6l6f3d3?"));
});

Deno.test("struct-line pack prints hex, and reads records from stdin", async () => {
  const typed = await labwire(["struct-line", "pack", "!I5sd?", "3", "hello", "0.5", "true"]);
  assertEquals([typed.code, typed.stdout], [0, "0000000368656c6c6f3fe000000000000001\n"]);
  const negative = await labwire(["struct-line", "pack", "<bd", "-7", "-inf"]);
  assertEquals(negative.stdout, "f9000000000000f0ff\n");
  const lines = await labwire(
    ["struct-line", "pack", "<Hs", "--fields", "n,c"],
    { input: '[1,"a"]\n\n{"c":"b","n":2}\n' },
  );
  assertEquals([lines.code, lines.stdout], [0, "010061\n020062\n"]);
  const wrong = await labwire(["struct-line", "pack", "<H"], { input: "[1]\n[65536]\n" });
  assertEquals([wrong.code, wrong.stdout], [5, "0100\n"]);
  assertStringIncludes(
    wrong.stderr,
    'error: Line 2: Cannot pack item 0 ("H" in "<H"): 65536 is out',
  );
});

Deno.test("struct-line pack --output raw writes what unpack --input raw reads", async () => {
  const input = Array.from({ length: 20_000 }, (_, i) => `[${i},"text ${i}",${i / 8}]\n`).join("");
  const raw = await onBytes(
    ["struct-line", "pack", "--output", "raw", "!I30sd"],
    new TextEncoder().encode(input),
  );
  assertEquals(raw.length, 20_000 * 42);
  const back = await onBytes(["struct-line", "unpack", "--input", "raw", "!I30sd"], raw);
  assertEquals(new TextDecoder().decode(back), input);
});

/** Runs the program on bytes. */
async function onBytes(args: string[], input: Uint8Array): Promise<Uint8Array> {
  const [program, before] = programCommand();
  const child = new Deno.Command(program, {
    args: [...before, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    ReadableStream.from([input]).pipeTo(child.stdin),
  ]);
  return output.stdout;
}

Deno.test("struct-line unpack takes hex as people write it", async () => {
  const unpacked = (args: string[], input?: string) =>
    labwire(["struct-line", "unpack", ...args], { input });
  const cases: [string[], string][] = [
    [["!H", "0001"], "[1]\n"],
    [["!H", "0x0001", "00:02", "00 03"], "[1]\n[2]\n[3]\n"],
    [["!H", "00010002"], "[1]\n[2]\n"],
    [["!Hs", "000141", "--fields", "n,c"], '{"n":1,"c":"A"}\n'],
    [["!Hs", "000141", "--output", "csv", "--fields", "n,c"], "n,c\n1,A\n"],
    [["2s", "6162", "--bytes", "base64"], '[{"base64":"YWI="}]\n'],
    [["@l", "0100000000000000", "--platform", "linux"], "[1]\n"],
    [["@l", "01000000", "--platform", "windows"], "[1]\n"],
    [["", ""], "[]\n"],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await unpacked(args);
    assertEquals([code, stdout, stderr], [0, expected, ""], args.join(" "));
  }
  assertEquals((await unpacked(["!H"], "0001\n\n0002\n")).stdout, "[1]\n[2]\n");
  const odd = await unpacked(["!H", "000"]);
  assertEquals([odd.code, odd.stderr], [
    5,
    'error: Cannot read hex "000": expected an even number of digits\n',
  ]);
  const digit = await unpacked(["!H", "00g0"]);
  assertEquals([digit.code, digit.stderr], [5, 'error: Cannot read hex "00g0": "g" is no digit\n']);
  const short = await unpacked(["!H", "00"]);
  assertEquals([short.code, short.stderr], [
    5,
    'error: Cannot unpack "!H": expected 2 bytes, got 1\n',
  ]);
  assertEquals((await unpacked(["!H", "--input", "raw", "00"])).code, 2);
});

Deno.test("struct-line unpack --input raw tells a rest at the end", async () => {
  const { code, stdout, stderr } = await labwire(
    ["struct-line", "unpack", "--input", "raw", "!H"],
    {
      input: "abc",
    },
  );
  assertEquals([code, stdout], [5, "[24930]\n"]);
  assertStringIncludes(stderr, "stream ended 1 byte into a 2-byte record");
  assertEquals(
    (await labwire(["struct-line", "unpack", "--input", "raw", "!"], { input: "" })).code,
    2,
  );
});

Deno.test("struct-line size prints the size, a table or JSON", async () => {
  const of = async (...args: string[]) => (await labwire(["struct-line", "size", ...args])).stdout;
  assertEquals(await of("!I30sd"), "42\n");
  assertEquals(await of("--platform", "windows", "@cl"), "8\n");
  assertEquals(
    await of("--layout", "--platform", "linux", "@c2xl3h0q"),
    [
      "offset  code  C type     bytes  padding",
      "     0  c     char           1        0",
      "     1  2x    pad byte       2        0",
      "     8  l     long           8        5",
      "    16  3h    short          6        0",
      "    24  0q    long long      0        2",
      "    24  end",
      "",
    ].join("\n"),
  );
  assertEquals(JSON.parse(await of("--output", "json", "<H2s")), {
    format: "<H2s",
    size: 4,
    values: 2,
    fields: [
      { offset: 0, code: "H", type: "unsigned short", bytes: 2, padding: 0 },
      { offset: 2, code: "2s", type: "char[]", bytes: 2, padding: 0 },
    ],
  });
  const wrong = await labwire(["struct-line", "size", "!I30y"]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, 'Cannot parse struct format "!I30y" at character 5');
  assertEquals((await labwire(["struct-line", "size"])).code, 2);
});
