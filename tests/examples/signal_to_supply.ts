/**
 * Lets a simulation set the voltage of a supply: each sample's first value becomes a command, at most one at a time.
 * `deno run --allow-net signal_to_supply.ts HOST:PORT SUPPLY_PORT`
 */

import { connectJson, startVillasEcho } from "@labwire/labwire";

const [listen = "127.0.0.1:12001", port = "65432"] = Deno.args;
await using supply = await connectJson({ port: Number(port) });
let busy = false;

async function setVoltage(volts: number): Promise<void> {
  if (busy) return; // the supply is slower than the simulation
  busy = true;
  const { outcome } = await supply.send({ command_id: "set_voltage", volts });
  busy = false;
  console.log(outcome);
}

await using source = await startVillasEcho({
  listen,
  anySource: true,
  handler: () => null, // nothing goes back
  onMessage: ({ samples }) => void setVoltage(Math.abs(Number(samples.at(-1)?.values[0]))),
});
console.log("listening on port", "port" in source.addr && source.addr.port);
await source.finished;
