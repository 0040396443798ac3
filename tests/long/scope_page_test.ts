/** The page of the scope in a real browser. */

import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { Feed } from "../../lib/scope/feed.ts";
import {
  type Scope,
  type ScopeControl,
  type ScopeOptions,
  startScope,
} from "../../lib/scope/scope.ts";
import { start } from "../cli/run.ts";
import { needs } from "../interop/peer.ts";

const { ignore, note } = needs("chromium");

/** Samples per second of the signals here. */
const RATE = 1000;
const SIGNALS = [
  { name: "voltage", unit: "V" },
  { name: "current", unit: "A" },
  { name: "steps", unit: "" },
  { name: "<i>on</i>", unit: "" },
];

/** A 50 Hz sine of amplitude 10, one of 5 Hz, an integer, a boolean. */
function valuesAt(time: number) {
  return [
    10 * Math.sin(2 * Math.PI * 50 * time),
    2 + Math.sin(2 * Math.PI * 5 * time),
    BigInt(Math.floor(time * 4)),
    time % 1 < 0.5,
  ];
}

/** A scope that is fed by the test, and so knows every number. */
function openLab(options: Partial<ScopeOptions> = {}) {
  const zero = 1_700_000_000;
  let [now, next] = [zero, 0];
  const feed = new Feed({
    lanes: [{ name: "received" }, { name: "sent", isReply: true }],
    signals: SIGNALS,
    now: () => now,
  });
  const scope = startScope({ feed, listen: { hostname: "127.0.0.1", port: 0 }, ...options });
  const samplesTo = (seconds: number, { without = [] as number[] } = {}) => {
    for (; next / RATE < seconds; next++) {
      const time = next / RATE;
      now = zero + time;
      if (without.length > 0 && time >= without[0]! && time < without[1]!) continue;
      const origin = { sec: Math.floor(now), nsec: Math.round((now % 1) * 1e9) };
      const sample = { type: "data" as const, sequence: BigInt(next), origin };
      feed.add(0, [{ ...sample, values: valuesAt(time) }]);
      if (next % 2 === 0) feed.add(1, [{ ...sample, values: [valuesAt(time)[0]!] }]);
    }
  };
  return { feed, scope, zero, samplesTo };
}

/** Opens a page, and takes note of everything that a page must not do. */
async function openPage(browser: Browser, url: string, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("requestfailed", (request) => {
    if (!request.url().startsWith("blob:")) faults.push(`failed: ${request.url()}`);
  });
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (host !== new URL(url).host && protocol !== "blob:") faults.push(`left: ${request.url()}`);
  });
  await page.goto(url);
  await page.waitForSelector("#empty", { state: "hidden" });
  return { page, faults, close: () => context.close() };
}

/** Resolves when something has become true in the page, whose policy lets no test evaluate texts in it by itself. */
async function until(page: Page, expression: string): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await page.evaluate(expression)) {
    assert(performance.now() < end, `In vain awaited: ${expression}`);
    await page.evaluate("new Promise(requestAnimationFrame)");
  }
}

/** Where the trace of a colour is in a pane: for each column its pixels from the top. */
const LOOK = `async ([index, colour]) => {
  const { panes } = await import("./main.js");
  const { plot, range } = panes[index];
  const { left, top, width, height } = plot.bbox;
  const wanted = colour.match(/../g).map((each) => parseInt(each, 16));
  const { data } = plot.ctx.getImageData(left, top, width, height);
  const rows = [];
  for (let x = 0; x < width; x++) {
    const found = [];
    for (let y = 0; y < height; y++) {
      const at = 4 * (y * width + x);
      // At least half of the pixel is of the trace.
      if (data[at + 3] > 127 && wanted.every((part, i) => Math.abs(part - data[at + i]) < 60)) {
        found.push(y);
      }
    }
    rows.push(found);
  }
  return { rows, range, width, height };
}`;

interface Look {
  rows: number[][];
  range: [number, number];
  width: number;
  height: number;
}

function look(page: Page, pane: number, colour: string): Promise<Look> {
  return page.evaluate(`(${LOOK})(${JSON.stringify([pane, colour])})`);
}

Deno.test({
  name: `the scope's page shows what was sent, and does what it is told${note}`,
  ignore,
  // The browser's driver keeps timers and pipes until it is closed at the end.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ],
    });
    const scopes: Scope[] = [];
    const lab = (options: Partial<ScopeOptions> = {}) => {
      const made = openLab(options);
      scopes.push(made.scope);
      return made;
    };
    try {
      await steps(t, browser, lab);
    } finally {
      await browser.close();
      for (const scope of scopes) await scope.close();
    }
  },
});

/** What a generator lets be changed. */
const CONTROL: ScopeControl = {
  describe: () => ({
    ...{ signal: "sine", types: ["sine", "ramp"], frequency: 1, amplitude: 1, offset: 0 },
  }),
  change() {},
};

/** A view with all panels. */
const EVERYTHING = String(
  new URLSearchParams({
    cursors: "0.2,0.8",
    trigger: JSON.stringify({
      ...{ signal: 0, slope: "rising", level: 0, hysteresis: 0, holdoff: 0 },
      ...{ position: 0.5, mode: "auto" },
    }),
    spectrum: JSON.stringify({ signal: 0, window: "hann", decibel: false }),
    xy: JSON.stringify({ x: 0, y: 1 }),
    panes: "own",
  }),
);

async function steps(t: Deno.TestContext, browser: Browser, lab: typeof openLab): Promise<void> {
  for (const deviceScaleFactor of [1, 2]) {
    await t.step(
      `a sine is where it must be, to a pixel, at scale ${deviceScaleFactor}`,
      async () => {
        const { scope, zero, samplesTo } = lab();
        samplesTo(20);
        for (
          const [span, end] of [[0.02, 10.02], [0.1, 15], [2, 18], [10, 19], [10, null]] as const
        ) {
          const view = `span=${span}${
            end === null ? "" : `&end=${zero + end}`
          }&hide=0,2,3&theme=light`;
          const { page, faults, close } = await openPage(browser, `${scope.url}#${view}`, {
            deviceScaleFactor,
          });
          await until(page, "document.querySelectorAll('.pane').length === 1");
          await until(page, `import("./main.js").then(({ panes }) => panes[0].range[0] > -1)`);
          await until(
            page,
            `import("./main.js").then(({ panes: [{ plot }], scene }) => {
              const [{ mode, width }] = scene().lanes;
              return mode === "points" || Math.abs(${span} / width - plot.bbox.width) < 0.01;
            })`,
          );
          // What has arrived is drawn with the next frame.
          await page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
          );
          const { rows, range: [min, max], width, height } = await look(page, 0, "c74a00");
          const isColumns = span * RATE > 3 * width;
          const to = end ??
            await page.evaluate(`import("./main.js").then(({ scene }) => scene().to)`);
          if (end === null) assertAlmostEquals(Number(to), 20, 2 * span / width);
          const y = (value: number) => (max - value) / (max - min) * height;
          const half = 0.8 * deviceScaleFactor;
          const extent = (from: number, until: number): [number, number] => {
            const values = Array.from(
              { length: 33 },
              (_, i) => y(2 + Math.sin(2 * Math.PI * 5 * (from + (until - from) * i / 32))),
            );
            return [Math.min(...values) - half, Math.max(...values) + half];
          };
          for (let x = 1; x < width - (end === null ? 3 : 1); x++) {
            const found = rows[x]!;
            assert(found.length > 0, `a gap at ${x} of ${width} with ${span} s`);
            const [from, until] = [x, x + 1].map((at) => Number(to) - span + at / width * span) as [
              number,
              number,
            ];
            // In a column of samples, the line between the outermost of two neighbours changes columns somewhere between these.
            const slack = isColumns ? 1 / RATE : 0;
            // Where a line is steep, its thickness lies across.
            const beside = (deviceScaleFactor - 1) * span / width;
            const [outer, inner] = [
              extent(from - slack - beside, until + slack + beside),
              extent(from + slack, until - slack),
            ];
            const [first, last] = [Math.min(...found), Math.max(...found)];
            const where =
              `${span} s to ${end}, column ${x} of ${width}: ${first} to ${last}, expected ${outer}, ${inner}`;
            assert(first >= outer[0] - 1 && first <= inner[0] + 1, where);
            assert(last + 1 >= inner[1] - 1 && last + 1 <= outer[1] + 1, where);
          }
          assertEquals(faults, []);
          await close();
        }
      },
    );
  }

  await t.step("a gap in the sequence is a gap in the trace", async () => {
    const { scope, zero, samplesTo } = lab();
    samplesTo(10, { without: [4, 6] });
    const url = `${scope.url}#span=10&end=${zero + 10}&hide=0,2,3&theme=light`;
    const { page, close } = await openPage(browser, url);
    await until(page, `import("./main.js").then(({ panes }) => panes[0]?.range[0] > -1)`);
    await page.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    const { rows, width } = await look(page, 0, "c74a00");
    const empty = rows.flatMap((found, x) => found.length === 0 ? [x / width * 10] : []);
    assertAlmostEquals(empty[0]!, 4, 0.03);
    assertAlmostEquals(empty.at(-1)!, 6, 0.03);
    assertAlmostEquals(empty.length / width * 10, 2, 0.05);
    await close();
  });

  await t.step("the table's numbers are what was sent, and names are text", async () => {
    const { scope, samplesTo } = lab();
    samplesTo(12.345);
    const { page, faults, close } = await openPage(browser, scope.url);
    await until(page, "document.querySelector('#signals .value')?.title !== ''");
    const exact = await page.$$eval(
      "#signals tr.signal td.value",
      (cells) => cells.map((cell) => (cell as unknown as { title: string }).title),
    );
    assertEquals(exact, valuesAt(12.344).map(String));
    const names = await page.$$eval(
      "#signals button span",
      (all) => all.map((one) => one.textContent),
    );
    assertEquals(names, SIGNALS.map(({ name }) => name));
    const cell = (row: number, name: string) =>
      page.textContent(`tr.signal[data-signal="${row - 1}"] td.${name}`);
    assertEquals(await cell(1, "max"), "10");
    assertEquals(await cell(1, "min"), "−10");
    assertEquals(await cell(1, "frequency"), "50 Hz");
    assertEquals(await cell(2, "frequency"), "5 Hz");
    assertMatch((await cell(1, "rms"))!, /^7\.07/);
    assertEquals(await cell(4, "value"), "true");
    assertEquals(faults, []);
    await close();
  });

  await t.step(
    "no value is too large, too close to another or too endless for the page",
    async () => {
      const { scope, feed, samplesTo } = lab();
      samplesTo(2);
      for (let i = 0; i < 100; i++) {
        const status = -(2n ** 63n) + BigInt(i % 2) * 2048n;
        const values = [
          i === 50 ? Infinity : 10 * Math.sin(i),
          i === 50 ? Number.MAX_VALUE : 1,
          status,
          true,
        ];
        feed.add(0, [{ type: "data", values }], 1_700_000_002 + i / 100);
      }
      const url = `${scope.url}#span=0.9&panes=each&xy=${
        encodeURIComponent(JSON.stringify({ x: 1, y: 2 }))
      }`;
      const { page, faults, close } = await openPage(browser, url);
      await until(page, "document.querySelectorAll('.pane').length === 4");
      await until(page, `import("./main.js").then(({ panes }) => panes[0].range[0] > -1e9)`);
      const ranges = await page.evaluate(
        `import("./main.js").then(({ panes }) => panes.map(({ range }) => range))`,
      ) as [number, number][];
      const [sine, large, status] = ranges as [
        [number, number],
        [number, number],
        [number, number],
      ];
      assert(sine[0] < -9 && sine[0] > -20 && sine[1] > 9 && sine[1] < 20, String(sine));
      assert(large[0] < 1 && large[1] >= 1e300, String(large));
      assert(status[0] < -(2 ** 63) && status[1] > -(2 ** 63) + 2048, String(status));
      assertEquals(faults, []);
      await close();
    },
  );

  await t.step("numbers on the axes are told apart, and one time lies below another", async () => {
    const { scope, feed, zero } = lab();
    for (let i = 0; i < 1000; i++) {
      const values = [10 * Math.sin(i / 50), 10.000012 + 3e-6 * Math.sin(i / 50)];
      feed.add(0, [{ type: "data", values }], zero + i / 100);
    }
    const { page, faults, close } = await openPage(browser, `${scope.url}#end=${zero + 9}`);
    await until(
      page,
      `import("./main.js").then(({ panes }) => panes.length === 2 && panes[1].range[0] > 9 &&
        panes[0].plot.bbox.left === panes[1].plot.bbox.left)`,
    );
    const texts = await page.evaluate(
      `import("./main.js").then(({ panes }) => panes.map(({ plot }) => plot.axes[1]._values))`,
    ) as string[][];
    for (const each of texts) assertEquals(new Set(each).size, each.length, String(each));
    assertEquals(faults, []);
    await close();
  });

  await t.step("what is paused is drawn once, also where an axis has no numbers", async () => {
    const { scope, feed, zero } = lab();
    for (let i = 0; i < 1000; i++) {
      const values = [123456 + 1e-3 * Math.sin(i / 50), 1e40 * Math.sin(i / 50)];
      feed.add(0, [{ type: "data", values }], zero + i / 100);
    }
    const { page, faults, close } = await openPage(browser, `${scope.url}#end=${zero + 9}`);
    await until(page, `import("./main.js").then(({ panes }) => panes[1]?.range[0] < -1e39)`);
    const drawn = await page.evaluate(`import("./main.js").then(async ({ panes }) => {
      let drawn = 0;
      panes[0].plot.hooks.draw.push(() => drawn++);
      for (let i = 0; i < 60; i++) await new Promise(requestAnimationFrame);
      return drawn;
    })`) as number;
    assert(drawn < 30, String(drawn));
    assertEquals(faults, []);
    await close();
  });

  await t.step("a program that was started anew is shown anew", async () => {
    const first = lab();
    first.samplesTo(5);
    const { page, close } = await openPage(browser, first.scope.url);
    await until(page, "document.querySelectorAll('.pane').length === 3");
    const { port } = first.scope.addr;
    await first.scope.close();
    await until(page, "/^Connection lost/.test(document.querySelector('#status').textContent)");
    const feed = new Feed({ lanes: [{ name: "received" }], now: () => 1_700_001_000 });
    const { scope } = lab({ feed, listen: { hostname: "127.0.0.1", port } });
    await until(page, "document.querySelector('#status').textContent === 'Waiting for samples'");
    assertEquals(await page.isVisible("#empty"), true);
    feed.add(0, [{ type: "data", values: [1, 2] }]);
    await until(page, "document.querySelector('#status').textContent === 'Live'");
    assertEquals(await page.isVisible("#empty"), false);
    await scope.close();
    await close();
  });

  await t.step("a colleague sees all of a long recording, too", async () => {
    const zero = 1_700_000_000;
    const feed = new Feed({ lanes: [{ name: "recorded" }], isAbsolute: true, history: 1e9 });
    for (let i = 0; i < 3 * 3600; i++) {
      feed.add(0, [{ type: "data", origin: { sec: zero + i, nsec: 0 }, values: [i] }]);
    }
    const { scope } = lab({ feed, isRecording: true });
    const { page, close } = await openPage(browser, scope.url);
    await until(page, "/span=10799/.test(location.hash)");
    const other = await openPage(browser, page.url());
    await until(other.page, "document.querySelectorAll('.pane').length === 1");
    assertEquals(await other.page.evaluate("location.hash"), await page.evaluate("location.hash"));
    await other.close();
    await close();
  });

  await t.step("pause, zoom, drag, keys, and the view in the address", async () => {
    const { scope, samplesTo } = lab();
    samplesTo(30);
    const { page, faults, close } = await openPage(browser, scope.url);
    const status = () => page.textContent("#status");
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    const query = async () =>
      new URLSearchParams((await page.evaluate("location.hash") as string).slice(1));
    assertEquals(await status(), "Live");
    await page.keyboard.press("Space");
    await until(page, "/^Paused at/.test(document.querySelector('#status').textContent)");
    const end = (await query()).get("end");
    samplesTo(31); // the stream goes on behind it
    await until(page, "document.querySelector('#signals .value').title !== ''");
    assertEquals((await query()).get("end"), end);
    const plots = (await page.locator("#plots").boundingBox())!;
    await page.mouse.move(plots.x + plots.width / 2, plots.y + 50);
    await page.mouse.wheel(0, -300);
    await until(page, "new URLSearchParams(location.hash.slice(1)).get('span') < 5");
    const before = Number((await query()).get("end"));
    const span = Number((await query()).get("span"));
    await page.mouse.down();
    await page.mouse.move(plots.x + plots.width / 2 + 200, plots.y + 50, { steps: 4 });
    await page.mouse.up();
    const after = Number((await query()).get("end"));
    const { width } = await page.evaluate(
      `import("./main.js").then(({ panes }) => ({ width: panes[0].plot.over.clientWidth }))`,
    ) as { width: number };
    assertAlmostEquals(before - after, 200 / width * span, span / 100);
    await page.keyboard.press("1");
    assertEquals((await query()).get("hide"), "0");
    assertEquals(await page.getAttribute("#signals button", "aria-pressed"), "false");
    await page.keyboard.press("+");
    assert(Number((await query()).get("span")) < span);
    // A colleague sees the same.
    const other = await openPage(browser, page.url());
    await until(other.page, "document.querySelectorAll('#signals tr.signal').length === 4");
    assertEquals(await other.page.evaluate("location.hash"), await page.evaluate("location.hash"));
    assertEquals(await other.page.getAttribute("#signals button", "aria-pressed"), "false");
    await other.close();
    await page.keyboard.press("End");
    await until(page, "document.querySelector('#status').textContent === 'Live'");
    assertEquals(faults, []);
    await close();
  });

  await t.step("cursors tell values and differences", async () => {
    const { scope, zero, samplesTo } = lab();
    samplesTo(10);
    const url = `${scope.url}#span=1&end=${zero + 9}&cursors=0.25,0.75`;
    const { page, faults, close } = await openPage(browser, url);
    await until(
      page,
      "!/^(–|)$/.test(document.querySelector('#cursor-table tbody td')?.textContent ?? '')",
    );
    const times = await page.$$eval("#cursor-times dd", (all) => all.map((one) => one.textContent));
    assertEquals(times.slice(2), ["500 ms", "2 Hz"]);
    const rows = await page.$$eval(
      "#cursor-table tbody tr",
      (all) => all.map((row) => [...row.children].map((cell) => cell.textContent!.trim())),
    );
    const steps = rows.find(([name]) => name === "steps")!;
    assertEquals(steps.slice(1), ["33", "35", "2"]);
    const current = rows.find(([name]) => name === "current")!;
    assertAlmostEquals(Number(current[1]), 2 + Math.sin(2 * Math.PI * 5 * 8.25), 0.02);
    // The arrow keys move one that has the focus.
    await page.focus(".cursor[data-name=b]");
    const at = await page.getAttribute(".cursor[data-name=b]", "aria-valuetext");
    await page.keyboard.press("Shift+ArrowRight");
    await until(
      page,
      `document.querySelector('.cursor[data-name=b]').getAttribute('aria-valuetext') !== ${
        JSON.stringify(at)
      }`,
    );
    await page.keyboard.press("Escape");
    assertEquals(await page.isHidden("#cursor-panel"), true);
    assertEquals(faults, []);
    await close();
  });

  await t.step("where the mouse points are the values of all traces", async () => {
    const { scope, zero, samplesTo } = lab();
    samplesTo(10);
    const { page, faults, close } = await openPage(
      browser,
      `${scope.url}#span=1&end=${zero + 9}`,
    );
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    const over = (await page.locator(".u-over").first().boundingBox())!;
    await page.mouse.move(over.x + over.width / 4, over.y + over.height / 2);
    await until(page, "document.querySelectorAll('.readout .row').length === 4");
    const rows = await page.$$eval(
      ".readout .row",
      (all) => all.map((row) => [...row.children].slice(1).map((cell) => cell.textContent)),
    );
    assertEquals(rows.map(([name]) => name), SIGNALS.map(({ name }) => name));
    const numbers = rows.map((row) => Number(row[1]!.split(" ")[0]!.replace("−", "-")));
    const slack = over.width > 0 ? 3 / over.width : 0;
    assertAlmostEquals(numbers[1]!, valuesAt(8.25)[1] as number, 2 * Math.PI * 5 * slack + 0.04);
    assertEquals([numbers[2], numbers[3]], [33, 1]);
    assertEquals(await page.isVisible(".pointer"), true);
    await page.mouse.move(5, 5);
    await until(page, "document.querySelector('.readout').hidden");
    assertEquals(faults, []);
    await close();
  });

  await t.step("a trigger holds the trace where it rises", async () => {
    const { scope, samplesTo } = lab();
    samplesTo(5);
    const { page, faults, close } = await openPage(browser, `${scope.url}#span=0.1&theme=light`);
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    await page.keyboard.press("t");
    await page.fill("#trigger-panel [name=level]", "5");
    await page.selectOption("#trigger-panel [name=mode]", "normal");
    await page.waitForTimeout(200); // the server has the trigger before the samples come
    samplesTo(6.003);
    await until(page, "document.querySelector('#status').textContent === 'Triggered'");
    await until(page, `import("./main.js").then(({ panes }) => panes[0].range[1] > 9)`);
    await page.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
    const { rows, range: [min, max], width, height } = await look(page, 0, "0068b3");
    const middle = rows[Math.round(width / 2)]!;
    const wanted = (max - 5) / (max - min) * height;
    const slope = 2 * Math.PI * 50 * 10 * Math.sqrt(0.75) * 0.1 / width / (max - min) * height;
    const centre = (Math.min(...middle) + Math.max(...middle)) / 2;
    assertAlmostEquals(centre, wanted, 2 * slope + 2);
    assertEquals(faults, []);
    await close();
  });

  await t.step("spectrum and X–Y", async () => {
    const { scope, samplesTo } = lab();
    samplesTo(12);
    const { page, faults, close } = await openPage(browser, scope.url);
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    await page.keyboard.press("s");
    await page.selectOption("#spectrum-panel [name=window]", "flattop");
    await until(page, "/at (49.9|50)[.0-9]* Hz/.test(document.querySelector('#peak').textContent)");
    await until(page, "/^Peak (9\\.99|10)/.test(document.querySelector('#peak').textContent)");
    await page.keyboard.press("x");
    await until(page, "document.querySelectorAll('#xy-plot canvas').length === 1");
    assertEquals(faults, []);
    await close();
  });

  await t.step("a CSV of more than is kept says where it begins", async () => {
    const { scope, feed } = lab();
    for (let i = 0; i < 100_000; i++) {
      feed.add(0, [{ type: "data", values: [i] }], 1_700_000_000 + i / 500);
    }
    const { page, close } = await openPage(browser, `${scope.url}#span=600`);
    await until(page, "document.querySelector('#signals .value').title !== ''");
    const download = page.waitForEvent("download");
    await page.selectOption("#save", "csv");
    const text = await Deno.readTextFile(await (await download).path());
    assert(text.split("\r\n").length < 100_000);
    assertMatch((await page.textContent("#problem"))!, /^The CSV begins at \d\d:\d\d:\d\d/);
    await close();
  });

  await t.step("what is visible is saved as CSV, PNG and SVG", async () => {
    const { scope, zero, samplesTo } = lab();
    samplesTo(10);
    const url = `${scope.url}#span=0.01&end=${zero + 5}`;
    const { page, faults, close } = await openPage(browser, url);
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    const save = async (kind: string) => {
      const download = page.waitForEvent("download");
      await page.selectOption("#save", kind);
      return await Deno.readFile(await (await download).path());
    };
    const csv = new TextDecoder().decode(await save("csv")).trim().split("\r\n");
    assertEquals(csv[0]!.split(",").slice(0, 3), [
      "time [s]",
      "received.voltage [V]",
      "received.current [A]",
    ]);
    assertEquals(csv.length, 12);
    assertEquals(Number(csv[1]!.split(",")[1]), valuesAt(4.99)[0]);
    const png = await save("png");
    assertEquals([...png.subarray(0, 4)], [137, 80, 78, 71]);
    assert(png.length > 20_000);
    const svg = new TextDecoder().decode(await save("svg"));
    assertMatch(svg, /^<svg .*&lt;i>on&lt;\/i>/s);
    // The values are those of the picture, and not the last ones of the stream.
    assertMatch(svg, />current {2}2\.0000 A</);
    const parsed = await page.evaluate(
      (text) =>
        new (globalThis as unknown as {
          DOMParser: new () => {
            parseFromString(a: string, b: string): { querySelectorAll(a: string): unknown[] };
          };
        })
          .DOMParser().parseFromString(text, "image/svg+xml").querySelectorAll("parsererror")
          .length,
      svg,
    );
    assertEquals(parsed, 0);
    assertEquals(faults, []);
    await close();
  });

  await t.step(
    "everybody can use it: no fault of accessibility, light, dark and on a phone",
    async () => {
      const { scope, samplesTo } = lab({ control: CONTROL });
      samplesTo(12);
      for (
        const [theme, viewport] of [
          ["light", { width: 1440, height: 900 }],
          ["dark", { width: 1920, height: 1080 }],
          ["light", { width: 390, height: 844 }],
        ] as const
      ) {
        const url = `${scope.url}#span=1&theme=${theme}&${EVERYTHING}`;
        const { page, faults, close } = await openPage(browser, url, {
          viewport,
          bypassCSP: false,
        });
        await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
        // As a message to the page would: the policy lets no script in.
        const found = await page.evaluate(`(() => { ${axe.source} })(), axe.run()`) as {
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        };
        const serious = found.violations.filter(({ impact }) =>
          ["serious", "critical"].includes(impact)
        );
        assertEquals(
          serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
          theme,
        );
        const { scrollWidth, clientWidth } = await page.evaluate(
          "({ scrollWidth: document.documentElement.scrollWidth, clientWidth: innerWidth })",
        ) as { scrollWidth: number; clientWidth: number };
        assert(scrollWidth <= clientWidth, "nothing reaches beyond the screen");
        assertEquals(faults, []);
        await close();
      }
    },
  );

  await t.step("every control is reached by Tab, is seen there, and has a name", async () => {
    const { scope, samplesTo } = lab({ control: CONTROL });
    samplesTo(12);
    const { page, faults, close } = await openPage(browser, `${scope.url}#${EVERYTHING}&span=1`);
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 4");
    const wanted = await page.evaluate(`[...document.querySelectorAll(
      "button, select, input, [tabindex='0']",
    )].filter((each) => each.checkVisibility()).map((each, i) => each.dataset.test = i).length`) as number;
    assert(wanted > 30, String(wanted));
    const seen: number[] = [];
    for (let i = 0; i < wanted; i++) {
      await page.keyboard.press("Tab");
      const { place, width, style, isInside, what } = await page.evaluate(`(() => {
        const each = document.activeElement;
        const { outlineWidth, outlineStyle } = getComputedStyle(each);
        const { left, top, right, bottom } = each.getBoundingClientRect();
        return {
          place: Number(each.dataset.test),
          what: each.outerHTML.slice(0, 100),
          width: parseFloat(outlineWidth),
          style: outlineStyle,
          isInside: right > 0 && bottom > 0 && left < innerWidth && top < innerHeight,
        };
      })()`) as { place: number; width: number; style: string; isInside: boolean; what: string };
      seen.push(place);
      assert(width >= 2 && style !== "none" && isInside, `the focus is not seen on ${what}`);
    }
    assertEquals(seen, Array.from({ length: wanted }, (_, i) => i), "in the order of the page");
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const nameless = nodes.filter(({ ignored, properties = [] }) =>
      !ignored && properties.some(({ name, value }) => name === "focusable" && value.value)
    ).filter(({ name, role }) => role?.value !== "RootWebArea" && !name?.value);
    assertEquals(nameless.map(({ role }) => role?.value), []);
    // What the keys do is written on the page.
    await page.focus("#plots");
    await page.keyboard.press("?");
    assertMatch((await page.textContent("#help-dialog"))!, /Space.*1 … 9.*Esc/s);
    await page.keyboard.press("Escape");
    assertEquals(await page.isVisible("#help-dialog"), false);
    assertEquals(faults, []);
    await close();
  });

  await t.step("a screen reader is told what changes, and not every number", async () => {
    const { scope, samplesTo } = lab();
    samplesTo(12);
    const { page, close } = await openPage(browser, `${scope.url}#${EVERYTHING}&span=1`);
    await until(page, "document.querySelector('#announcement').textContent !== ''");
    await page.evaluate(`(() => {
      globalThis.said = [];
      const live = document.querySelectorAll("[role=status], [role=alert], [role=log], [aria-live], output");
      for (const each of live) {
        new MutationObserver(() => said.push(each.textContent))
          .observe(each, { childList: true, characterData: true, subtree: true, attributes: true });
      }
    })()`);
    for (let i = 1; i <= 60; i++) {
      samplesTo(12 + i / 30);
      await page.evaluate("new Promise(requestAnimationFrame)");
    }
    assertEquals(await page.evaluate("said"), []);
    await page.keyboard.press("Escape"); // without the cursors
    await page.keyboard.press("Space");
    await until(page, "said.length > 0");
    for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowLeft");
    await until(page, "document.querySelector('#status').textContent !== 'Paused'");
    assertEquals(await page.evaluate("said"), ["Paused"]);
    await close();
  });

  await t.step("the replies have a row of their own, with what was measured of them", async () => {
    const { scope, feed, samplesTo } = lab();
    samplesTo(12);
    feed.add(1, [{
      type: "data",
      sequence: 12_000n,
      origin: { sec: 1_700_000_012, nsec: 0 },
      values: [25],
    }]);
    const { page, close } = await openPage(browser, scope.url);
    await until(page, "document.querySelector('#signals tr.reply .max')?.textContent === '25'");
    const rows = await page.$$eval(
      "#signals tr.reply",
      (all) => all.map((row) => [...row.children].map((cell) => cell.textContent!.trim())),
    );
    assertEquals(rows.length, 1);
    assertEquals(rows[0]!.slice(0, 4), ["reply of voltage", "25V", "−9.511", "25"]);
    assertEquals(await page.textContent("#signals tr.signal .max"), "10");
    await close();
  });

  await t.step("as a newcomer would: villas-signal --scope, and a picture", async () => {
    await using program = start([
      ...["villas-signal", "mixed", "--values", "5", "--listen", "127.0.0.1:0", "--no-return"],
      ...["--to", "127.0.0.1:9", "--scope", "127.0.0.1:0", "--scope-control"],
    ]);
    const [, url] = await program.until("stderr", /Scope: (http:\S+)/);
    const { page, faults, close } = await openPage(browser, url!);
    await until(page, "document.querySelectorAll('#signals tr.signal').length === 5");
    await page.fill("#generator-panel [name=amplitude]", "7");
    await page.keyboard.press("Tab");
    await until(
      page,
      "Number(document.querySelector('#signals tr.signal[data-signal=\"2\"] td.value')?.title) ** 2 === 49",
    );
    assertEquals(faults, []);
    await close();
    program.interrupt();
    const { code, stdout } = await program.result();
    assertEquals([code, stdout], [0, ""]);
  });
}
