import { csvCell, splitCsvRow } from "../../lib/text/csv.ts";
import { CodecError } from "../../lib/errors.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { pythonLines } from "../interop/python.ts";

/** A row, and what its cells say. */
const ROWS: [string, string[]][] = [
  ["", [""]],
  [",", ["", ""]],
  ["1,2", ["1", "2"]],
  ["1,", ["1", ""]],
  ['"a,b",c', ["a,b", "c"]],
  ['"say ""hi""",', ['say "hi"', ""]],
  ['""', [""]],
  ['"",""', ["", ""]],
  ['""""', ['"']],
  ['"a\nb"', ["a\nb"]],
  ['a"b', ['a"b']],
  [" a , b ", [" a ", " b "]],
];

Deno.test("splitCsvRow() takes rows apart as Python's csv module does", async () => {
  for (const [row, cells] of ROWS) assertEquals(splitCsvRow(row), cells, row);
  const script = `
import csv, json, sys
for line in sys.stdin:
    print(json.dumps(next(csv.reader(json.loads(line).splitlines(keepends=True)), [""])))
`;
  const lines = await pythonLines(["-c", script], ROWS.map(([row]) => JSON.stringify(row)));
  assertEquals(lines.map((line) => JSON.parse(line)), ROWS.map(([, cells]) => cells));
});

Deno.test("splitCsvRow() tells a row that is not complete, and one that is none", () => {
  for (const row of ['"', '"a', 'a,"b', '"a""', '"a,""b']) assertEquals(splitCsvRow(row), null);
  assertThrows(
    () => splitCsvRow('1,"a"b,2'),
    CodecError,
    "Cannot read CSV at character 6: expected a comma after the quotes",
  );
});

Deno.test("csvCell() quotes what would be read as something else", () => {
  const cells: [string, string][] = [
    ["a", "a"],
    ["", ""],
    ["a b", "a b"],
    ["a,b", '"a,b"'],
    ['a"b', '"a""b"'],
    [" a", '" a"'],
    ["a ", '"a "'],
    ["[1]", '"[1]"'],
    ["{}", '"{}"'],
  ];
  for (const [text, cell] of cells) {
    assertEquals(csvCell(text), cell);
    assertEquals(splitCsvRow(cell), [text]);
  }
});
