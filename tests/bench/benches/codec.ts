/** Codecs: messages of one sample with five floats, decoded and encoded. */

import type { Bench, Contestant } from "../bench.ts";
import { here, spawn } from "../programs.ts";

const PROTOBUFJS = "protobufjs";

/** A codec in a process of its own, so that no other one's code is in its way. */
function codec(name: string, format: string, { quick }: { quick: boolean }): Contestant {
  return {
    name,
    start() {
      const child = spawn([
        ...[Deno.execPath(), "run", "-A", "--quiet", "--unstable-net"],
        ...[here("peers/codec.ts"), format, quick ? "0.2" : "1"],
      ]);
      let turns = 0;
      return Promise.resolve({
        async measure() {
          await child.write("go\n");
          const pattern = new RegExp(`^${turns++}: (.*)\n`, "m");
          return JSON.parse((await child.until("stdout", pattern))[1]!);
        },
        async [Symbol.asyncDispose]() {
          await child[Symbol.asyncDispose]();
        },
      });
    },
  };
}

const UNITS = { decode: "messages/s", encode: "messages/s", both: "messages/s" };

/** The other formats, and how many messages a second each is to decode and to encode. */
const FORMATS: readonly [string, number][] = [
  ["villas.binary", 1_000_000],
  ["raw,bits=64,fake=true", 1_000_000],
  ["gtnet,fake=true", 1_000_000],
  ["opal.asyncip", 1_000_000],
  ["villas.web", 1_000_000],
  ["villas.human", 300_000],
  ["json", 300_000],
  ["json.kafka", 300_000],
  ["json.reserve", 300_000],
  ["json.edgeflex", 300_000],
  ["csv", 300_000],
  ["tsv", 300_000],
  ["value", 300_000],
  ["iotagent_ul", 300_000],
];

/** The benches of codecs: to add a format, add a row. */
export const codecs: readonly Bench[] = [
  {
    name: "codec-protobuf",
    title: "protobuf: messages decoded, encoded, and both",
    units: UNITS,
    goals: [
      { figure: "both", least: 2_000_000 },
      { figure: "both", least: 2, times: PROTOBUFJS },
    ],
    contestants: (settings) => [
      codec(PROTOBUFJS, PROTOBUFJS, settings),
      codec("labwire", "protobuf", settings),
    ],
  },
  ...FORMATS.map(([format, least]): Bench => ({
    name: `codec-${format.replace("villas.", "").replaceAll(/[,.=]+/g, "-")}`,
    title: `${format}: messages decoded, encoded, and both`,
    units: UNITS,
    goals: [{ figure: "decode", least }, { figure: "encode", least }],
    contestants: (settings) => [codec("labwire", format, settings)],
  })),
];
