/** Sends a waveform to a logger, as a device with a C struct does. `deno run --allow-net waveform_sender.ts [PORT]` */

import { Line } from "@labwire/labwire";

await using line = await Line.connect({
  format: "<Id8s",
  port: Number(Deno.args[0] ?? 10000),
  attempts: 10,
  retryDelay: 0.5,
});
for (let n = 0; n < 4; n++) {
  const volts = Math.round(1000 * Math.sin((n * Math.PI) / 6)) / 1000;
  await line.send([n, volts, "ch-1"]);
}
await line.closeWrite();
await line.finished;
console.log(`${line.stats.sent} records sent`);
