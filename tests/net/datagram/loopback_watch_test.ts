import { assertEquals } from "@std/assert";
import { watchLoopback } from "../../../lib/net/datagram/loopback_watch.ts";

/** Binds a UDP port and says which. */
function bind(hostname: string) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  return { port: (socket.addr as Deno.NetAddr).port, close: () => socket.close() };
}

Deno.test({
  name: "watchLoopback() tells once for each datagram that nobody listens (not on Windows)",
  ignore: Deno.build.os === "windows",
  fn() {
    for (const hostname of ["127.0.0.1", "0.0.0.0"]) {
      const server = bind(hostname);
      const watch = watchLoopback({ hostname: "127.0.0.1", port: server.port })!;
      watch.sent();
      assertEquals(watch.refused(), false);
      server.close();
      assertEquals(watch.refused(), false); // it has refused nothing yet
      watch.sent();
      assertEquals(watch.refused(), true);
      assertEquals(watch.refused(), false);
      watch.sent();
      watch.answered();
      assertEquals(watch.refused(), false);
    }
  },
});

Deno.test("watchLoopback() knows nothing of other computers", () => {
  assertEquals(watchLoopback({ hostname: "192.0.2.1", port: 9 }), undefined);
});
