import { assertEquals } from "@std/assert";
import { notify } from "../../lib/time/lifecycle.ts";

Deno.test("notify: what an observer throws or rejects with is reported, and thrown nowhere", async () => {
  const thrown = new Error("thrown");
  const rejected = new Error("rejected");
  const seen: unknown[] = [];
  const both = Promise.withResolvers<void>();
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    if (seen.push(event.error) === 2) both.resolve();
  };
  addEventListener("error", listener);
  try {
    notify(() => {
      throw thrown;
    });
    notify(() => Promise.reject(rejected));
    await both.promise;
  } finally {
    removeEventListener("error", listener);
  }
  assertEquals(seen, [thrown, rejected]);
});
