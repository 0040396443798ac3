import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { parseReplies, parseReply, Replies } from "../../lib/socket/replies.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Answers a message by a table, as text. */
function answer(table: string[], message: string, otherwise?: string): string | null {
  const replies = new Replies(table.map(parseReply), {
    otherwise: otherwise === undefined ? undefined : bytes(otherwise),
  });
  const reply = replies.answer(bytes(message));
  return reply && text(reply);
}

Deno.test("parseReply() reads QUERY=ANSWER with escapes", () => {
  const cases: [string, string, string][] = [
    ["*IDN?=ACME,1", "*IDN?", "ACME,1"],
    ["a=b=c", "a", "b=c"],
    [String.raw`a\=b=c\=d`, "a=b", "c=d"],
    [String.raw`a\\=b`, "a\\", "b"],
    [String.raw`\x02q\x03=\t1\r\n`, "\x02q\x03", "\t1\r\n"],
    ["VOLT 3=", "VOLT 3", ""],
    [" q = a ", " q ", " a "],
    ["µ=Ω", "µ", "Ω"],
  ];
  for (const [written, query, reply] of cases) {
    const read = parseReply(written);
    assertEquals([text(read.query), text(read.answer)], [query, reply], written);
  }
  assertEquals(parseReply(String.raw`\xff=\x00`), {
    query: new Uint8Array([255]),
    answer: new Uint8Array([0]),
  });
  for (const written of ["", "abc", String.raw`a\=b`, "=b", String.raw`a=\q`, "a=\\"]) {
    assertThrows(() => parseReply(written), UsageError, undefined, written);
  }
});

Deno.test("Replies.answer() ends with the line end of the query, or with its own", () => {
  const table = ["V?=1.25", String.raw`own?=x\n`, "set=", String.raw`a\nb=two`];
  const cases: [string, string | null][] = [
    ["V?", "1.25"],
    ["V?\n", "1.25\n"],
    ["V?\r\n", "1.25\r\n"],
    ["V?\r", "1.25\r"],
    ["own?\r\n", "x\n"],
    ["own?", "x\n"],
    ["set\n", null],
    ["set", null],
    ["a\nb", "two"],
    ["v?\n", null],
    ["V?\n\n", null],
    ["V?V?\n", null],
    ["\n", null],
    ["", null],
  ];
  for (const [message, expected] of cases) assertEquals(answer(table, message), expected, message);
  assertEquals(answer(table, "other\r\n", "ERR"), "ERR\r\n");
  assertEquals(answer(table, "set\n", "ERR"), null);
  assertEquals(answer([String.raw`q\n=exact`, "q=short"], "q\n"), "exact");
  assertEquals(answer([String.raw`q\n=exact`, "q=short"], "q\r\n"), "short\r\n");
});

Deno.test("Replies reports queries that are not in the table and get no answer", () => {
  const unknown: string[] = [];
  const onUnknown = (query: Uint8Array) => void unknown.push(text(query));
  const replies = new Replies([parseReply("a=1"), parseReply("b=")], { onUnknown });
  for (const message of ["a\n", "b\n", "c\r\n", "\n", "x".repeat(1000)]) {
    replies.answer(bytes(message));
  }
  assertEquals(unknown, ["c", "x".repeat(1000)]);
});

Deno.test("parseReplies() reads a file with comments, and says which line is wrong", () => {
  const file =
    "\ufeff# instrument\r\n*IDN?=ACME,1\r\n\r\n  \n\\x23x=hash\nVOLT 3=\n#VOLT?=4\nVOLT?=3";
  assertEquals(
    parseReplies(file).map(({ query, answer }) => [text(query), text(answer)]),
    [["*IDN?", "ACME,1"], ["#x", "hash"], ["VOLT 3", ""], ["VOLT?", "3"]],
  );
  const wrong: [string, string][] = [
    ["a=1\n\nnothing\n", 'line 3, "nothing": expected QUERY=ANSWER'],
    ["# x\na=\\q", 'line 2, "a=\\\\q": Cannot read escape "\\q"'],
    ["a=1\nb=2\na=3", 'line 3, "a=3": the query is in line 1 already'],
  ];
  for (const [content, message] of wrong) {
    assertThrows(() => parseReplies(content), UsageError, message);
  }
});
