import { assertEquals } from "@std/assert";
import { beginsWithDay } from "../../lib/time/date.ts";

Deno.test("beginsWithDay() knows the calendar", () => {
  for (const day of ["2026-11-21", "2024-02-29", "2026-11-21T13:45", "2026-11-21 13:45:00.5Z"]) {
    assertEquals(beginsWithDay(day), true, day);
  }
  for (
    const other of ["2026-02-29", "2026-02-31", "2026-13-01", "2026-00-10", "yesterday", "", "1"]
  ) {
    assertEquals(beginsWithDay(other), false, other);
  }
});
