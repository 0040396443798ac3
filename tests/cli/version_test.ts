import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { labwire, programCommand } from "./run.ts";

const isExecutable = Deno.env.get("LABWIRE_BIN") !== undefined;

Deno.test("labwire --version tells labwire, what it runs on, and of an executable the commit", async () => {
  const { code, stdout, stderr } = await labwire(["--version"]);
  assertEquals([code, stderr], [0, ""]);
  const lines = Object.fromEntries(stdout.trimEnd().split("\n").map((line) => line.split(" ")));
  assertEquals(lines.labwire, config.version);
  assertEquals(lines.target, Deno.build.target);
  assertMatch(lines.deno, /^\d+\.\d+\.\d+/);
  assertMatch(lines.v8, /^\d+\./);
  if (isExecutable) assertMatch(lines.commit, /^([0-9a-f]{12}\+?|unknown)$/);
  else assertEquals(lines.commit, undefined);
});

Deno.test("labwire -V is --version, behind a command too", async () => {
  const version = await labwire(["--version"]);
  assertEquals(await labwire(["-V"]), version);
  assertEquals(await labwire(["lab19", "--version"]), version);
});

Deno.test({
  name: "labwire says so when its output cannot be written (where there is a /dev/full)",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [program, before] = programCommand();
    const shell = 'exec "$0" "$@" > /dev/full';
    const args = ["-c", shell, program, ...before, "--version"];
    const { code, stderr } = await new Deno.Command("sh", { args, env: { NO_COLOR: "1" } })
      .output();
    assertEquals(code, 1);
    assertStringIncludes(new TextDecoder().decode(stderr), "Cannot write to standard output");
  },
});

Deno.test({
  name:
    "NO_COLOR that is no UTF-8 is set all the same (not on Windows, whose variables are UTF-16)",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const [program, before] = programCommand();
    const script = 'NO_COLOR=$(printf "\\377") exec "$@" --version';
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", script, "sh", program, ...before],
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  },
});
