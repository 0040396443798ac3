import { assertEquals } from "@std/assert";
import { ValueEnd } from "../../lib/json/value_end.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Whether a text is complete at each place at which it may end. */
function completeAt(text: string): string {
  const bytes = encode(text);
  const end = new ValueEnd();
  let marks = "";
  for (let i = 1; i <= bytes.length; i++) marks += end.isComplete(bytes.subarray(0, i)) ? "x" : ".";
  assertEquals(new ValueEnd().isComplete(bytes), marks.endsWith("x"), text);
  return marks;
}

Deno.test("ValueEnd.isComplete() knows where a value ends", () => {
  const cases: [string, string][] = [
    ['{"a":1} ', "......xx"],
    [' [[],"]"]', "........x"],
    ['"a\\"b"', "......x".slice(1)],
    ['{"}\\\\":{}}', ".........x"],
    ["12.5e3", "xx.x.x"],
    ["-1 ", ".xx"],
    ["null", "...x"],
    ["true", "...x"],
    ["nulls", "...x."],
    ["nonsense", "........"],
    ["(1)", "..."],
    ["{'a': 1}", ".......x"], // for the parser to say what is wrong with it
    ["{}{}", ".x.x"],
    ["{}{", ".x."],
    ["  ", ".."],
    ["\uFEFF[]", "....x"],
    ["\r", "."],
    ["]", "."],
  ];
  for (const [text, marks] of cases) assertEquals([text, completeAt(text)], [text, marks]);
});

Deno.test("ValueEnd.isComplete() looks at each byte once, and not at numbers without end", () => {
  let [looks, length] = [0, 0];
  const bytes = new Proxy(new Uint8Array(), {
    get: (_, name) => name === "length" ? length : (looks++, "[".charCodeAt(0)),
  });
  const end = new ValueEnd();
  for (; length <= 10_000; length += 10) assertEquals(end.isComplete(bytes), false);
  assertEquals(looks, 10_000);
  assertEquals(new ValueEnd().isComplete(encode("1".repeat(501))), false);
  assertEquals(new ValueEnd().isComplete(encode("1".repeat(500))), true);
});
