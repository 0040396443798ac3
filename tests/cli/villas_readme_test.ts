import { assert, assertEquals } from "@std/assert";
import { globalOptions, parseOptions } from "../../lib/cli/parse.ts";
import { registry } from "../../lib/commands/registry.ts";
import { formatAddress, splitCommandLine, startVillasEcho } from "../../mod.ts";
import { labwire } from "./run.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const section = readme.split(/^## /m).find((text) => text.startsWith("villas-echo"))!;
const examples = [...section.matchAll(/^labwire (villas-\w+)(.*)$/gm)].map(([, name, rest]) => ({
  name: name!,
  args: splitCommandLine(`labwire ${rest!.replace(/#.*/, "")}`, { windows: false }).slice(1),
}));

for (const { name, args } of examples) {
  Deno.test(`README: ${[name, ...args].join(" ")} is a command line that there is`, async () => {
    const command = await registry[name]!();
    const { options } = parseOptions({ ...command.options, ...globalOptions }, args);
    const { limit, rate } = options as { limit?: number; rate?: number };
    // Who tries it should not have to wait without seeing anything.
    if (limit !== undefined) assert(limit / rate! <= 5, `it takes ${limit / rate!} s`);
  });
}

Deno.test("README: the check of a client finds every sample of the echo unchanged", async () => {
  await using echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
  });
  const { name, args } = examples.find(({ args }) => args.includes("--check"))!;
  const ends = ["--listen", "127.0.0.1:0", "--to", formatAddress(echo.addr)];
  const { code, stdout, stderr } = await labwire([name, ...args, ...ends]);
  assertEquals([code, stdout], [0, ""], stderr);
});
