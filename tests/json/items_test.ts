import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { itemsToJson, parseJsonItems } from "../../lib/json/items.ts";

const files: Record<string, string> = {
  "a.txt": "line 1\nµ",
  "b.json": ' {"x": [1]}\n',
  "c": "\x80",
  "n.json": "[10.0,\n18446744073709551616.0]",
};

function readFile(path: string): Promise<Uint8Array> {
  const text = files[path];
  if (text === undefined) return Promise.reject(new Deno.errors.NotFound("gone"));
  return Promise.resolve(path === "c" ? new Uint8Array([0x80]) : new TextEncoder().encode(text));
}

const parse = (...words: string[]) => parseJsonItems(words, readFile);

Deno.test("parseJsonItems() reads texts, JSON values and files", async () => {
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

Deno.test("parseJsonItems() cuts at the first sign only", async () => {
  assertEquals(await parse("url=http://host:=1?a=b", "x:y=1", "a==b", "t=a:=1"), {
    url: "http://host:=1?a=b",
    "x:y": "1",
    a: "=b",
    t: "a:=1",
  });
});

Deno.test("parseJsonItems() takes signs literally behind a backslash, and leaves other backslashes alone", async () => {
  assertEquals(
    await parse(String.raw`a\=b=1`, String.raw`c\:=2`, String.raw`d=\@x`, String.raw`p=C:\lab\x`),
    { "a=b": "1", "c:": "2", d: "@x", p: String.raw`C:\lab\x` },
  );
});

Deno.test("parseJsonItems() nests names with brackets as HTTPie does", async () => {
  const cases: [string[], string][] = [
    [
      ["x", "cfg[gain]:=1.0", "cfg[mode]=fast"],
      '{"command_id":"x","cfg":{"gain":1.0,"mode":"fast"}}',
    ],
    [["a[b][c]=x", "a[b][d]:=[2]"], '{"a":{"b":{"c":"x","d":[2]}}}'],
    [["list[]:=1", "list[]:=2", "list[]=c"], '{"list":[1,2,"c"]}'],
    [["list[2]:=1", "list[0]:=3", "list[]:=4"], '{"list":[3,null,1,4]}'],
    [["a[0][n]:=1", "a[0][m]:=2", "a[1][]=x"], '{"a":[{"n":1,"m":2},["x"]]}'],
    [[String.raw`a[\0]=x`, String.raw`a[\-1]=y`], '{"a":{"0":"x","-1":"y"}}'],
    [
      [String.raw`a\[b\]=1`, String.raw`c[d\]e]=2`, String.raw`f[g\=h\:i]=3`],
      '{"a[b]":"1","c":{"d]e":"2"},"f":{"g=h:i":"3"}}',
    ],
    [["url=a[b]", "v:=[1]", "x y[z]=1"], '{"url":"a[b]","v":[1],"x y":{"z":"1"}}'],
    [["__proto__[admin]:=true"], '{"__proto__":{"admin":true}}'],
    [[String.raw`C:\lab[a\b]=1`], String.raw`{"C:\\lab":{"a\\b":"1"}}`],
    [[String.raw`a\\[b=1`], String.raw`{"a\\[b":"1"}`],
  ];
  for (const [words, json] of cases) {
    assertEquals([words, await itemsToJson(words, readFile)], [words, json]);
  }
  assertEquals(await parse("cfg[gain]:=1", "cfg[list][]:=2"), { cfg: { gain: 1, list: [2] } });
});

Deno.test("itemsToJson() keeps every number as it was written", async () => {
  assertEquals(
    await itemsToJson([
      "x",
      "v:=1.0",
      "w:=1e400",
      "z:=-0.0",
      'n:= [1.50, {"a": 1E5}]',
      "f:=@n.json",
      "2:=1",
    ], readFile),
    '{"command_id":"x","v":1.0,"w":1e400,"z":-0.0,"n":[1.50,{"a":1E5}],"f":[10.0,18446744073709551616.0],"2":1}',
  );
});

Deno.test("parseJsonItems() needs no command_id, and keeps long integers", async () => {
  assertEquals(await parse("n:=18446744073709551615"), { n: 18446744073709551615n });
});

Deno.test("parseJsonItems() makes __proto__ a property like any other", async () => {
  const data = await parse("x", '__proto__:={"admin":true}');
  assertEquals(Object.keys(data), ["command_id", "__proto__"]);
  assertEquals((data as { admin?: boolean }).admin, undefined);
});

Deno.test("parseJsonItems() says which word it cannot read, and why", async () => {
  const cases: [string[], string][] = [
    [["a", "b"], 'Cannot read argument "b": expected NAME=TEXT, NAME:=JSON or NAME=@FILE'],
    [["a:=[1"], 'Cannot read argument "a:=[1": Cannot parse JSON at byte 2'],
    [["a:=yes"], 'found "yes"'],
    [["=1"], 'expected a name before "="'],
    [["a=1", "a:=2"], '"a" is given twice'],
    [["x", "command_id=y"], '"command_id" is given twice'],
    [["a=@nope"], 'Cannot read argument "a=@nope": no such file "nope"'],
    [["a=@c"], "Cannot decode UTF-8 at byte 0"],
    [["a:=@a.txt"], "Cannot parse JSON at byte 0"],
    [["a:=[1,1e400]"], 'Cannot read argument "a:=[1,1e400]": Cannot parse JSON at byte 3'],
    [
      ["a[b=1"],
      'Cannot read argument "a[b=1": expected brackets in pairs, as in a[b][c], found "[b"',
    ],
    [["[x]=1"], 'expected a name before "[x]"'],
    [[String.raw`a[b\]=1`], "expected brackets in pairs"],
    [["a]=1"], 'found "]"; write \\[ and \\] for those of a name'],
    [["a[b]c=1"], 'found "c"'],
    [["a[b[c]]=1"], 'found "[b[c]]"'],
    [["a[-1]=1"], 'expected an index from 0, found "-1"; write \\-1 for a name'],
    [["a[10000]=1"], 'expected an index up to 9999, found "10000"'],
    [[`a${"[b]".repeat(600)}=1`], "it nests deeper than 500 levels"],
    [["a=1", "a[b]=2"], 'Cannot read argument "a[b]=2": "a" has a value already, from "a=1"'],
    [["a[b]=1", "a=2"], '"a" is given twice, also in "a[b]=1"'],
    [["a[b]=1", "a[b]:=2"], '"a[b]" is given twice, also in "a[b]=1"'],
    [
      ["a[b][c]=1", "a[b][]=2"],
      '"a[b]" is an object, from "a[b][c]=1": expected a name in the brackets',
    ],
    [
      ["a[]=1", "a[b]=2"],
      '"a" is a list, from "a[]=1": expected an index in the brackets, or nothing',
    ],
    [["a[]=1", "a[0]=2"], '"a[0]" is given twice, also in "a[]=1"'],
  ];
  for (const [words, reason] of cases) {
    await assertRejects(() => parse(...words), UsageError, reason);
  }
});
