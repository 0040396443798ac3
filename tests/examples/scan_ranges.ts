/** Measures in each range of an instrument, and prints a table. `deno run --allow-net scan_ranges.ts [PORT]` */

import { connectBytes } from "@labwire/labwire";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
await using instrument = await connectBytes({ port: Number(Deno.args[0] ?? 5025) });

/** Sends a query and takes the line that answers it. */
async function ask(query: string): Promise<string> {
  return decoder.decode(await instrument.exchange(encoder.encode(`${query}\n`))).trim();
}

console.log("range,reading");
for (const range of [1, 10, 100]) {
  await instrument.send(encoder.encode(`RANGE ${range}\n`));
  console.log(`${await ask("RANGE?")},${await ask("MEAS?")}`);
}
