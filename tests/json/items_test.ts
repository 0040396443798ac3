import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { parseItems } from "../../lib/json/items.ts";

const files: Record<string, string> = {
  "a.txt": "line 1\nµ",
  "b.json": ' {"x": [1]}\n',
  "c": "\x80",
};

function readFile(path: string): Promise<Uint8Array> {
  const text = files[path];
  if (text === undefined) return Promise.reject(new Deno.errors.NotFound("gone"));
  return Promise.resolve(path === "c" ? new Uint8Array([0x80]) : new TextEncoder().encode(text));
}

const parse = (...words: string[]) => parseItems(words, readFile);

Deno.test("parseItems() reads texts, JSON values and files", async () => {
  assertEquals(
    await parse("test", "a=1", "b:=1.5", "c:=true", "d:=[1,{}]", "e=@a.txt", "f:=@b.json", "g="),
    {
      command_id: "test",
      a: "1",
      b: 1.5,
      c: true,
      d: [1, {}],
      e: "line 1\nµ",
      f: { x: [1] },
      g: "",
    },
  );
});

Deno.test("parseItems() cuts at the first sign only", async () => {
  assertEquals(await parse("url=http://host:=1?a=b", "x:y=1", "a==b", "t=a:=1"), {
    url: "http://host:=1?a=b",
    "x:y": "1",
    a: "=b",
    t: "a:=1",
  });
});

Deno.test("parseItems() takes signs literally behind a backslash, and leaves other backslashes alone", async () => {
  assertEquals(
    await parse(String.raw`a\=b=1`, String.raw`c\:=2`, String.raw`d=\@x`, String.raw`p=C:\lab\x`),
    { "a=b": "1", "c:": "2", d: "@x", p: String.raw`C:\lab\x` },
  );
});

Deno.test("parseItems() needs no command_id, and keeps long integers", async () => {
  assertEquals(await parse("n:=18446744073709551615"), { n: 18446744073709551615n });
});

Deno.test("parseItems() makes __proto__ a property like any other", async () => {
  const data = await parse("x", '__proto__:={"admin":true}');
  assertEquals(Object.keys(data), ["command_id", "__proto__"]);
  assertEquals((data as { admin?: boolean }).admin, undefined);
});

Deno.test("parseItems() says which word it cannot read, and why", async () => {
  const cases: [string[], string][] = [
    [["a", "b"], 'Cannot read argument "b": expected NAME=TEXT, NAME:=JSON or NAME=@FILE'],
    [["a:=[1"], 'Cannot read argument "a:=[1": Cannot parse JSON at byte 2'],
    [["a:=yes"], 'found "yes"'],
    [["=1"], 'expected a name before "="'],
    [["a=1", "a:=2"], '"a" is there twice'],
    [["x", "command_id=y"], '"command_id" is there twice'],
    [["a=@nope"], 'Cannot read argument "a=@nope": no such file "nope"'],
    [["a=@c"], "Cannot decode UTF-8 at byte 0"],
    [["a:=@a.txt"], "Cannot parse JSON at byte 0"],
  ];
  for (const [words, reason] of cases) {
    await assertRejects(() => parse(...words), UsageError, reason);
  }
});
