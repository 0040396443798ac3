/** Writes the records that a device sends to a CSV file. `deno run --allow-net --allow-write struct_logger.ts FILE [PORT]` */

import { compileStruct, Line, structCsv } from "@labwire/labwire";

const [path = "log.csv", port = "10000"] = Deno.args;
const format = "<Id8s"; // a number, a voltage, and the name of a channel
const csv = structCsv(compileStruct(format));

using file = await Deno.open(path, { write: true, create: true, append: true });
const encoder = new TextEncoder();

await using line = Line.listen({
  format,
  port: Number(port),
  action: (record) => file.write(encoder.encode(csv(record) + "\n")),
  onDisconnect: (peer) => console.log("disconnected:", peer.remoteAddr.hostname),
  onProblem: ({ message }) => console.error(message),
});
console.log("listening on port", line.addr.port);
await line.finished;
