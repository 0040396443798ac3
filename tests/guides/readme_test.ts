/** Tries out the README's table of what to type, each command with what it needs on the other side. */

import { assert, assertEquals } from "@std/assert";
import { needs } from "../interop/peer.ts";
import { type Block, readSections, type Section } from "./document.ts";
import { documents, readme } from "./documents.ts";
import { runSection } from "./run_section.ts";
import { makeWorld } from "./world.ts";

/** What to type, by what one wants. */
const commands: ReadonlyMap<string, string> = new Map(
  readme.text.split("\n")
    .map((row) => /^\| ([^|]*?) +\| `(labwire [^`]*|\w+=\$\(labwire [^`]*)` +\|/.exec(row))
    .filter((match) => match !== null)
    .map(([, want, command]) => [want!, command!]),
);

/** What appears when a server is ready. */
const READY = "…\nReady. Ctrl-C to quit.\n…\n";
/** A terminal, what is typed there, and what appears. */
type Terminal = readonly (readonly [typed: string, appears: string])[];

/** The programs that the scenes need: those of the guide that the table names. */
const files: readonly Block[] = readSections(
  documents.find(({ name }) => name === "guide python")!.text,
)
  .flatMap(({ blocks }) => blocks)
  .filter(({ file }) => ["supply.py", "double.py"].includes(file ?? ""));

/** Has `--open` note the address rather than open a browser. */
const BROWSER = [
  "printf '#!/bin/sh\\necho \"$1\" > opened\\n' > xdg-open; chmod +x xdg-open; PATH=$PWD:$PATH",
  "",
] as const;
/** Shows that the address was opened, and that there is a page. */
const OPENED = [
  ["until [ -s opened ]; do sleep 0.1; done", ""],
  [
    "python3 -c \"import urllib.request as u; print(u.urlopen(open('opened').read()).status)\"",
    "200\n",
  ],
] as const;

/** The terminals on which a command is shown to work; in its place stands `@`, or its name with `@` before. */
const scenes: Readonly<Record<string, readonly Terminal[]>> = {
  "ask an instrument": [
    [["@stand in for an instrument", READY]],
    [["@", "Starting client...\nReceived: b'ACME,PSU-3\\n'\n"]],
  ],
  "stand in for an instrument": [
    [["@", READY]],
    [["printf 'VOLT?\\n' | nc -N localhost 5025", "1.25\n"]],
  ],
  "put Python functions behind a port": [
    [["@", READY]],
    [["@call them", "Server reported success.\n"]],
  ],
  "call them": [
    [["labwire json-server", READY]],
    [["@", "Server reported success.\n"]],
  ],
  "see which there are": [
    [["@put Python functions behind a port", READY]],
    [["@", "…\nget_voltage() -> float\n"]],
  ],
  "call them from Python": [
    [["@", ""], ["python3 -c 'import labwire_client'", ""]],
  ],
  "receive structs from C or numpy": [
    [["@", '…\nReady. Ctrl-C to quit.\n…\n{"n":1,"volts":0.5}\n…\n']],
    [["@send a struct", "Connected with server.\n…\n"]],
  ],
  "send a struct": [
    [["@receive structs from C or numpy", READY]],
    [["@", "Connected with server.\n…\n"]],
  ],
  "answer VILLASnode": [
    [["@", '…\nReady. Ctrl-C to quit.\n{"ts": …\n…\n']],
    [["@stand in for VILLASnode", "…\n5 sent, 5 returned, 0 lost, 0 changed\n…\n"]],
  ],
  "stand in for VILLASnode": [
    [["labwire villas-echo --output none", READY]],
    [["@", "…\n5 sent, 5 returned, 0 lost, 0 changed\n…\n"]],
  ],
  "have any numbers drive VILLASnode": [
    [["labwire villas-echo --listen :12000 --remote 127.0.0.1:12001 --output none", READY]],
    [["printf 'u,i\\n1,2\\n' > table.csv", ""], ["@", "…\n1 sent, 1 received\n"]],
  ],
  "watch what a device sends": [
    [["@", "…\nReady. Ctrl-C to quit.\n…\n00000000  61 62 63  …|abc|\n…\n"]],
    [["labwire socket-client --udp --port 9000 --no-answer abc", "Starting client...\n"]],
  ],
  "record samples": [
    [["@", READY]],
    [
      ["@stand in for VILLASnode", "…\n5 sent, 5 returned, 0 lost, 0 changed\n…\n"],
      ["sleep 1; wc -l < run.dat", "6\n"],
    ],
  ],
  "convert samples, also out of pcap": [
    [
      ["printf '1.5(1)\\t2.5\\n' > run.dat", ""],
      ["@", "Converted 1 sample\n"],
      ["tail -n 1 run.csv", "1,000000005,nan,1,2.50000000000000000\n"],
    ],
  ],
  "record structs, with their times": [
    [["@", READY]],
    [
      ["@send a struct", "Connected with server.\n…\n"],
      ["sleep 1; cat log.csv", "time,n,volts\n2026-10-05T12:34:56.789012Z,1,0.5\n"],
    ],
  ],
  "replay structs": [
    [["labwire struct-line server --format '<Id' --echo --output none < /dev/null", READY]],
    [
      ["printf 'time,n,volts\\n2026-10-05T12:34:56.789012Z,1,0.5\\n' > log.csv", ""],
      ["@", '…\n{"n":1,"volts":0.5}\n…\n'],
    ],
  ],
  "replay commands": [
    [["labwire json-server --output none", READY]],
    [
      [
        'printf \'{"time":"2026-11-21T14:01:07.257Z","data":{"command_id":"on"}}\\n\' > commands.jsonl',
        "",
      ],
      ["@", '{"status":"success"}\n'],
    ],
  ],
  "replay samples": [
    [["labwire villas-echo --output none", READY]],
    [
      ["printf '1.5(1)\\t2.5\\n1.6(2)\\t3.5\\n' > run.dat", ""],
      ["@", "…\n2 sent, 2 returned, 0 lost, 0 changed\n…\n"],
    ],
  ],
  "look at a recording in the browser": [
    [["printf '1.5(1)\\t2.5\\n' > run.dat", ""], BROWSER, ["@", READY]],
    OPENED,
  ],
  "see signals in the browser": [
    [BROWSER, ["@", READY]],
    OPENED,
  ],
  "see signals in the terminal": [
    [["@", "…\nReady. Ctrl-C to quit.\n…\nlive, 10 s, …\n…\n"]],
  ],
  "answer it in its default format": [
    [["@", '…\nReady. Ctrl-C to quit.\n{"ts": …\n…\n']],
    [[
      "labwire villas-signal mixed --values 5 --limit 5 --format villas.binary",
      "…\n5 sent, 5 returned, 0 lost, 0 changed\n…\n",
    ]],
  ],
  "compute the replies in Python": [
    [["@", '…\nReady. Ctrl-C to quit.\n{"ts": …\n…\n']],
    [["@stand in for VILLASnode", "…\n5 sent, 5 returned, 0 lost, 4 changed\n…\n"]],
  ],
  "record commands": [
    [["@", READY]],
    [
      ["@call them", "Server reported success.\n"],
      ["sleep 1; jq -r .data.command_id commands.jsonl", "set_voltage\n"],
    ],
  ],
  "test in CI": [
    [
      ["@", "…\n"],
      ["until [ -s port ]; do sleep 0.1; done", ""],
      ["labwire socket-client --port $(cat port) --newline 'VOLT?'", "…\nReceived: b'1.25\\n'\n"],
      ["kill %1", "…\n"],
    ],
  ],
  "use a value in a script": [
    [["@stand in for an instrument", READY]],
    [["@", "Starting client...\n"], ["echo $volts", "1.25\n"]],
  ],
  "find out why nothing arrives": [
    [["@", "ok       permissions…\n…\n"], ["echo $?", "…\n"]],
  ],
};

/** The blocks of a document that shows terminals. */
function sectionOf(want: string): Section {
  const lineOf = (typed: string) =>
    typed.replace(/^@(.*)/, (_, other) => commands.get(other || want)!)
      .replace("192.168.1.20", "localhost");
  const blocks = scenes[want]!.map((terminal) => ({
    language: "console",
    info: "",
    line: 1,
    text: terminal.map(([typed, appears]) => `$ ${lineOf(typed)}\n${appears}`).join(""),
  }));
  return { heading: want, blocks: [...files, ...blocks] };
}

const terminal = Deno.build.os === "linux"
  ? needs("bash", "python3", "nc", "jq")
  : { ignore: true, note: " (needs Linux)" };

for (const want of commands.keys()) {
  Deno.test({
    name: `README: to ${want}, what the table has is typed${terminal.note}`,
    ignore: terminal.ignore,
    async fn() {
      assert(scenes[want], "there is no scene for it");
      await using world = await makeWorld();
      await runSection(sectionOf(want), world.folder, world.terminals);
    },
  });
}

Deno.test("README: the table has a row for each scene", () => {
  assertEquals([...commands.keys()].sort(), Object.keys(scenes).sort());
});

Deno.test("README: every guide has a link", () => {
  const guides = documents.map(({ name }) => /^guide (.*)/.exec(name)?.[1]).filter(Boolean);
  assert(guides.length > 10);
  assertEquals(guides.filter((name) => !readme.text.includes(`](lib/guides/${name}.md)`)), []);
});

Deno.test("README: at most 200 lines", () => {
  const lines = readme.text.split("\n").length - 1;
  assert(lines <= 200, `it has ${lines}`);
});
