/** Mutated datagrams for each of VILLASnode's formats, `FUZZ=1000000` for a million each: nothing but CodecError, in a time that grows with the length alone. */

import { assert } from "@std/assert";
import { villasFormat, villasFormats } from "../../lib/codecs/villas/formats.ts";
import { CodecError } from "../../lib/errors.ts";
import { hexLines } from "../fixtures/read.ts";
import { random32 } from "../codecs/struct/random_values.ts";

const DATAGRAMS = Number(Deno.env.get("FUZZ") ?? 25_000);
const SIGNALS = "f:float,i:integer,b:boolean,z:complex";

for (const name of Object.keys(villasFormats)) {
  Deno.test(`${DATAGRAMS} mutated datagrams of ${name} give samples or a CodecError`, async () => {
    const captured = await hexLines(`formats/${name}.hex`);
    const known = name === "value"
      ? "f"
      : name.startsWith("villas.") && name !== "villas.human"
      ? "fi"
      : SIGNALS;
    const formats = [villasFormat(name), villasFormat(name, { signals: known })];
    const random = random32(name.length);
    for (let i = 0; i < DATAGRAMS; i++) {
      const bytes = mutated(captured[i % captured.length]!, random);
      const format = formats[i & 1]!;
      const { decode } = i & 2 ? format.replies : format;
      let samples;
      try {
        samples = decode(bytes);
      } catch (error) {
        assert(error instanceof CodecError, `${bytes.toHex()}: ${error}`);
        continue;
      }
      assert(samples.every(({ values }) => Array.isArray(values)));
    }
  });

  Deno.test(`what a stream of ${name} holds is read in linear time, whatever it is`, async () => {
    const captured = await hexLines(`formats/${name}.hex`);
    const format = villasFormat(name, { signals: name === "value" ? "f" : "4f" });
    for (
      const pattern of [
        captured[0]!,
        captured[1]!.subarray(0, 5),
        Uint8Array.of(0x7b),
        Uint8Array.of(0x22),
        Uint8Array.of(0x31),
        Uint8Array.of(0x20),
      ]
    ) {
      const times = [1 << 16, 1 << 20].map((size) => {
        const bytes = Uint8Array.from({ length: size }, (_, i) => pattern[i % pattern.length]!);
        const start = performance.now();
        const decoder = format.stream.decoder();
        for (let at = 0; at < size; at += 4096) {
          decoder.push(bytes.subarray(at, at + 4096));
          drain(() => decoder.next());
        }
        drain(() => decoder.end());
        return performance.now() - start;
      });
      // 16 times as much: a square would be 256 times as long.
      assert(times[1]! < 100 * Math.max(times[0]!, 20), `${pattern.toHex()}: ${times} ms`);
    }
  });
}

function drain(next: () => unknown): void {
  for (;;) {
    try {
      if (next() === null) return;
    } catch (error) {
      assert(error instanceof CodecError, String(error));
    }
  }
}

/** A datagram with some bytes changed, left out, doubled, or put in the place of others. */
function mutated(original: Uint8Array, random: () => number): Uint8Array {
  const bytes = new Uint8Array(original.length + 8);
  bytes.set(original);
  let length = original.length;
  for (let n = random() % 4; n >= 0; n--) {
    const at = random() % length;
    switch (random() % 5) {
      case 0:
        bytes[at] = random();
        break;
      case 1:
        bytes[at]! ^= 1 << random() % 8;
        break;
      case 2:
        bytes.copyWithin(at, at + 1, length--);
        if (length === 0) return bytes.subarray(0, 0);
        break;
      case 3:
        if (length < bytes.length) bytes.copyWithin(at + 1, at, length++);
        break;
      default:
        bytes.copyWithin(at, random() % length, random() % length);
    }
  }
  return bytes.subarray(0, random() % 8 === 0 ? random() % length : length);
}
