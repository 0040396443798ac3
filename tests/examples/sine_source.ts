/** Sends a sine to a client of VILLASnode and looks at what comes back. `deno run --allow-net sine_source.ts HOST:PORT` */

import { startVillasSignal } from "@labwire/labwire";

await using source = await startVillasSignal({
  type: "sine",
  frequency: [50],
  amplitude: [325],
  rate: 1000,
  limit: 100,
  listen: "127.0.0.1:0",
  to: Deno.args[0] ?? "127.0.0.1:12001",
});
await source.finished;

const { sent, returned, lost, roundTrip } = source.stats;
console.log(`${sent} sent, ${returned} returned, ${lost} lost`);
if (returned > 0) console.log(`median round trip ${roundTrip.median.toFixed(0)} µs`);
