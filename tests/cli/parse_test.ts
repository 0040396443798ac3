import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { commandHelp } from "../../lib/cli/help.ts";
import {
  address,
  beside,
  choice,
  flag,
  integer,
  list,
  number,
  numbers,
  type OptionTable,
  port,
  seconds,
  several,
  text,
} from "../../lib/cli/options.ts";
import { globalOptions, kebab, parseOptions } from "../../lib/cli/parse.ts";
import { registry } from "../../lib/commands/registry.ts";
import { splitCommandLine } from "../../lib/process/command_line.ts";
import { UsageError } from "../../lib/errors.ts";
import { nearest } from "../../lib/text/nearest.ts";

const table = {
  listen: address({ default: "0.0.0.0:1", help: "Where" }),
  replyTo: choice(["remote", "sender"], { default: "remote", help: "Who" }),
  count: integer({ min: 1, help: "How many" }),
  gain: number({ default: 1, help: "Gain" }),
  phases: numbers({ default: [0], help: "Phases" }),
  allow: list({ default: [], help: "Who may" }),
  port: port({ default: 1, help: "Port" }),
  wait: seconds({ default: 1, help: "Wait" }),
  name: text({ help: "Name" }),
  stats: flag({ help: "Stats" }),
  noRealtime: flag({ help: "Not paced" }),
  channel: several(integer({ max: 9, help: "A channel" })),
} satisfies OptionTable;

Deno.test("parseOptions() gives every option its default", () => {
  const { options, args, given } = parseOptions(table, []);
  assertEquals(options, {
    listen: { hostname: "0.0.0.0", port: 1 },
    replyTo: "remote",
    count: undefined,
    gain: 1,
    phases: [0],
    allow: [],
    port: 1,
    wait: 1,
    name: undefined,
    stats: false,
    noRealtime: false,
    channel: [],
  });
  assertEquals([args, given.size], [[], 0]);
});

Deno.test("parseOptions() understands what an option is called elsewhere, and the help says it", () => {
  const named = { remote: { ...text({ help: "Who" }), also: "to" }, echo: flag({ help: "Echo" }) };
  for (const argv of [["--to", "a"], ["--to=a"], ["--remote", "a"], ["--to", "b", "--remote=a"]]) {
    const { options, given } = parseOptions(named, [...argv, "--echo", "--", "--to"]);
    assertEquals([options.remote, [...given]], ["a", ["remote", "echo"]]);
  }
  assertThrows(() => parseOptions(named, ["--to"]), UsageError, "expected --remote TEXT");
  const usage = {
    name: "x",
    summary: "x",
    options: named,
    examples: [],
    run: () => Promise.resolve(),
  };
  assertStringIncludes(commandHelp(usage), "Who (also --to)");
});

Deno.test("parseOptions() collects the values of an option that may be given several times", () => {
  const { options, given } = parseOptions(table, ["--channel", "3", "--stats", "--channel=1"]);
  assertEquals([options.channel, [...given]], [[3, 1], ["stats", "channel"]]);
  assertThrows(
    () => parseOptions(table, ["--channel", "3", "--channel", "10"]),
    UsageError,
    'Cannot read --channel "10": expected a whole number of at most 9',
  );
});

Deno.test("parseOptions() takes values behind a space and behind an equals sign, negative ones too", () => {
  for (const line of [["--gain", "-1.5", "--phases", "-1,2"], ["--gain=-1.5", "--phases=-1,2"]]) {
    const { options, given } = parseOptions(table, line);
    assertEquals([options.gain, options.phases], [-1.5, [-1, 2]]);
    assertEquals([...given], ["gain", "phases"]);
  }
  assertEquals(parseOptions(table, ["--name="]).options.name, "");
  assertEquals(parseOptions(table, ["--name", "a=b"]).options.name, "a=b");
  assertEquals(parseOptions(table, ["--name", "1.0"]).options.name, "1.0");
  assertEquals(parseOptions(table, ["--count", "1", "--count", "2"]).options.count, 2);
});

Deno.test("parseOptions() tells flags from arguments", () => {
  const { options, args } = parseOptions(table, [
    "a",
    "--stats",
    "true",
    "-5",
    "--no-realtime",
    "-",
    "--",
    "--x",
    "-h",
  ], true);
  assertEquals([options.stats, options.noRealtime], [true, true]);
  assertEquals(
    parseOptions(table, ["--no-realtime=false", "--stats=true"]).options.noRealtime,
    false,
  );
  assertEquals(args, ["a", "true", "-5", "-", "--x", "-h"]);
});

Deno.test("parseOptions() refuses an option that has no effect without another one", () => {
  const keep = beside(["record", "recordSent", "elsewhere"], integer({ help: "How many" }));
  const table = { record: text({ help: "Where" }), recordSent: text({ help: "Where" }), keep };
  for (const record of ["--record", "--record-sent"]) {
    assertEquals(parseOptions(table, ["--keep", "3", record, "a"]).options.keep, 3);
  }
  const why = "Cannot use --keep without --record or --record-sent: expected one of them";
  assertThrows(() => parseOptions(table, ["--keep", "3"]), UsageError, why);
  const { record, recordSent: _, ...alone } = table;
  const both = "Cannot use --keep without --record: expected both";
  assertThrows(() => parseOptions({ record, keep }, ["--keep", "3"]), UsageError, both);
  assertEquals(parseOptions({ keep: alone.keep }, ["--keep", "3"]).options.keep, 3);
});

Deno.test("parseOptions() says what is wrong", () => {
  const wrong: [string[], string][] = [
    [["--lisen", ":1"], 'Unknown option "--lisen": did you mean "--listen"?'],
    [["--xyzzy"], 'Unknown option "--xyzzy": see --help for those there are'],
    [
      ["-x"],
      'Unknown option "-x": see --help for those there are; an argument that begins with "-" is written after "--"',
    ],
    [["-6"], 'Unknown option "-6": see --help for those there are; an argument that begins'],
    [["--count", "1", "-1.5e3"], 'Unknown option "-1.5e3"'],
    [["-inf"], 'Unknown option "-inf"'],
    [["--a.b=1"], 'Unknown option "--a.b"'],
    [["--__proto__=1"], 'Unknown option "--__proto__"'],
    [["--count"], "Cannot read option --count: expected --count N"],
    [["--count", "--stats"], "Cannot read option --count: expected --count N"],
    [["--count", "1.5"], 'Cannot read --count "1.5": expected a whole number of at least 1'],
    [["--count", "0"], "of at least 1"],
    [["--count", "99999999999999999999"], "expected a whole number from 1 to 9007199254740991"],
    [["--stats=nonsense"], 'Cannot read --stats "nonsense": expected true, false, or nothing'],
    [["--gain", "1e999"], "expected a number"],
    [["--gain", "0x10"], "expected a number"],
    [["--gain="], "expected a number"],
    [["--port", "65536"], "expected a whole number from 0 to 65535"],
    [["--wait", "-1"], "expected a number from 0 to 2147483"],
    [["--reply-to", "me"], 'Cannot read --reply-to "me": expected one of remote, sender'],
    [
      ["--reply-to", "sendre"],
      'Cannot read --reply-to "sendre": expected one of remote, sender; did you mean "sender"?',
    ],
    [["--listen", "12001x"], 'Cannot parse address "12001x": expected "HOST:PORT"'],
  ];
  for (const [line, message] of wrong) {
    const error = assertThrows(() => parseOptions(table, line), UsageError, message);
    assert(!/\.$/.test(error.message), error.message);
  }
});

Deno.test("every command's help shows all of its options and examples that parse", async () => {
  for (const [name, load] of Object.entries(registry)) {
    const command = await load();
    assertEquals(command.name, name);
    const help = commandHelp(command);
    for (const [option, { help: text }] of Object.entries(command.options)) {
      assertStringIncludes(help, `--${kebab(option)}`);
      assert(/^[A-Z“]/.test(text) && !text.endsWith("."), `${name} --${kebab(option)}: ${text}`);
    }
    assert(command.examples.length > 0, `${name} has examples`);
    for (const { command: line } of command.examples) {
      const [, rest] = line.split(`labwire ${name}`);
      assert(rest !== undefined, `${name}: ${line}`);
      if (!line.startsWith("labwire")) continue; // part of a longer command line
      const words = splitCommandLine(rest.split(/ [|<>] /)[0]!.trim() || "none");
      parseOptions({ ...command.options, ...globalOptions }, rest.trim() === "" ? [] : words);
    }
    assert(help.split("\n").every((line) => line.length <= 120), `${name}: ${help}`);
  }
});

Deno.test("nearest() finds what was meant, and nothing where nothing is near", () => {
  assertEquals(nearest("villas-eco", ["villas-echo", "json-server"]), "villas-echo");
  assertEquals(nearest("json-s", ["json-server", "json-client"]), "json-server");
  assertEquals(nearest("json", ["json-server", "json-client"]), undefined);
  assertEquals(nearest("", ["a"]), "a");
  assertEquals(nearest("zzzzzz", ["listen", "remote"]), undefined);
  assertEquals(nearest("tcsh", ["bash", "zsh", "fish"]), undefined);
  assertEquals(nearest("hlep", ["help"]), "help");
});
