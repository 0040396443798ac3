/** Answers each sample with the mean of its last four, value by value. `deno run --allow-net average_echo.ts [HOST:PORT]` */

import { startVillasEcho } from "@labwire/labwire";

const recent: number[][] = [];

await using echo = await startVillasEcho({
  listen: Deno.args[0] ?? "127.0.0.1:12001",
  replyTo: "sender",
  anySource: true,
  handler(sample) {
    recent.push(sample.values.map(Number));
    if (recent.length > 4) recent.shift();
    const mean = (i: number) => recent.reduce((sum, row) => sum + row[i]!, 0) / recent.length;
    return { ...sample, values: sample.values.map((_, i) => mean(i)) };
  },
  onProblem: ({ message }) => console.error(message),
});
console.log("listening on port", "port" in echo.addr && echo.addr.port);
await echo.finished;
