import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { parseRotation, periodAt } from "../../lib/recording/rotation.ts";

for (
  const [text, rotation] of [
    ["100MB", { bytes: 100_000_000 }],
    ["1.5kB", { bytes: 1500 }],
    ["1 GiB", { bytes: 2 ** 30 }],
    ["512b", { bytes: 512 }],
    ["1B", { bytes: 1 }],
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
  const at = (hour: number, minute: number, day = 21) =>
    new Date(2026, 10, day, hour, minute).getTime();
  assertEquals(periodAt(at(9, 59), 3600), { from: at(9, 0), to: at(10, 0) });
  assertEquals(periodAt(at(10, 0), 3600), { from: at(10, 0), to: at(11, 0) });
  assertEquals(periodAt(at(10, 0), 86_400), { from: at(0, 0), to: at(0, 0, 22) });
});

Deno.test({
  name: "files change at midnight in any time zone (not on Windows, which takes none from TZ)",
  ignore: Deno.build.os === "windows",
  async fn() {
    const rotation = import.meta.resolve("../../lib/recording/rotation.ts");
    const time = Date.parse("2026-11-21T12:00Z");
    const program = `import { periodAt } from "${rotation}";
      console.log(new Date(periodAt(${time}, 86400).to).toISOString());`;
    for (
      const [TZ, end] of [
        ["Asia/Kathmandu", "2026-11-21T18:15:00.000Z\n"],
        ["America/Los_Angeles", "2026-11-22T08:00:00.000Z\n"],
      ] as const
    ) {
      const command = new Deno.Command(Deno.execPath(), { args: ["eval", program], env: { TZ } });
      assertEquals(new TextDecoder().decode((await command.output()).stdout), end);
    }
  },
});

/** The offset of a time zone, by what its clocks show. */
function zone(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat("sv", {
    ...{ timeZone, dateStyle: "short", timeStyle: "medium" },
  });
  return (time) => {
    const second = Math.floor(time / 1000) * 1000;
    return second - Date.parse(`${format.format(second).replace(" ", "T")}Z`);
  };
}

const [h, d] = [3600, 86_400];
for (
  const [name, timeZone, seconds, from, ends] of [
    ["spring", "Europe/Berlin", d, "2026-03-29T00:30+01:00", [
      ...["2026-03-30T00:00+02:00", "2026-03-31T00:00+02:00"],
    ]],
    ["spring", "Europe/Berlin", 6 * h, "2026-03-29T00:30+01:00", [
      ...["2026-03-29T06:00+02:00", "2026-03-29T12:00+02:00"],
    ]],
    ["spring, at 2 o'clock, which is left out", "Europe/Berlin", 2 * h, "2026-03-29T00:30+01:00", [
      ...["2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"],
    ]],
    ["spring", "Europe/Berlin", h, "2026-03-29T00:30+01:00", [
      ...["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"],
    ]],
    ["autumn", "Europe/Berlin", d, "2026-10-25T00:30+02:00", [
      ...["2026-10-26T00:00+01:00", "2026-10-27T00:00+01:00"],
    ]],
    [
      "autumn, at the second of two times 2 o'clock, too",
      "Europe/Berlin",
      h,
      "2026-10-25T01:30+02:00",
      [
        ...["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
      ],
    ],
    ["autumn", "Europe/Berlin", 2 * h, "2026-10-25T01:30+02:00", [
      ...["2026-10-25T02:00+02:00", "2026-10-25T04:00+01:00", "2026-10-25T06:00+01:00"],
    ]],
    ["autumn", "Europe/Berlin", 2400, "2026-10-25T02:10+02:00", [
      ...["2026-10-25T02:40+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:40+01:00"],
    ]],
    ["a day that begins at 1 o'clock", "Asia/Beirut", d, "2026-03-28T12:00+02:00", [
      ...["2026-03-29T01:00+03:00", "2026-03-30T00:00+03:00"],
    ]],
    ["a day with two midnights", "America/Havana", d, "2026-10-31T12:00-04:00", [
      ...["2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"],
    ]],
    ["half an hour", "Australia/Lord_Howe", h, "2026-04-05T00:30+11:00", [
      ...["2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30", "2026-04-05T03:00+10:30"],
    ]],
    ["a day that does not exist", "Pacific/Apia", d, "2011-12-29T12:00-10:00", [
      ...["2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00"],
    ]],
  ] as const
) {
  Deno.test(`files change where the clocks do: ${name}, ${timeZone}, every ${seconds} s`, () => {
    const found: string[] = [];
    let time = Date.parse(from);
    for (const _ of ends) {
      time = periodAt(time, seconds, zone(timeZone)).to;
      found.push(new Date(time).toISOString());
    }
    assertEquals(found, ends.map((end) => new Date(end).toISOString()));
  });
}

Deno.test("every period holds its time, is over after it, and is little longer or shorter than it should be", () => {
  const zones = ["Europe/Berlin", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "UTC"];
  for (const offsetAt of zones.map(zone)) {
    for (const seconds of [600, 1500, 2400, h, 1.5 * h, 2 * h, 5 * h, d, 7 * d]) {
      const end = Date.parse("2026-12-01T00:00Z");
      const start = seconds < h ? Date.parse("2026-10-20T00:00Z") : Date.parse("2026-01-01T00:00Z");
      for (let time = start; time < end;) {
        const { from, to } = periodAt(time, seconds, offsetAt);
        assert(from <= time && time < to, `${new Date(time).toISOString()}, ${seconds} s`);
        assert(to - time <= (seconds + h) * 1000, `${new Date(time).toISOString()}, ${seconds} s`);
        time = to;
      }
    }
  }
  assert(periodAt(0, 1e15).to > 1e17); // beyond the end of all dates
});
