import { isoTime, isTime } from "../../../lib/codecs/struct/time.ts";
import { assert, assertEquals } from "@std/assert";
import { pythonLines } from "../../interop/python.ts";

Deno.test("isoTime() writes microseconds that Python reads", async () => {
  const times: [ms: number, text: string][] = [
    [0, "1970-01-01T00:00:00.000000Z"],
    [0.001, "1970-01-01T00:00:00.000001Z"],
    [999.9999, "1970-01-01T00:00:00.999999Z"],
    [1_791_203_696_789.25, "2026-10-05T12:34:56.789250Z"],
    [1_791_203_696_789, "2026-10-05T12:34:56.789000Z"],
    [4_102_444_799_999.75, "2099-12-31T23:59:59.999750Z"],
  ];
  for (const [ms, text] of times) assertEquals(isoTime(ms), text);
  const script = `
import datetime, sys
for line in sys.stdin:
    time = datetime.datetime.fromisoformat(line.strip().replace("Z", "+00:00"))
    print(round(time.timestamp() * 1e6))
`;
  const micros = await pythonLines(["-c", script], times.map(([, text]) => text));
  assertEquals(micros.map(Number), times.map(([ms]) => Math.floor(ms * 1000)));
});

Deno.test("isTime() tells times as labwire, Python and pandas write them from other text", () => {
  const times = [
    "2026-10-05T12:34:56.789012Z",
    "2026-10-05T12:34:56Z",
    "2026-10-05 12:34:56.789012+00:00",
    "2026-10-05T12:34:56.789012345",
    "2026-10-05 12:34:56",
  ];
  for (const time of times) assert(isTime(time), time);
  for (const other of ["", "now", "2026-10-05", "12:34:56", "1791203696.7", 1791203696, null]) {
    assert(!isTime(other), String(other));
  }
});
