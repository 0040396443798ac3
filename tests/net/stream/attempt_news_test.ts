import { assertEquals } from "@std/assert";
import { AttemptNews } from "../../../lib/net/stream/attempt_news.ts";

Deno.test("attempts without end are told at first and then once a minute", () => {
  const told: (string | undefined)[] = [];
  let now = 0;
  const news = new AttemptNews(1, () => now);
  const fail = () => news.failed(new Error("Cannot connect"));
  for (; now < 150_000; now += 1000) told.push(fail());
  assertEquals(told.filter((text) => text !== undefined), [
    "Cannot connect; trying again every 1 s",
    "Cannot connect; still trying after 1 min",
    "Cannot connect; still trying after 2 min",
  ]);
  now = 5 * 3_600_000;
  assertEquals(fail(), "Cannot connect; still trying after 5 h");
  news.succeeded();
  assertEquals(fail(), "Cannot connect; trying again every 1 s");
});
