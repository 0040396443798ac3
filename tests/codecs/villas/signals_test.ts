import { assertEquals, assertThrows } from "@std/assert";
import { parseSignals } from "../../../lib/codecs/villas/signals.ts";
import { UsageError } from "../../../lib/errors.ts";

Deno.test("parseSignals() reads VILLASnode's notation, counts being optional", () => {
  assertEquals(parseSignals("5f1i"), [...Array(5).fill("float"), "integer"]);
  assertEquals(parseSignals("fibc"), ["float", "integer", "boolean", "complex"]);
  assertEquals(parseSignals("f2if"), ["float", "integer", "integer", "float"]);
  assertEquals(parseSignals("007b").length, 7);
  assertEquals(parseSignals("64f").length, 64);
  assertEquals(parseSignals("65507f").length, 65_507);
});

Deno.test("parseSignals() says what it expects where a text is none, as VILLASnode refuses it too", () => {
  for (
    const text of ["", "f2", "3", "x", "2z", "3F", "f,i", "f i", " f", "-1f", "0f", "1.5f", "é"]
  ) {
    assertThrows(() => parseSignals(text), UsageError, `Cannot read signals "${text}": expected V`);
  }
  for (const text of ["65508f", "40000f40000i", "99999999999999999999f", `${"9".repeat(1000)}f`]) {
    assertThrows(() => parseSignals(text), UsageError, "expected at most 65507");
  }
});
