import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { nextRotation, parseRotation } from "../../lib/recording/rotation.ts";

for (
  const [text, rotation] of [
    ["100MB", { bytes: 100_000_000 }],
    ["1.5kB", { bytes: 1500 }],
    ["1 GiB", { bytes: 2 ** 30 }],
    ["512b", { bytes: 512 }],
    ["1h", { seconds: 3600 }],
    ["90min", { seconds: 5400 }],
    ["1d", { seconds: 86_400 }],
    ["2s", { seconds: 2 }],
    ["100MB,1h", { bytes: 100_000_000, seconds: 3600 }],
    ["1h,100MB", { bytes: 100_000_000, seconds: 3600 }],
  ] as const
) {
  Deno.test(`--record-rotate ${text}`, () => assertEquals(parseRotation(text), rotation));
}

Deno.test("other sizes and times are refused: 10m could be minutes or megabytes", () => {
  for (const text of ["", "100", "MB", "10m", "1h,2h", "0MB", "-1h", "0.1s", "1MB;1h", "1e3s"]) {
    assertThrows(() => parseRotation(text), UsageError, "expected a size such as 100MB");
  }
});

Deno.test("files change at the full hour and at midnight of this computer's time", () => {
  const at = (hour: number, minute: number, day = 21) => new Date(2026, 10, day, hour, minute);
  assertEquals(nextRotation(at(9, 59).getTime(), 3600), at(10, 0).getTime());
  assertEquals(nextRotation(at(10, 0).getTime(), 3600), at(11, 0).getTime());
  assertEquals(nextRotation(at(10, 0).getTime(), 86_400), at(0, 0, 22).getTime());
});
