import { Peer } from "../json/peer.ts";
import { type Running, startServer } from "./run.ts";

/** The real json-server on a free port, ready. */
export async function serve(args: string[], options: { cwd?: string } = {}) {
  const program = startServer(["json-server", "--port", "0", ...args], options);
  const [, host, port] = await program.until(
    "stderr",
    /Listening on (\S+):(\d+)[^]*Ready\. Ctrl-C to quit\./,
  );
  const addr = { hostname: host!, port: Number(port) };
  return {
    program,
    addr,
    connect: () => Peer.connect(addr),
    /** Asks one message on a connection of its own. */
    async ask(line: string): Promise<string> {
      await using peer = await Peer.connect(addr);
      return await peer.ask(line);
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** A folder with some files in it. */
export async function folder(files: Record<string, string>) {
  const path = await Deno.makeTempDir({ prefix: "labwire-test-" });
  for (const [name, text] of Object.entries(files)) {
    const [, inner] = /^(.*)\//.exec(name) ?? [];
    if (inner !== undefined) await Deno.mkdir(`${path}/${inner}`, { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Ends a program with Ctrl-C, or by force where there is none, and returns what it printed. */
export async function interrupt(program: Running) {
  program.interrupt();
  return await program.result();
}
