import { assertEquals, assertStringIncludes } from "@std/assert";
import { interactWithLineProgram } from "../../lib/json/program_interact.ts";
import type { Interact } from "../../lib/json/protocol.ts";
import { startJsonServer } from "../../lib/json/server.ts";
import { ManualClock } from "../time/manual_clock.ts";
import { Peer } from "./peer.ts";

/** Answers each message with all messages that it has got; the first one when there is a file of the name that it is called with. */
const HOLDING = `
import json, os, sys, time
got = []
for line in sys.stdin:
    got.append(json.loads(line)["n"])
    print("got", file=sys.stderr, flush=True)
    while not os.path.exists(sys.argv[1]): time.sleep(0.01)
    print(json.dumps(got), flush=True)
`;

Deno.test("interactWithLineProgram() gives its program no message that was answered as too late before its turn", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/go`;
  const got = Promise.withResolvers<void>();
  const clock = new ManualClock();
  {
    await using program = interactWithLineProgram(["python3", "-c", HOLDING, file], {
      onStderr: () => got.resolve(),
    });
    let begun = Promise.withResolvers<void>();
    const interact: Interact = (data, context) => {
      begun.resolve();
      return program.interact(data, context);
    };
    await using server = startJsonServer({ port: 0, interact, handlerTimeout: 10, clock });
    await using peer = await Peer.connect(server.addr);
    for (const n of [1, 2, 3, 4]) {
      const answer = peer.ask(`{"n":${n}}`);
      await begun.promise;
      await got.promise;
      begun = Promise.withResolvers();
      clock.pass(11);
      assertStringIncludes(await answer, "was not handled within 10 s");
    }
    const last = peer.ask('{"n":5}');
    await Deno.writeTextFile(file, "");
    assertEquals(await last, '{"status":"success","result":[1,5]}');
  }
  await Deno.remove(folder, { recursive: true });
});
