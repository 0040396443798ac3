import { assertEquals } from "@std/assert";
import { labwire } from "./run.ts";

const said: [word: string, hint: string][] = [
  ["json", 'did you mean "json-server" or "json-client"?'],
  ["struct", 'did you mean "struct-line"?'],
  ["struct-line-pack", 'did you mean "struct-line pack"?'],
  ["vilas-eco", 'did you mean "villas-echo"?'],
  ["echo", 'did you mean "villas-echo"?'],
  ["server", 'did you mean "json-server", "struct-line server" or "socket-server"?'],
  ["nosuch", "see labwire --help for those there are"],
];

for (const [word, hint] of said) {
  Deno.test(`labwire ${word} is refused, and what may have been meant is said`, async () => {
    const { code, stdout, stderr } = await labwire([word]);
    assertEquals([code, stdout, stderr], [2, "", `error: Unknown command "${word}": ${hint}\n`]);
  });
}

const refused: [args: string[], message: string][] = [
  [
    ["--config", "x"],
    'Cannot use option "--config" before a command: expected labwire COMMAND --config',
  ],
  [
    ["--debug", "--port=5", "x"],
    'Cannot use option "--port" before a command: expected labwire COMMAND --port',
  ],
  [["--debug", "x"], 'Unknown command "x": see labwire --help for those there are'],
  [["--config"], 'Unknown option "--config": see --help for those there are'],
  [
    ["socket-client", "-6", "x"],
    'Unknown option "-6": see --help for those there are; an argument that begins with "-" is written after "--"',
  ],
  [
    ["socket-client", "-qz", "x"],
    'Unknown option "-qz": see --help for those there are; an argument that begins with "-" is written after "--"',
  ],
  [
    ["lab19", "-V6"],
    'Unknown option "-V6": see --help for those there are; an argument that begins with "-" is written after "--"',
  ],
];

for (const [args, message] of refused) {
  Deno.test(`labwire ${args.join(" ")} is refused, and the option is blamed`, async () => {
    const { code, stdout, stderr } = await labwire(args);
    assertEquals([code, stdout], [2, ""]);
    assertEquals(
      stderr.split("\n")[0]!.replace(/^error: UsageError: /, "error: "),
      `error: ${message}`,
    );
  });
}

Deno.test("A negative number is an argument where numbers are expected", async () => {
  const { code, stdout } = await labwire(["struct-line", "pack", "!hd", "-3", "-inf"]);
  assertEquals([code, stdout], [0, "fffdfff0000000000000\n"]);
});

Deno.test("A misspelt value of a choice is told the nearest one", async () => {
  const { code, stderr } = await labwire(["doctor", "--output", "jsno"]);
  assertEquals([code, stderr], [
    2,
    'error: Cannot read --output "jsno": expected one of text, json; did you mean "json"?\n',
  ]);
});

Deno.test("lab19 speaks protobuf only, and says which commands speak the others", async () => {
  const { code, stderr } = await labwire(["lab19", "--format", "json"]);
  assertEquals([code, stderr], [
    2,
    'error: Cannot read --format "json": expected protobuf, the only format that the lab\'s client knows; villas-signal and ' +
    "villas-echo have the others, as in labwire villas-echo --format json and labwire villas-signal mixed --format json\n",
  ]);
});
