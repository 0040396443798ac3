/** The traces in a terminal. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Feed } from "../../lib/scope/feed.ts";
import { BrailleCanvas } from "../../lib/scope/plot/braille.ts";
import { TerminalPlot } from "../../lib/scope/plot/plot.ts";

const plain = (text: string) => text;

Deno.test("dots are where they were set", () => {
  const canvas = new BrailleCanvas(2, 1);
  for (const [x, y] of [[0, 0], [1, 3], [3, 1], [9, 0], [-1, 0]]) canvas.dot(x!, y!, 0);
  assertEquals(canvas.lines(plain), ["⢁⠐"]);
  const line = new BrailleCanvas(4, 1);
  line.line(0, 3, 7, 0, 0);
  assertEquals(line.lines(plain), ["⣀⠤⠒⠉"]);
});

/** A plot of a square wave and a sine, with a gap between 6 and 8 s. */
function plotOf(colours = false) {
  let now = 0;
  const signals = [{ name: "\x1b[31msquare" }, { name: "sine", unit: "V" }];
  const feed = new Feed({ lanes: [{ name: "received" }], signals, now: () => now });
  for (let i = 0; i < 1000; i++) {
    now = i / 100;
    if (i >= 600 && i < 800) continue;
    const origin = { sec: Math.floor(now), nsec: (i % 100) * 1e7 };
    const values = [now % 2 < 1 ? 1n : -1n, Math.sin(now)];
    feed.add(0, [{ type: "data", sequence: BigInt(i), origin, values }]);
  }
  const plot = new TerminalPlot(feed);
  return { plot, draw: () => plot.draw({ columns: 80, rows: 16, colours }) };
}

Deno.test("the picture has axes, names and numbers, and fits", () => {
  const { draw } = plotOf();
  const lines = draw();
  assertEquals(lines.length, 15);
  assert(lines.every((line) => line.length <= 79), "nothing is wrapped");
  assertMatch(lines[0]!, /^live, 10 s, .* 200 missed {3}space pause/);
  assertMatch(lines[1]!, /^ {7}1 .*1 \\x1b\[31m.* −1/);
  assertMatch(lines[2]!, /2 sine +−0\.53.* V/);
  assertMatch(lines.at(-1)!, /^ {9}−10 s +0 s$/);
  // Nothing is drawn in the gap.
  const gap = lines.slice(1, -1).map((line) => line.slice(9 + 23, 9 + 27));
  assertEquals(new Set(gap.join("")), new Set([" "]));
  assert(!lines.join("").includes("\x1b"), "no colour and nothing from outside");
});

Deno.test("keys pause, change the time base and hide", () => {
  const { plot, draw } = plotOf(true);
  assert(draw()[1]!.includes("\x1b[38;5;39m"));
  plot.press("1");
  assertMatch(draw()[1]!, /\(hidden\)/);
  assert(!draw().join("").includes("\x1b[38;5;39m"));
  plot.press("0");
  plot.press("+");
  assertMatch(draw()[0]!, /^live, 5 s/);
  plot.press("-");
  plot.press("-");
  assertMatch(draw()[0]!, /^live, 20 s/);
  plot.press(" ");
  assertMatch(draw()[0]!, /^paused/);
  plot.press("7");
  plot.press("q");
});

Deno.test("numbers of values that are close together find room, all of their digits", () => {
  const feed = new Feed({ lanes: [{ name: "received" }], now: () => 10 });
  for (let i = 0; i < 100; i++) {
    feed.add(0, [{ type: "data", values: [10.000012 + 3e-6 * Math.sin(i / 9)] }], i / 10);
  }
  const plot = new TerminalPlot(feed);
  const size = { columns: 80, rows: 16, colours: false };
  plot.draw(size); // the first picture finds out how much room they need
  const lines = plot.draw(size);
  assert(lines.every((line) => line.length <= 79), "nothing is wrapped");
  const numbers = lines.slice(1, -1).flatMap((line) => /^ *(10\S+)/.exec(line)?.[1] ?? []);
  assert(numbers.length > 2 && new Set(numbers).size === numbers.length, numbers.join());
});
