import { assertEquals } from "@std/assert";
import { hexdump } from "../../lib/text/hexdump.ts";
import { needs } from "../interop/peer.ts";

Deno.test("hexdump() writes offset, bytes and characters in columns", () => {
  assertEquals(hexdump(new Uint8Array()), "");
  assertEquals(hexdump(Uint8Array.from({ length: 17 }, (_, i) => i + 0x70)).split("\n"), [
    "00000000  70 71 72 73 74 75 76 77  78 79 7a 7b 7c 7d 7e 7f  |pqrstuvwxyz{|}~.|",
    "00000010  80                                                |.|",
    "00000011",
  ]);
});

const { ignore, note } = needs("hexdump");
Deno.test(`hexdump() agrees with hexdump -C -v${note}`, { ignore }, async () => {
  const sizes = [...Array.from({ length: 40 }, (_, i) => i), 1000, 70_000];
  for (const size of sizes) {
    const bytes = new Uint8Array(size);
    crypto.getRandomValues(bytes.subarray(0, 65_536));
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, bytes);
    const { stdout } = await new Deno.Command("hexdump", { args: ["-C", "-v", file] }).output();
    await Deno.remove(file);
    assertEquals(hexdump(bytes), new TextDecoder().decode(stdout).trimEnd(), `${size} bytes`);
  }
});
