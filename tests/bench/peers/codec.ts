/**
 * Decodes and encodes messages of one sample with five floats (`value` has one): `codec.ts FORMAT SECONDS`, where FORMAT is one of VILLASnode's, or
 * `protobufjs` for that alone. For each line on standard input it measures once, and prints `N: {…}`, messages per second.
 */

import protobuf from "protobufjs/light.js";
import { villasFormat } from "../../../lib/codecs/villas/formats.ts";
import { villasSchema } from "../../../lib/codecs/villas/protobuf/schema.ts";
import type { Sample } from "../../../lib/codecs/villas/sample.ts";

const [name = "protobuf", seconds = "1"] = Deno.args;
const format = villasFormat(name === "protobufjs" ? "protobuf" : name);
/** Different ones, so that nothing is found out beforehand. */
const samples: Sample[] = Array.from({ length: 1024 }, (_, i) => ({
  type: "data",
  ...(format.carried.sequence && { sequence: BigInt(i * 7) }),
  origin: { sec: 1_795_198_430, nsec: 457_807_691 + i },
  values: (name === "value" ? [3] : [3, 4, 5, 6, 7]).map((divisor) => i / divisor),
}));

interface Both<T> {
  encode(message: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

const schema = protobuf.Root.fromJSON(villasSchema as never).lookupType("villas.node.Message");
const protobufjs: Both<unknown> = {
  encode: (message) => schema.encode(message as never).finish(),
  decode: (bytes) => schema.decode(bytes),
};

/** Messages per second of some work on one after another. */
function rate<T>(work: (message: T) => unknown, messages: readonly T[]): number {
  const start = performance.now();
  let [done, passed] = [0, 0];
  for (; passed < 1000 * Number(seconds); passed = performance.now() - start) {
    for (const message of messages) work(message);
    done += messages.length;
  }
  return 1000 * done / passed;
}

function measure<T>({ encode, decode }: Both<T>, datagrams: Uint8Array[]) {
  const messages = datagrams.map(decode);
  return {
    decode: rate(decode, datagrams),
    encode: rate(encode, messages),
    both: rate((bytes) => encode(decode(bytes)), datagrams),
  };
}

const datagrams = samples.map((sample) => format.encode([sample]).slice());
let turn = 0;
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  for (const _ of text.matchAll(/\n/g)) {
    const figures = name === "protobufjs"
      ? measure(protobufjs, datagrams)
      : measure(format as Both<Sample[]>, datagrams);
    console.log(`${turn++}: ${JSON.stringify(figures)}`);
  }
}
