/** Writes the records that a device sends to a CSV file. `deno run --allow-net --allow-write struct_logger.ts FILE [PORT]` */

import { compileStruct, Line, StructCsv } from "@labwire/labwire";

const [path = "log.csv", port = "10000"] = Deno.args;
const format = "<Id8s"; // a number, a voltage, and the name of a channel
const csv = new StructCsv(compileStruct(format), { fields: ["n", "volts", "channel"] });

using file = await Deno.open(path, { write: true, create: true, truncate: true });
const encoder = new TextEncoder();
await file.write(encoder.encode(csv.header() + "\n"));

await using line = Line.listen({
  format,
  port: Number(port),
  action: (record) => file.write(encoder.encode(csv.stringify(record) + "\n")),
  onDisconnect: (peer) => console.log("disconnected:", peer.remoteAddr.hostname),
  onProblem: ({ message }) => console.error(message),
});
console.log("listening on port", line.addr.port);
await line.finished;
