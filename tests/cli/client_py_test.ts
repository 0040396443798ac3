/** `labwire client-py` writes a file, and no other one over. That the client works is tested in tests/interop. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { folder } from "./json_serve.ts";
import { labwire } from "./run.ts";

Deno.test("client-py: writes the same to stdout and into a file, over an older one too", async () => {
  await using place = await folder({});
  const { code, stdout } = await labwire(["client-py"]);
  assertEquals(code, 0);
  assertEquals(/[^\n\x20-\x7e]/.exec(stdout), null); // whatever encoding an editor takes it for
  const path = `${place.path}/labwire_client.py`;
  for (const before of [undefined, "", "# Written by `labwire client-py`, long ago\n"]) {
    if (before !== undefined) await Deno.writeTextFile(path, before);
    const result = await labwire(["client-py", path]);
    assertEquals(result, { code: 0, stdout: "", stderr: `Wrote ${path}.\n` });
    assertEquals(await Deno.readTextFile(path), stdout);
  }
});

Deno.test("client-py: leaves alone what is something else, and says what is wrong", async () => {
  await using place = await folder({ "supply.py": "volts = 0\n" });
  const file = await labwire(["client-py", `${place.path}/supply.py`]);
  assertEquals(file.code, 2);
  assertStringIncludes(file.stderr, "it is there and holds something else; name another file");
  assertEquals(await Deno.readTextFile(`${place.path}/supply.py`), "volts = 0\n");
  const missing = await labwire(["client-py", `${place.path}/none/client.py`]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "no such directory");
  assertEquals((await labwire(["client-py", place.path])).code, 2);
});
