import { assertEquals } from "@std/assert";
import { pythonBytes } from "../../lib/text/python_bytes.ts";
import { PYTHON, pythonLines } from "../interop/python.ts";

Deno.test("pythonBytes() writes what Python's manual writes", () => {
  assertEquals(pythonBytes(new Uint8Array()), "b''");
  assertEquals(pythonBytes(new TextEncoder().encode("Hello, world")), "b'Hello, world'");
  assertEquals(
    pythonBytes(new Uint8Array([0, 9, 10, 13, 27, 92, 127, 255])),
    String.raw`b'\x00\t\n\r\x1b\\\x7f\xff'`,
  );
});

Deno.test("pythonBytes() chooses quotes as Python does", () => {
  const of = (text: string) => pythonBytes(new TextEncoder().encode(text));
  assertEquals(of("a'b"), `b"a'b"`);
  assertEquals(of('a"b'), `b'a"b'`);
  assertEquals(of(`a'"b`), String.raw`b'a\'"b'`);
});

Deno.test(`pythonBytes() agrees with ${PYTHON} on every byte, text and random bytes`, async () => {
  const cases: Uint8Array[] = [
    Uint8Array.from({ length: 256 }, (_, i) => i),
    ...Array.from({ length: 256 }, (_, i) => new Uint8Array([i])),
    ...Array.from({ length: 256 }, (_, i) => new Uint8Array([0x27, i])),
    ...["µ ≤ 5 Ω", "naïve 'quotes'", "日本語", "🔬\r\n"].map((text) =>
      new TextEncoder().encode(text)
    ),
    ...Array.from({ length: 200 }, (_, i) => crypto.getRandomValues(new Uint8Array(i))),
  ];
  const script = "import sys\nfor line in sys.stdin: print(repr(bytes.fromhex(line)))";
  const written = await pythonLines(["-c", script], cases.map((bytes) => bytes.toHex()));
  assertEquals(cases.map(pythonBytes), written);
});
