/** Tests a client of VILLASnode, here labwire's own echo: no sample may be lost or changed. */

import { startVillasEcho, startVillasSignal } from "@labwire/labwire";
import { assertEquals } from "@std/assert";

Deno.test("example: the echo returns every sample unchanged", async () => {
  await using echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    handler: (sample) => sample,
  });
  await using source = await startVillasSignal({
    type: "mixed",
    values: 7,
    listen: "127.0.0.1:0",
    to: echo.addr,
    rate: 1000,
    limit: 50,
  });
  await source.finished;
  assertEquals(source.stats.returned, 50);
  assertEquals(source.stats.changed, 0);
  assertEquals(echo.stats.missed, 0);
});
