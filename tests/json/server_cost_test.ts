import { assertEquals, assertLessOrEqual } from "@std/assert";
import { startJsonServer } from "../../lib/json/server.ts";
import { nearest } from "../../lib/text/nearest.ts";
import { hostileMessages, ordinaryMessage } from "./hostile_messages.ts";
import { Peer } from "./peer.ts";

/** The largest message that the server takes, in bytes. */
const LARGEST = 1 << 18;

/** How many times as long as an ordinary message of the same size a message may take. */
const MOST = 3;

/** How often both are measured before that counts: whatever else the machine does can only slow down either. */
const ROUNDS = 12;

Deno.test("nearest() does not compare words whose lengths differ too much, nor long ones", () => {
  const time = (task: () => void) => {
    const start = performance.now();
    task();
    return performance.now() - start;
  };
  const names = ["get_voltage", "set_voltage", "x".repeat(2000)];
  const words = ["get_voltage".repeat(100_000), "x".repeat(2001).replace("xx", "xy")];
  // Both lengths multiplied would be thousands of millions of steps, not the five million of this.
  const linear = time(() => words.forEach((word) => new Set(word.repeat(5))));
  const found: (string | undefined)[] = [];
  assertLessOrEqual(time(() => found.push(...words.map((word) => nearest(word, names)))), linear);
  assertEquals(found, [undefined, undefined]);
  assertEquals(nearest("get_votlage", names), "get_voltage");
});

Deno.test("startJsonServer() takes no longer for a message of the largest size, whatever its content", async () => {
  let length = 0;
  const commands = Object.fromEntries(
    ["get_voltage", "set_voltage", "get_current", "reset", "log"].map((name) => [name, () => {}]),
  );
  await using server = startJsonServer({
    port: 0,
    commands,
    maxBytes: LARGEST,
    onMessage: ({ text, answerText }) => length += answerText.length + (text?.length ?? 0),
  });
  await using peer = await Peer.connect(server.addr);
  const time = async (message: string | Uint8Array) => {
    const start = performance.now();
    await peer.write(message);
    await peer.write("\n");
    await peer.line();
    return performance.now() - start;
  };
  const ordinary = ordinaryMessage(LARGEST);
  let base = Infinity;
  for (let i = 0; i < 5; i++) base = Math.min(base, await time(ordinary));
  for (const [what, message] of Object.entries(hostileMessages(LARGEST))) {
    let best = Infinity;
    for (let round = 0; round < ROUNDS && !(best <= MOST * base); round++) {
      best = Math.min(best, await time(message));
      // Not only in a quiet moment that did not come again.
      if (best > MOST * base) {
        base = Math.max(base, Math.min(await time(ordinary), await time(ordinary)));
      }
    }
    assertLessOrEqual(best, MOST * base, what);
  }
  assertEquals(length > 0, true);
});
