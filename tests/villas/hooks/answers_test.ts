import { assertEquals } from "@std/assert";
import { Answers } from "../../../lib/villas/hooks/answers.ts";
import { batchOf } from "../../../lib/villas/node.ts";

const MOST = 65536;

/** Samples of some numbers. */
const samples = (numbers: readonly number[]) =>
  batchOf(numbers.map((n) => ({ type: "data" as const, sequence: BigInt(n), values: [] })));

/** How many of some numbers are on the way; they are answered by that. */
function answered(answers: Answers, numbers: readonly number[]): number {
  const before = answers.outstanding;
  answers.back(samples(numbers));
  return before - answers.outstanding;
}

Deno.test("of samples without an answer, those that were sent first are given up", () => {
  const answers = new Answers();
  const send = (...numbers: number[]) => answers.sent.prepare?.(samples(numbers));
  // 1 comes twice, and 3 is answered before its turn.
  send(0, 1, 1, 2, 3, 4);
  for (let n = 5; n < MOST; n++) send(n);
  assertEquals([answers.outstanding, answered(answers, [3])], [MOST, 1]);
  send(MOST, MOST + 1, MOST + 2, MOST + 3, MOST + 4);
  assertEquals([answers.outstanding, answered(answers, [0, 1, 2, 4])], [MOST, 0]);
  assertEquals(answered(answers, [5, 6, MOST + 4]), 3);

  answers.forgetAll();
  for (let i = 0; i < MOST + 10; i++) send(7);
  assertEquals([answers.outstanding, answered(answers, [7, 8, 7])], [MOST, 2]);
  for (let n = 10; n < 3 * MOST; n++) send(n);
  assertEquals([answers.outstanding, answered(answers, [7, 2 * MOST - 1, 2 * MOST])], [MOST, 1]);
});
