/** What a module in Python makes of samples that come together. */

import { assertEquals, assertRejects } from "@std/assert";
import type { BatchHandler, Sample, Value } from "../../../mod.ts";
import { NUMPY, PYTHON } from "../../interop/python.ts";
import { open } from "./open.ts";

const HIDE_NUMPY = "import sys\nsys.modules['numpy'] = None\n";

/** Opens a module with these functions; its calls return the values of the replies, by sample. */
async function openSamples(source: string, python: string) {
  const opened = await open(source, { python }, { kind: "samples" });
  let count = 0n;
  return {
    async call(...rows: Value[][]): Promise<[index: number, values: readonly Value[]][]> {
      const samples = rows.map((values): Sample => ({ type: "data", values, sequence: count++ }));
      const handler = opened.module.exports.handle_batch as BatchHandler;
      const received = [{ sec: 1, nsec: 0 }];
      const { replies } = await handler(samples, samples.map(() => 0), received);
      return replies.map(({ index, sample }) => [index, sample.values as readonly Value[]]);
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

const EXACT = 2n ** 53n + 1n;

/** Rows of: what the module does, its handle_batch(), what comes, and the replies. */
const TABLES: readonly (readonly [string, string, Value[][], [number, Value[]][]])[] = [
  [
    "only looks at the table",
    "len(samples.values)\n    return samples",
    [[EXACT, 1.5], [-EXACT, 2.5]],
    [[0, [EXACT, 1.5]], [1, [-EXACT, 2.5]]],
  ],
  [
    "changes the samples after it has looked at the table",
    "len(samples.values)\n    for s in samples: s.values = [s.values[0], 2 * s.values[1]]\n    return samples",
    [[EXACT, 1.5], [1n, 2.5]],
    [[0, [EXACT, 3]], [1, [1n, 5]]],
  ],
  [
    "changes a sample, looks at the table, and changes the sample again",
    "samples[0].values = [5.0]\n    len(samples.values)\n    samples[0].values = [6.0]\n    return samples",
    [[1.5], [2.5]],
    [[0, [6]], [1, [2.5]]],
  ],
  [
    "changes a column of the table",
    "for row in samples.values: row[1] *= -1\n    return samples",
    [[EXACT, 0, NaN], [true, 2.5, 3.5]],
    [[0, [EXACT, -0, NaN]], [1, [true, -2.5, 3.5]]],
  ],
  [
    "changes the table and returns some of the samples",
    "for row in samples.values: row[0] *= 2\n    return samples[1:]",
    [[1.5], [2.5]],
    [[1, [5]]],
  ],
  [
    "changes the table and removes the first sample",
    "for row in samples.values: row[0] *= 2\n    del samples[0]\n    return samples",
    [[1.5], [2.5]],
    [[1, [5]]],
  ],
  [
    "assigns a list of rows",
    "samples.values = [[2 * v for v in s.values] for s in samples]\n    return samples",
    [[1.5], [2.5]],
    [[0, [3]], [1, [5]]],
  ],
  [
    "removes the first sample and returns rows",
    "del samples[0]\n    return [[2 * v for v in s.values] for s in samples]",
    [[1.5], [2.5]],
    [[1, [5]]],
  ],
];

for (const [what, body, given, expected] of TABLES) {
  for (const numpy of [true, false]) {
    Deno.test(`handle_batch() ${what}, ${numpy ? "with" : "without"} numpy`, {
      ignore: numpy && NUMPY === undefined,
    }, async () => {
      const source = `${numpy ? "" : HIDE_NUMPY}def handle_batch(samples):\n    ${body}\n`;
      await using it = await openSamples(source, numpy ? NUMPY! : PYTHON);
      assertEquals(await it.call(...given), expected);
    });
  }
}

Deno.test("handle_batch() that assigns a table of another length is told so", async () => {
  const source = "def handle_batch(samples):\n    samples.values = [[1.0]]\n    return samples\n";
  await using it = await openSamples(source, PYTHON);
  const message =
    "Refused a table of 1 rows that the handler returned: expected a row for each of 2 samples";
  await assertRejects(() => it.call([1.5], [2.5]), Error, message);
});

for (
  const [name, source] of [
    [
      "handle()",
      "def handle(sample):\n    kept.append(sample)\n    return kept.pop(0) if len(kept) > 1 else None\n",
    ],
    [
      "handle_batch()",
      "def handle_batch(samples):\n    kept.extend(samples)\n    return [kept.pop(0) for _ in kept[1:]]\n",
    ],
  ]
) {
  Deno.test(`${name} may answer with a sample of an earlier message`, async () => {
    await using it = await openSamples(`kept = []\n${source}`, PYTHON);
    assertEquals(
      (await it.call([0.5], [1.5], [2.5])).map(([, values]) => values),
      [[0.5], [1.5]],
    );
    assertEquals(await it.call([3.5]), [[0, [2.5]]]);
    assertEquals(await it.call([4.5]), [[0, [3.5]]]);
  });
}

Deno.test("the end interrupts a handler once for all samples of a message, so that close() runs", async () => {
  const opened = await open(
    `
import time
def handle(sample):
    print("handles", sample.values, flush=True)
    while True: time.sleep(0.01)
def close(): print("switched off")
`,
    {},
    { kind: "samples" },
  );
  const handler = opened.module.exports.handle_batch as BatchHandler;
  const samples = [1, 2, 3].map((n): Sample => ({ type: "data", values: [n] }));
  const calling = assertRejects(() => handler(samples, [0, 0, 0], [{ sec: 1, nsec: 0 }]));
  await opened.until("handles");
  await opened[Symbol.asyncDispose]();
  await calling;
  assertEquals(opened.printed(), "handles [1.0]\nswitched off\n");
  assertEquals(opened.problems, []);
});
