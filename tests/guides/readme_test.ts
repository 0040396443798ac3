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
  .filter(({ file }) => file === "supply.py");

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
      ["wc -l < samples.jsonl", "5\n"],
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
      ["cat log.csv", "time,n,volts\n2026-10-05T12:34:56.789012Z,1,0.5\n"],
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
      ['printf \'{"command_id": "on"}\\n{"command_id": "off"}\\n\' > commands.jsonl', ""],
      ["@", '{"status":"success"}\n{"status":"success"}\n'],
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
  ? needs("bash", "python3", "nc")
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

Deno.test("README: at most 200 lines", () => {
  const lines = readme.text.split("\n").length - 1;
  assert(lines <= 200, `it has ${lines}`);
});
