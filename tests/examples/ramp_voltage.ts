/** Ramps a supply up and reads back what it does. `deno run --allow-net ramp_voltage.ts [PORT]` */

import { connectJson } from "@labwire/labwire";

await using supply = await connectJson({ port: Number(Deno.args[0] ?? 65432) });

for (const volts of [5, 10, 20, 40]) {
  const set = await supply.send({ command_id: "set_voltage", volts });
  if (set.outcome !== "success") {
    console.log(`${volts} V:`, set.outcome === "fail" ? set.error : "no answer");
    break;
  }
  const read = await supply.send({ command_id: "get_voltage" });
  if (read.outcome === "success") console.log(`${volts} V: reads ${read.result}`);
}
