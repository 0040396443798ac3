import { assert, assertEquals } from "@std/assert";
import { timestampClock, timestampOf } from "../../lib/time/timestamp.ts";

Deno.test("timestampOf() takes milliseconds apart", () => {
  assertEquals(timestampOf(0), { sec: 0, nsec: 0 });
  assertEquals(timestampOf(1_795_253_843_999.5), { sec: 1_795_253_843, nsec: 999_500_000 });
  assertEquals(timestampOf(1_795_253_844_000), { sec: 1_795_253_844, nsec: 0 });
});

Deno.test("timestampClock() tells the time", () => {
  const before = Date.now();
  const { sec, nsec } = timestampClock()();
  const time = sec * 1000 + nsec / 1e6;
  assert(time >= before - 1 && time <= Date.now() + 1, `${before}, ${time}`);
});
