/** One forged datagram must not make a server answer itself for ever. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bindDatagram, villasProtobuf } from "../../mod.ts";
import { CAN_FORGE, forge } from "../interop/forge.ts";
import { startServer } from "./run.ts";
import { freePort } from "../net/free_port.ts";

const message = villasProtobuf.encode([{ type: "data", sequence: 1n, values: [1.5] }]);

for (
  const [name, args] of [
    ["villas-echo", ["--any-source", "--reply-to", "sender", "--output", "none", "--listen"]],
    ["socket-server", ["--udp", "--host", "0.0.0.0", "--port"]],
  ] as const
) {
  Deno.test({
    name: `${name} ignores a datagram that seems to come from itself` +
      (CAN_FORGE ? "" : " (ignored: nobody here may forge one)"),
    ignore: !CAN_FORGE,
    async fn() {
      const port = freePort("udp");
      await using program = startServer([
        name,
        ...args,
        name === "villas-echo" ? `:${port}` : `${port}`,
      ]);
      await program.until("stderr", new RegExp(`${port}`));
      assert(forge("127.0.0.1", "127.0.0.1", port, message));
      await program.until("stderr", /Ignored/);
      await using peer = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
      await peer.send(message, { hostname: "127.0.0.1", port });
      assertEquals((await peer.receive())!.bytes, message);
      program.interrupt();
      const { code, stderr } = await program.result();
      assertEquals(code, 0);
      assertStringIncludes(stderr, `from 127.0.0.1:${port}: that is`);
      assertMatch(stderr, /\b1 (message|datagram)s?, .*\b1 ignored/);
    },
  });
}
