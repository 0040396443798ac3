import { assertEquals } from "@std/assert";
import { placeOf } from "../../lib/handlers/place.ts";

Deno.test("placeOf() names no file of labwire's own, its program included", () => {
  const own = ["main.ts", "lib/handlers/python/module.ts"]
    .map((path) => `    at async ${new URL(`../../${path}`, import.meta.url)}:11:33`);
  const error = new Error("too slow");
  error.stack = ["Error: too slow", ...own].join("\n");
  assertEquals(placeOf(error), undefined);
  const user = new URL("file:///home/me/supply.js");
  error.stack += `\n    at handle (${user}:3:7)`;
  assertEquals(placeOf(error)?.replaceAll("\\", "/").endsWith("/home/me/supply.js:3:7"), true);
});
