/** Stands in for an instrument that takes lines of text. `deno run --allow-net instrument.ts [PORT]` */

import { lineFraming, listenBytes } from "@labwire/labwire";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
let range = 10;

/** What the instrument answers; null for a setting, which has no answer. */
function answer(query: string): string | null {
  if (query === "*IDN?") return "ACME,DMM-1,0042,1.0";
  if (query === "RANGE?") return String(range);
  if (query === "MEAS?") return (range * 0.625).toExponential(3).toUpperCase();
  const setting = /^RANGE (\d+)$/.exec(query);
  if (setting) range = Number(setting[1]);
  return setting ? null : "ERROR";
}

await using instrument = listenBytes({
  port: Number(Deno.args[0] ?? 5025),
  framing: lineFraming(),
  answer(line) {
    const text = answer(decoder.decode(line).trim());
    return text === null ? null : encoder.encode(`${text}\n`);
  },
});
console.log("listening on port", instrument.addr.port);
await instrument.finished;
