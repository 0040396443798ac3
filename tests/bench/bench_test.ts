import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Bench, type Contestant, median, runBench } from "./bench.ts";
import { thisMachine } from "./machine.ts";
import { markdownOf, textOf } from "./report.ts";

const SETTINGS = { rounds: 5, quick: true };

/** A contestant with these figures, that tells when it is measured. */
function contestant(name: string, rates: number[], told: string[]): Contestant {
  return {
    name,
    start: () =>
      Promise.resolve({
        measure(warmUp) {
          told.push(warmUp ? `(${name})` : name);
          return Promise.resolve({ rate: warmUp ? -1 : rates.shift()! });
        },
        [Symbol.asyncDispose]() {
          told.push(`end of ${name}`);
          return Promise.resolve();
        },
      }),
  };
}

function bench(told: string[], more: Partial<Bench> = {}): Bench {
  return {
    name: "example",
    title: "an example",
    units: { rate: "things/s" },
    goals: [
      { figure: "rate", least: 0.5, times: "C" },
      { figure: "rate", least: 60 },
      { figure: "rate", most: 0.4, times: "C" },
      { figure: "rate", least: 2, times: "Python" },
    ],
    contestants: () => [
      contestant("C", [100, 101, 99, 1000, 1], told),
      contestant("labwire", [50, 51, 49, 500, 0], told),
    ],
    ...more,
  };
}

Deno.test("runBench() warms up, measures in turn, and judges medians", async () => {
  const told: string[] = [];
  const outcome = await runBench(bench(told), SETTINGS);
  const [c, own] = ["C", "labwire"];
  assertEquals(told.slice(0, 2), ["(C)", "(labwire)"]);
  assertEquals(told.slice(2, 12), [c, own, own, c, c, own, own, c, c, own]);
  assertEquals(told.slice(12).sort(), ["end of C", "end of labwire"]);
  assertEquals(outcome.measured.labwire!.rate!.length, 5);
  // Nobody is measured against who does not take part.
  assertEquals(outcome.verdicts.map(({ value, met }) => [value, met]), [
    [0.5, true],
    [50, false],
    [0.5, false],
  ]);
  const text = textOf(outcome);
  assertMatch(text, /labwire +rate 50 \(0 to 500\) things\/s/);
  assertStringIncludes(text, "met     rate at least 0.50 × C: 0.50 (labwire)");
  assertStringIncludes(text, "MISSED  rate at least 60: 50 (labwire)");
  const markdown = markdownOf([outcome], thisMachine(), new Date(0), [0.5, 1]);
  assertStringIncludes(markdown, "- Date: 1970-01-01 00:00 UTC");
  assertMatch(markdown, /\| rate at least 60 +\| 50 +\| labwire \| \*\*missed\*\* \|/);
});

Deno.test("runBench() says what is missing, and what went wrong; it ends whom it started", async () => {
  const told: string[] = [];
  const needs = await runBench(bench(told, { needs: () => "a moon" }), SETTINGS);
  assertEquals([needs.skipped, told], ["a moon", []]);
  assertStringIncludes(textOf(needs), "not measured: it needs a moon");
  const broken: Contestant = { name: "broken", start: () => Promise.reject(new Error("no")) };
  const contestants = () => [contestant("C", [], told), broken];
  const failed = await runBench(bench(told, { contestants }), SETTINGS);
  assertEquals([failed.failed, told], ["no", ["end of C"]]);
});

Deno.test("median() is the middle", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 3, 2]), 2.5);
});
