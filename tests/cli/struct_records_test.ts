import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { compileStruct, type StructInput } from "../../lib/codecs/struct/struct.ts";
import { structLinePack } from "../../lib/commands/struct_line/pack.ts";
import { structLineUnpack } from "../../lib/commands/struct_line/unpack.ts";
import { RecordReader, type RecordReaderOptions } from "../../lib/struct/record_reader.ts";
import { CodecError, UsageError } from "../../lib/errors.ts";
import { labwire, programCommand, start } from "./run.ts";
import { runCommand } from "./run_command.ts";
import { bareServer, client, readToEnd, serve } from "./struct_serve.ts";

/** What is read from lines, and which of them are no records. */
function read(
  format: string,
  text: string | Uint8Array[],
  options: Partial<RecordReaderOptions> = {},
): { records: StructInput[][]; bad: Record<number, string> } {
  const struct = compileStruct<string>(format, options);
  const records: StructInput[][] = [];
  const bad: Record<number, string> = {};
  const reader = new RecordReader(struct, { input: "auto", ...options }, {
    onRecord(values) {
      struct.pack(values);
      records.push(values);
    },
    onBad: ({ message }, line) => bad[line] = message,
  });
  const encoder = new TextEncoder();
  const lines = typeof text === "string"
    ? text.split("\n").map((line) => encoder.encode(line))
    : text;
  for (const line of lines) reader.push(line);
  reader.end();
  return { records, bad };
}

const names = (text: string) => ({ fields: text.split(",") });

Deno.test("what begins with [ or { is JSON, all else a row of CSV", () => {
  const lines = '[1,"a"]\n2,b\n\n {"n":3,"t":"c"}\n"4","d"\n5,[x]\n6,"a,""b"""';
  const { records, bad } = read("<H5s", lines, names("n,t"));
  assertEquals(bad, {});
  assertEquals(
    records.map(([n, t]) => `${n}${t}`),
    ["1a", "2b", "3c", "4d", "5[x]", '6a,"b"'],
  );
  assertEquals(Object.keys(read("<H", "1\n[2]", { input: "csv" }).bad), ["2"]);
  assertEquals(Object.keys(read("<H", "1\n[2]", { input: "json" }).bad), ["1"]);
  assertEquals(read("5s", "[a]", { input: "csv" }).records, [["[a]"]]);
  // A row's first cell that would be taken for JSON is quoted where labwire writes it.
  assertEquals(read("5s", '"[a]"').records, [["[a]"]]);
});

Deno.test("a header names the columns, in whatever order and wherever it stands", () => {
  const options = names("n,v*2");
  const cases: [string, string[]][] = [
    ["n,v[0],v[1]\n1,2,3", ["1,2,3"]],
    ["\ufeffn,v[0],v[1]\r\n1,2,3\r\n", ["1,2,3"]],
    ['v[1],"n",v[0]\n3,1,2', ["1,2,3"]],
    ["time,n,v[0],v[1]\nwhenever,1,2,3", ["1,2,3"]],
    ["v[1],v[0],n,time\n3,2,1,x", ["1,2,3"]],
    ["2026-10-05T12:34:56.789012Z,1,2,3\n4,5,6", ["1,2,3", "4,5,6"]],
    ["2026-10-05 12:34:56+02:00,1,2,3", ["1,2,3"]],
    // Two logs, one after the other.
    ["n,v[0],v[1]\n1,2,3\ntime,v[1],v[0],n\n0,3,2,1", ["1,2,3", "1,2,3"]],
  ];
  for (const [text, expected] of cases) {
    const { records, bad } = read("<I2d", text, options);
    assertEquals([records.map(String), bad], [expected, {}], text);
  }
  // Names that are values, too, are a header in the first row only.
  assertEquals(read("s", "a\nb\na", names("a")).records, [["b"], ["a"]]);
  const { records, bad } = read("<I2d", "time,v[1],v[0],n\n3,2,1", options);
  assertEquals([records.length, bad], [0, {
    2: "Cannot read record: expected 4 columns, as the header has, got 3",
  }]);
});

Deno.test("a line that is no record is told with its number, and what may help", () => {
  const cases: [string, string, Partial<RecordReaderOptions>, Record<number, RegExp>][] = [
    ["<Hd", "n,volts\n1,2", {}, {
      1: /"n" is not an integer; if it is a header, use --fields n,volts$/,
    }],
    ["<Hd", "x,1\n1,2", {}, { 1: /"x" is not an integer$/ }],
    ["<Hd", "1,2\nn,volts", {}, { 2: /"n" is not an integer$/ }],
    ["<Hd", "1;2\n[1\n1,2", {}, { 1: /expected 2 values with commas/, 2: /Cannot parse JSON/ }],
    ["<Hd", "1,x\n1,2", names("n,v"), { 1: /^Cannot pack field "v" \("d" in "<Hd"\): "x" is not/ }],
    ["<H", '1\n"2\n3', {}, { 2: /quotes that open in this row are not closed/ }],
    ["<H5s", '1,a\n2,"b"c\n3,c', {}, { 2: /expected a comma after the quotes/ }],
  ];
  for (const [format, text, options, expected] of cases) {
    const { records, bad } = read(format, text, options);
    assertEquals(Object.keys(bad), Object.keys(expected), text);
    for (const [line, pattern] of Object.entries(expected)) {
      assertMatch(bad[Number(line)]!, pattern);
    }
    assertEquals(records.length, text.split("\n").length - Object.keys(bad).length);
  }
  const latin1 = [Uint8Array.of(0x31, 0x2c, 0xb5), new TextEncoder().encode("2,µ")];
  assertEquals(read("<H5s", latin1), {
    records: [[2n, "µ"]],
    bad: {
      1: "Cannot decode UTF-8 at byte 2: no character starts with 0xb5; save the file as UTF-8",
    },
  });
});

Deno.test("a quoted cell may have newlines in it; quotes that are never closed cost no other row", () => {
  assertEquals(read("<H20s", '1,"a\nb"\n2,c').records, [[1n, "a\nb"], [2n, "c"]]);
  assertEquals(read("<H20s", '1,"a\n\n""b"",\n"\n2,c').records, [[1n, 'a\n\n"b",\n'], [2n, "c"]]);
  const rows = Array.from({ length: 2000 }, (_, i) => `${i},row ${i}`);
  for (const at of [0, 1000, 1990, 1999]) {
    for (const [broken, bad] of [['7,"never', 1], ['7,"never\n8,"x', 2]] as const) {
      const told = read("<H20s", rows.with(at, broken).join("\n"));
      assertEquals(Object.keys(told.bad).length, bad, broken);
      assertEquals(Object.keys(told.bad)[0], `${at + 1}`);
      assertEquals(told.records.length, 1999);
    }
  }
});

Deno.test("input of any content takes no longer than its length", () => {
  const rows = (line: string) => Array.from({ length: 10_000 }, () => line).join("\n");
  const cases: Record<string, string> = {
    "good rows": rows("1,a"),
    "quotes that are not closed": rows('1,"a'),
    "quotes in one line of two": rows('1,"a\nb'),
    "quotes now and then": rows(`1,"a\n${"x\n".repeat(50)}y`).slice(0, 50_000),
    "pairs of quotes": rows('""""'),
    "one long line": "1,".repeat(250_000),
    "one long cell": "x".repeat(1_000_000),
    "one long cell in quotes": `"${'""'.repeat(500_000)}`,
  };
  for (const [name, text] of Object.entries(cases)) {
    const start = performance.now();
    read("<H20s", text);
    const seconds = (performance.now() - start) / 1000;
    assert(seconds < 10, `${name}: ${seconds} s`);
  }
});

Deno.test("struct-line unpack and pack take each other's output, as JSON and as CSV, with arrays", async () => {
  const struct = compileStruct("<I4d2?6s");
  const args = ["<I4d2?6s", "--fields", "n,arr*4,on*,text"];
  const texts = ["a,b", 'say "', "a\nb", "\x1b[2J", "", " x "];
  const packed = texts.map((text, i) => {
    return struct.pack([i, 0.1, -0, i % 2 ? NaN : Infinity, 5e-324, true, false, text]).toHex();
  });
  const input = packed.join("\n") + "\n";
  const json = await runCommand(structLineUnpack, args, input);
  assertEquals(
    json.split("\n")[0],
    '{"n":0,"arr":[0.1,-0.0,"Infinity",5e-324],"on":[true,false],"text":"a,b"}',
  );
  const csv = await runCommand(structLineUnpack, [...args, "--output", "csv"], input);
  assertEquals(csv.split("\n").slice(0, 3), [
    "n,arr[0],arr[1],arr[2],arr[3],on[0],on[1],text",
    '0,0.1,-0.0,Infinity,5e-324,true,false,"a,b"',
    '1,0.1,-0.0,NaN,5e-324,true,false,"say """',
  ]);
  for (const text of [json, csv]) assertEquals(await runCommand(structLinePack, args, text), input);
  assertEquals(await runCommand(structLineUnpack, [...args, "--output", "hex"], input), input);
  assertEquals(await runCommand(structLineUnpack, [...args, "--output", "none"], input), "");
  const typed = ["<I4d", "--fields", "n,arr*4"];
  assertEquals(
    await runCommand(structLinePack, [...typed, "1", "2", "3", "4", "5"]),
    compileStruct("<I4d").pack([1, 2, 3, 4, 5]).toHex() + "\n",
  );
  await assertRejects(
    () => runCommand(structLinePack, [...typed, "1", "2", "3", "x", "5"]),
    CodecError,
    'Cannot pack field "arr[2]" ("d" in "<I4d"): "x" is not a number',
  );
  await assertRejects(
    () => runCommand(structLinePack, typed, '[1,[2,3,4,5]]\n{"n":1,"arr":[1,2,true,"x"]}\n'),
    CodecError,
    'Line 2: Cannot pack field "arr[3]" ("d" in "<I4d"): "x" is not a number',
  );
});

Deno.test("struct-line pack and unpack refuse what does not go together", async () => {
  const cases: [() => Promise<string>, string][] = [
    [
      () => runCommand(structLinePack, ["<H", "--input", "csv", "1"]),
      "Cannot pack both VALUE and --input: expected one of them",
    ],
    [
      () => runCommand(structLineUnpack, ["<H", "--input", "raw", "0100"]),
      "Cannot unpack both --input raw and HEX: expected one of them",
    ],
    [
      () => runCommand(structLineUnpack, ["<I4d", "--fields", "n,arr*3", "00"]),
      "it has 5 values, the names stand for 4; n,arr*4 would fit",
    ],
    [() => runCommand(structLinePack, ["20000000b", "1"]), "it has 20000000 values, more than"],
  ];
  for (const [action, message] of cases) await assertRejects(action, UsageError, message);
  await assertRejects(
    () => runCommand(structLineUnpack, ["<H"], "0100\n01\n"),
    CodecError,
    'Line 2: Cannot unpack "<H": expected 2 bytes, got 1',
  );
  const long = await assertRejects(
    () => runCommand(structLineUnpack, ["<H"], `${"ab".repeat(500_000)}x`),
    CodecError,
    "expected an even number of digits",
  ).catch((error) => error);
  assert(String(long).length < 300);
  // More items than a call can have arguments.
  const table = await labwire(["struct-line", "size", "--layout", `<${"b".repeat(120_000)}`]);
  assertEquals([table.code, table.stdout.split("\n").length], [0, 120_003]);
});

/** What a program prints, as bytes. */
async function bytesOf(args: string[]): Promise<Uint8Array> {
  const [program, before] = programCommand();
  const { stdout } = await new Deno.Command(program, { args: [...before, ...args] }).output();
  return stdout;
}

Deno.test("struct-line client --output raw prints the bytes as they came", async () => {
  using server = bareServer();
  const all = new Uint8Array(42 * 20_000).map((_, i) => (i * 7) % 256);
  const args = ["--format", "!I30sd", "--output", "raw", "--quiet"];
  const printed = bytesOf([
    "struct-line",
    "client",
    "--host",
    "127.0.0.1",
    "--port",
    server.port,
    ...args,
  ]);
  const conn = await server.accept();
  const writer = conn.writable.getWriter();
  for (let at = 0; at < all.length; at += 9999) await writer.write(all.slice(at, at + 9999));
  await writer.close();
  assertEquals((await printed).toHex(), all.toHex());
});

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`;

Deno.test("struct-line --timestamps says when records arrived, and they can be sent again", async () => {
  const format = ["--format", "<H3s"];
  const named = ["--fields", "n,time"];
  const forms: [string[], RegExp][] = [
    [[], new RegExp(`^\\["${TIME}",1,"a"\\]\n\\["${TIME}",2,"b,c"\\]\n$`)],
    [
      named,
      new RegExp(
        `^{"_time":"${TIME}","n":1,"time":"a"}\n{"_time":"${TIME}","n":2,"time":"b,c"}\n$`,
      ),
    ],
    [["--output", "csv"], new RegExp(`^${TIME},1,a\n${TIME},2,"b,c"\n$`)],
    [
      [...named, "--output", "csv"],
      new RegExp(`^_time,n,time\n${TIME},1,a\n${TIME},2,"b,c"\n$`),
    ],
  ];
  for (const [options, expected] of forms) {
    const args = [...format, ...options];
    await using server = await serve([...args, "--timestamps", "--count", "2"]);
    const before = Date.now();
    await server.client(format, { input: '[1,"a"]\n[2,"b,c"]\n' });
    const { stdout } = await server.program.result();
    assertMatch(stdout, expected);
    const arrived = Date.parse(new RegExp(TIME).exec(stdout)![0]);
    assert(arrived >= before - 10 && arrived <= Date.now() + 10, `${before} ${stdout}`);

    using again = bareServer();
    await using sender = client(again.port, args, { stdin: "piped" });
    const conn = await again.accept();
    await sender.write(stdout);
    await sender.closeInput();
    assertEquals(await readToEnd(conn), "0100610000" + "0200622c63", options.join(" "));
    const { code, stderr } = await sender.result();
    assertEquals([code, stderr.includes("warning")], [0, false], stderr);
  }
  for (const output of ["hex", "raw", "none"]) {
    const { code, stderr } = await labwire(
      ["struct-line", "server", "--timestamps", "--output", output],
    );
    assertEquals(code, 2);
    assertStringIncludes(stderr, `Cannot use --timestamps with --output ${output}: expected`);
  }
});

Deno.test("the time of arrival is that of the bytes, not of their handling", async () => {
  const slow = `export default () => new Promise((resolve) => setTimeout(resolve, 300));`;
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  try {
    await Deno.writeTextFile(`${folder}/slow.js`, slow);
    const handler = ["--handler", `${folder}/slow.js`];
    await using server = await serve(["--format", "B", "--timestamps", "--count", "3", ...handler]);
    using conn = await server.connect();
    await conn.write(Uint8Array.of(1, 2, 3));
    const { stdout } = await server.program.result();
    const times = [...stdout.matchAll(new RegExp(TIME, "g"))].map(([time]) => Date.parse(time));
    assertEquals(times.length, 3);
    assert(times[2]! - times[0]! < 300, stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("struct-line --exec gets arrays as arrays, and answers so", async () => {
  const program = `"${Deno.execPath()}" eval ` +
    `"for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) ` +
    `console.log(text.trim().replace('\\"n\\":1', '\\"n\\":2'))"`;
  const args = ["--format", "<I2d", "--fields", "n,arr*"];
  await using server = await serve([...args, "--exec", program]);
  const { code, stdout, stderr } = await server.client(
    [...args, "--count", "1"],
    { input: "1,0.5,-0.0\n" },
  );
  assertEquals([code, stdout], [0, '{"n":2,"arr":[0.5,-0.0]}\n'], stderr + server.program.stderr);
});

Deno.test("struct-line client writes no text from outside raw to a terminal", async () => {
  for (const output of ["json", "csv"]) {
    using server = bareServer();
    const args = ["--format", "12s", "--output", output, "--count", "3"];
    await using program = start(
      ["struct-line", "client", "--host", "127.0.0.1", "--port", server.port, ...args],
    );
    const conn = await server.accept();
    for (const text of ["\x1b[2J\x07", "a\u009b\x7f", "\u202eb\u2066"]) {
      const record = new Uint8Array(12);
      new TextEncoder().encodeInto(text, record);
      await conn.write(record);
    }
    const { stdout } = await program.result();
    conn.close();
    assertMatch(stdout.replaceAll("\n", ""), /^[^\p{Cc}\p{Cf}]*$/u);
    assertEquals(stdout.split("\n").length, 4);
  }
});
