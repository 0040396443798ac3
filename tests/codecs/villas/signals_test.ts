import { assertEquals, assertThrows } from "@std/assert";
import { parseSignals } from "../../../lib/codecs/villas/signals.ts";
import { UsageError } from "../../../lib/errors.ts";

Deno.test("parseSignals() reads VILLASnode's notation, counts being optional", () => {
  const types = (text: string) => parseSignals(text).map(({ type }) => type);
  assertEquals(types("5f1i"), [...Array(5).fill("float"), "integer"]);
  assertEquals(types("fibc"), ["float", "integer", "boolean", "complex"]);
  assertEquals(types("f2if"), ["float", "integer", "integer", "float"]);
  assertEquals(parseSignals("fi"), [
    { name: "signal0", type: "float", unit: "" },
    { name: "signal1", type: "integer", unit: "" },
  ]);
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

Deno.test("parseSignals() reads names, types and units", () => {
  assertEquals(parseSignals("voltage:float:V, n:integer,ok:boolean:,z:complex:a:b,:float"), [
    { name: "voltage", type: "float", unit: "V" },
    { name: "n", type: "integer", unit: "" },
    { name: "ok", type: "boolean", unit: "" },
    { name: "z", type: "complex", unit: "a:b" },
    { name: "", type: "float", unit: "" },
  ]);
  for (const text of ["a:", "a:double", "a:float,b", "a:float,", ":"]) {
    assertThrows(() => parseSignals(text), UsageError, "expected NAME:TYPE or NAME:TYPE:UNIT");
  }
});
