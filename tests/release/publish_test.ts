import { assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

/** Runs a subcommand of Deno in the repository. */
async function deno(args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1", ...env },
  }).output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("package: every public symbol has documentation", async () => {
  const { code, output } = await deno(["doc", "--lint", ...Object.values(config.exports)]);
  assertEquals(code, 0, output);
});

Deno.test("package: internals are not exported", async () => {
  const { code, output } = await deno(["doc", "--json", ...Object.values(config.exports)]);
  assertEquals(code, 0, output);
  const names = new Set([...output.matchAll(/"name": ?"(\w+)"/g)].map(([, name]) => name!));
  assertEquals(
    ["Line", "LinePeer", "startJsonServer", "recordBytes"].filter((name) => !names.has(name)),
    [],
  );
  const internal = ["Queue", "LineConnection", "Broadcast", "Responder", "ReadSide", "WriteSide"];
  const members = ["giveUp", "point", "blocks", "stampArrival", "sendEnd"];
  assertEquals([...internal, ...members].filter((name) => names.has(name)), []);
});

Deno.test("package: is published without warnings, and depends on no linked package", async () => {
  let published: Uint8Array<ArrayBuffer> | undefined;
  await using registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "POST") {
        published = new Uint8Array(await request.arrayBuffer());
        return Response.json({ id: "1", status: "success", error: null });
      }
      return pathname.includes("/versions/")
        ? Response.json({ code: "packageVersionNotFound", message: "" }, { status: 404 })
        : Response.json({ scope: "labwire", name: "labwire" });
    },
  );
  const { code, output } = await deno(
    ["publish", "--allow-dirty", "--no-provenance", "--token", "none"],
    { JSR_URL: `http://127.0.0.1:${registry.addr.port}` },
  );
  assertEquals(code, 0, output);
  assertEquals(/^(warning|error)/m.exec(output), null, output);
  const tar = new Blob([published!]).stream().pipeThrough(new DecompressionStream("gzip"));
  const files = readTar(new Uint8Array(await new Response(tar).arrayBuffer()));
  for (const path of Object.values(config.exports)) assertMatch(files[path.slice(2)] ?? "", /./);
  const parse = files["lib/cli/parse.ts"] ?? "";
  assertMatch(parse, /from "jsr:@std\/cli@\^[\d.]+\/parse-args"/);
  const bytes = files["lib/net/stream/write_side.ts"] ?? "";
  assertMatch(bytes, /from "jsr:@std\/bytes@\^[\d.]+\/concat"/);
  const strays = Object.keys(files).filter((path) => /^(tests|\.|lib\/release)/.test(path));
  assertEquals(strays, []);
});

/** The files of an uncompressed tar archive, by path. */
function readTar(tar: Uint8Array): Record<string, string> {
  const files: Record<string, string> = {};
  const field = (at: number, length: number) =>
    new TextDecoder().decode(tar.subarray(at, at + length)).replace(/\0.*$/s, "");
  for (let at = 0; tar[at];) {
    const size = parseInt(field(at + 124, 12), 8);
    files[field(at, 100)] = field(at + 512, size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
