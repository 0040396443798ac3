import { assertEquals, assertRejects } from "@std/assert";
import { retry } from "../../lib/time/retry.ts";
import { ReportedErrors } from "./reported_errors.ts";

Deno.test("retry() tries again until it works", async () => {
  const said: string[] = [];
  const result = await retry((number) => {
    if (number < 3) return Promise.reject(new Error(`no ${number}`));
    return Promise.resolve(`attempt ${number}`);
  }, {
    attempts: 5,
    retryDelay: 0.5,
    onAttemptFailed: (attempt, attempts, error) => {
      said.push(`${attempt} of ${attempts}: ${(error as Error).message}`);
    },
    sleep: (seconds) => Promise.resolve(void said.push(`sleep ${seconds}`)),
  });
  assertEquals(result, "attempt 3");
  assertEquals(said, ["1 of 5: no 1", "sleep 0.5", "2 of 5: no 2", "sleep 0.5"]);
});

Deno.test("retry() throws the last error, without a wait behind it", async () => {
  const sleeps: number[] = [];
  const sleep = (seconds: number) => Promise.resolve(void sleeps.push(seconds));
  const fail = (number: number) => Promise.reject(new Error(`no ${number}`));
  await assertRejects(() => retry(fail, { attempts: 3, sleep }), Error, "no 3");
  assertEquals(sleeps, [1, 1]);
  await assertRejects(() => retry(fail), Error, "no 1");
});

Deno.test("retry() gives up at an error that is not worth another attempt", async () => {
  const fail = (number: number) => Promise.reject(new Error(`no ${number}`));
  const options = { attempts: 3, isWorthRetrying: () => false };
  await assertRejects(() => retry(fail, options), Error, "no 1");
});

Deno.test("retry() stops waiting when the signal is aborted", async () => {
  const controller = new AbortController();
  const options = {
    attempts: Infinity,
    retryDelay: 1000,
    signal: controller.signal,
    onAttemptFailed: () => queueMicrotask(() => controller.abort(new Error("enough"))),
  };
  await assertRejects(() => retry(() => Promise.reject(new Error("no")), options), Error, "enough");
});

Deno.test("retry() begins no attempt when the signal is aborted, and tells of none that it ended", async () => {
  const controller = new AbortController();
  const attempts: number[] = [];
  const fail = (number: number) => {
    attempts.push(number);
    controller.abort(new Error("enough"));
    return Promise.reject(new Error("no"));
  };
  const told: number[] = [];
  const options = {
    attempts: 3,
    signal: controller.signal,
    onAttemptFailed: (number: number) => void told.push(number),
  };
  await assertRejects(() => retry(fail, options), Error, "no");
  await assertRejects(() => retry(fail, options), Error, "enough");
  assertEquals([attempts, told], [[1], []]);
});

Deno.test("retry() goes on where what is told of an attempt throws", async () => {
  using reported = new ReportedErrors();
  const result = await retry((n) => n < 2 ? Promise.reject(new Error("no")) : Promise.resolve(n), {
    attempts: 3,
    sleep: () => Promise.resolve(),
    onAttemptFailed() {
      throw new Error("observer");
    },
  });
  assertEquals([result, ...reported.messages], [2, "observer"]);
});
