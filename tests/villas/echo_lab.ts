/** An echo and the node that it answers. */

import { assertEquals } from "@std/assert";
import {
  bindDatagram,
  type Sample,
  startVillasEcho,
  type VillasEchoOptions,
  type VillasEchoProblem,
  villasProtobuf,
} from "../../mod.ts";

/** A node on a free port and an echo for it. */
export async function lab(options: VillasEchoOptions = {}) {
  const node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  const problems: VillasEchoProblem[] = [];
  const echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    remote: node.addr,
    onProblem: (problem) => problems.push(problem),
    ...options,
  });
  return {
    node,
    echo,
    problems,
    ask: async (message: Uint8Array | Sample[]) => {
      await node.send(
        message instanceof Uint8Array ? message : villasProtobuf.encode(message),
        echo.addr,
      );
      return (await node.receive())!.bytes.slice();
    },
    async [Symbol.asyncDispose]() {
      await echo.close();
      await node.close();
    },
  };
}

/** Sends samples whose reply is to be refused, and returns why it was. */
export async function refused(options: VillasEchoOptions, samples: Sample[]) {
  await using it = await lab(options);
  await it.node.send(villasProtobuf.encode(samples), it.echo.addr);
  await it.node.send(new Uint8Array(), it.echo.addr); // an empty message comes back empty
  assertEquals((await it.node.receive())!.bytes.length, 0);
  assertEquals(it.problems.map(({ kind }) => kind), ["refused"]);
  assertEquals([it.echo.stats.refused, it.echo.stats.messages, it.echo.stats.replies], [1, 2, 1]);
  return it.problems[0]!.message;
}
