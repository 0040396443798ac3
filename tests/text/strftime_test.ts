import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { strftime } from "../../lib/text/strftime.ts";

const pattern = "%Y|%y|%m|%d|%H|%I|%M|%S|%p|%j|%a|%A|%b|%B|%F|%T|%s|%z|%%";

Deno.test("strftime() writes what Python's time.strftime() writes in the same zone", async () => {
  const times = [0, 951_782_400, 1_795_253_843, 1_774_745_999, 4_102_444_799];
  const program = `import time
for t in ${JSON.stringify(times)}: print(time.strftime(${
    JSON.stringify(pattern)
  }, time.localtime(t)))`;
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("python3", { args: ["-c", program] }).output();
  } catch {
    return console.warn("python3 is missing: not tested");
  }
  const expected = new TextDecoder().decode(output.stdout).trim().split("\n");
  assertEquals(times.map((time) => strftime(pattern, new Date(time * 1000))), expected);
});

Deno.test("strftime() refuses fields that it does not know, and says which there are", () => {
  assertThrows(() => strftime("run-%Q.dat", new Date()), UsageError, 'Cannot use "%Q"');
  assertThrows(() => strftime("50%", new Date()), UsageError, 'Cannot use "%" in "50%"');
});
