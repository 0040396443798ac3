import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { PlainScanner } from "../../../lib/codecs/villas/protobuf/scan.ts";
import { villasProtobuf } from "../../../lib/codecs/villas/protobuf.ts";
import { CodecError } from "../../../lib/errors.ts";
import { PROTOBUF, pythonLines } from "../../interop/python.ts";
import { random32 } from "../struct/random_values.ts";
import { described } from "./described.ts";

const PARSE = fileURLToPath(new URL("../../interop/parse_messages.py", import.meta.url));
const COMPARABLE = PROTOBUF?.implementation === "cpp";
const scanner = new PlainScanner();

/** A message of one DATA sample with these fields, which are to be less than 128 bytes. */
function message(...fields: (number | number[])[]): Uint8Array {
  const sample = [0x08, 0x01, ...fields.flat()];
  return Uint8Array.from([0x0a, sample.length, ...sample]);
}

/** A value in a sample. */
function value(...bytes: (number | number[])[]): number[] {
  return [0xa2, 0x06, bytes.flat().length, ...bytes.flat()];
}

const TEN = Array(9).fill(0x80);
const ELEVEN = Array(10).fill(0x80);

Deno.test("a bool is its 64 bits: any of them makes it true", () => {
  const decoded = (bytes: Uint8Array) => villasProtobuf.decode(bytes)[0]!;
  assertEquals(decoded(message(value(0x18, TEN, 0x01))).values, [true]); // bit 63
  assertEquals(decoded(message(value(0x18, TEN, 0x02))).values, [false]); // bit 64, which there is not
  assertEquals(decoded(message(value(0x18, 0x80, 0x80, 0x80, 0x80, 0x10))).values, [true]); // bit 32
  assertEquals(decoded(message(value(0x18, 0x80, 0x00))).values, [false]);
  assertEquals(decoded(message(0x28, TEN, 0x01)).newFrame, true);
  assertEquals(decoded(message(0x28, TEN, 0x7e)).newFrame, false);
});

Deno.test("varints of more than ten bytes are invalid wherever they stand, in both decoders", () => {
  for (
    const field of [
      [0x10, ...ELEVEN, 0x01], // sequence
      [0x28, ...ELEVEN, 0x01], // new_frame
      [0x38, ...ELEVEN, 0x01], // an unknown field
      [0x1a, 14, 0x08, ...ELEVEN, 0x01, 0x10, 0x00], // seconds
      value(0x10, ELEVEN, 0x01),
      value(0x18, ELEVEN, 0x01),
      [0xa2, 0x06, 0x82, ...ELEVEN, 0x00, 0x10, 0x05], // the length of a value
    ]
  ) {
    const bytes = message(field);
    assertThrows(() => villasProtobuf.decode(bytes), CodecError, "", bytes.toHex());
    assertEquals(scanner.scan(bytes), -1, bytes.toHex());
  }
});

/** Messages with a varint of random length and bits in each place that there is for one. */
function* randomMessages(count: number): Generator<Uint8Array> {
  const random = random32(3);
  const varint = () => {
    const mask = [0, 0x7f, 0x01][random() % 3]!;
    const more = Array.from({ length: random() % 12 }, () => 0x80 | random() & mask);
    return [...more, random() % 3 ? random() % 3 : random() % 128];
  };
  const padded = (length: number) => {
    const zeros = random() % 12;
    return zeros === 0 ? [length] : [length | 0x80, ...Array(zeros - 1).fill(0x80), 0];
  };
  const places: (() => number[])[] = [
    () => [0x10, ...varint()],
    () => [0x28, ...varint()],
    () => [0x38, ...varint()],
    () => value(0x10, varint()),
    () => value(0x18, varint()),
    () => [0xa2, 0x06, ...padded(2), 0x18, random() % 2],
    () => {
      const stamp = [0x08, ...varint(), 0x10, ...varint()];
      return [0x1a, stamp.length, ...stamp];
    },
  ];
  for (let i = 0; i < count; i++) yield message(places[i % places.length]!());
}

/** Messages whose times and complex numbers come in parts, with or without all that is required. */
function* messagesInParts(count: number): Generator<Uint8Array> {
  const random = random32(5);
  const several = (part: () => number[]) =>
    Array.from({ length: random() % 4 }, () => random() % 6 ? part() : [0x38, 5]).flat();
  const stamp = () => {
    const parts = several(() => [[0x08, 0x10][random() % 2]!, random() % 128]);
    return [[0x1a, 0x22][random() % 2]!, parts.length, ...parts];
  };
  const complex = () => {
    const parts = several(() => [[0x0d, 0x15][random() % 2]!, 0, 0, random() % 128, 0x40]);
    return [0x22, parts.length, ...parts];
  };
  for (let i = 0; i < count; i++) {
    const numbers = several(complex);
    yield message(several(stamp), value(random() % 4 ? [] : [0x18, 1], numbers), several(stamp));
  }
}

for (
  const [name, leastPlain, make] of [
    ["random varints", 500, () => randomMessages(7000)],
    ["times and complex numbers in parts", 20, () => messagesInParts(7000)],
  ] as const
) {
  Deno.test({
    name: `villasProtobuf reads ${name} as Python's protobuf does` +
      (COMPARABLE ? "" : " (ignored: no Python with the C++ implementation of protobuf)"),
    ignore: !COMPARABLE,
    async fn() {
      const messages = [...make()].filter(({ length }) => length < 130);
      const lines = await pythonLines(
        [PARSE],
        messages.map((bytes) => bytes.toHex()),
        PROTOBUF!.python,
      );
      let invalid = 0, plain = 0;
      for (const [i, bytes] of messages.entries()) {
        const wanted = JSON.parse(lines[i]!);
        let decoded: unknown = null;
        try {
          decoded = described(villasProtobuf.decode(bytes));
        } catch (error) {
          assert(error instanceof CodecError);
          invalid++;
        }
        assertEquals(decoded, wanted, bytes.toHex());
        if (scanner.scan(bytes) < 0) continue;
        plain++;
        assert(wanted !== null, `${bytes.toHex()} is not to be sent back`);
      }
      assert(
        invalid > 500 && messages.length - invalid > 500 && plain > leastPlain,
        `${invalid} invalid, ${plain} plain`,
      );
    },
  });
}
