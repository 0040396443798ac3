import { assertEquals } from "@std/assert";
import { SourceFiles } from "../../lib/handlers/source_files.ts";

Deno.test("a file that an editor is writing has not changed until there is something in it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  const path = `${folder}/supply.py`;
  const changes: boolean[] = [];
  try {
    await Deno.writeTextFile(path, "volts = 1\n");
    const files = new SourceFiles([path]);
    const look = () => changes.push(files.changed());
    look();
    await Deno.truncate(path);
    look();
    await Deno.writeTextFile(path, "volts = 12\n");
    look();
    files.accept();
    look();
    await Deno.remove(path);
    look();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(changes, [false, false, true, false, false]);
});
