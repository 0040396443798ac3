/** A power supply behind a port: its commands come as lines of JSON. `deno run --allow-net power_supply.ts [PORT]` */

import { interactWithCommands, startJsonServer } from "@labwire/labwire";

let volts = 0;

await using server = startJsonServer({
  port: Number(Deno.args[0] ?? 65432),
  interact: interactWithCommands({
    set_voltage(data) {
      if (!(data.volts >= 0 && data.volts <= 30)) throw new RangeError("volts must be 0 to 30");
      volts = data.volts;
    },
    get_voltage: () => volts,
  }),
});
console.log("listening on port", server.addr.port);
await server.finished;
