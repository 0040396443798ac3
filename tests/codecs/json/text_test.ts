import { assertEquals, assertThrows } from "@std/assert";
import { stringifyJson } from "../../../lib/codecs/json/json.ts";
import { compactJson, jsonMembers, JsonText } from "../../../lib/codecs/json/text.ts";
import { CodecError } from "../../../lib/errors.ts";

Deno.test("compactJson() keeps every digit, and takes away the blanks", () => {
  const cases: [string, string][] = [
    [' { "a" : 1.0 ,\r\n\t"b c": [ -0.0 , 1e400, 1E+05 ] } ', '{"a":1.0,"b c":[-0.0,1e400,1E+05]}'],
    [String.raw`["\u00b5 \" \\", "x  y\\"]`, String.raw`["µ \" \\","x  y\\"]`],
    [String.raw`{"\\":"\\","a":"\n"}`, String.raw`{"\\":"\\","a":"\n"}`],
    ["12345678901234567890.0", "12345678901234567890.0"],
    ["[]", "[]"],
  ];
  for (const [text, compact] of cases) assertEquals(compactJson(text), compact);
});

Deno.test("jsonMembers() takes an object apart, and nothing else", () => {
  const text = String.raw`{"a":1.0,"b":[1,{"c":"}],"}],"\u0022,":"x","a":{},"d":-0.0}`;
  assertEquals(
    [...jsonMembers(compactJson(text))],
    [["a", "{}"], ["b", '[1,{"c":"}],"}]'], ['",', '"x"'], ["d", "-0.0"]],
  );
  for (const other of ["{}", "[1]", '"{"', "1"]) assertEquals(jsonMembers(other).size, 0);
});

Deno.test("JsonText is written as it came, wherever it stands", () => {
  const text = new JsonText('{"a": 1.0, "b": [1e400, -0.0, 12345678901234567890]}');
  assertEquals(stringifyJson(text), '{"a":1.0,"b":[1e400,-0.0,12345678901234567890]}');
  assertEquals(stringifyJson([text]), '[{"a":1.0,"b":[1e400,-0.0,12345678901234567890]}]');
  assertThrows(() => text.value, CodecError, "1e400 is beyond the range");
  assertEquals(new JsonText("[1.0]").value, [1]);
  assertThrows(() => new JsonText("{"), CodecError, "Cannot parse JSON at byte 1");
});
