/** Lines of structs for tests of the running program. */

import { labwire, type Running, type StartOptions, startServer } from "./run.ts";

/** A server on a free port, ready. */
export async function serve(args: string[], options: StartOptions = {}) {
  const program = startServer(["struct-line", "server", "--port", "0", ...args], options);
  const [, port] = await program.until(
    "stderr",
    /Listening on (?:127\.0\.0\.1|0\.0\.0\.0):(\d+)[^]*Ready\. Ctrl-C to quit\./,
  );
  return {
    program,
    port: port!,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) }),
    client: (args: string[], options: StartOptions & { input?: string } = {}) =>
      labwire(["struct-line", "client", "--port", port!, ...args], options),
    async stop() {
      program.interrupt();
      return await program.result();
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** A listening socket of the test's own, for clients. */
export function bareServer(port = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  return {
    port: String((listener.addr as Deno.NetAddr).port),
    accept: () => listener.accept(),
    [Symbol.dispose]: () => listener.close(),
  };
}

/** A client of a server at 127.0.0.1. */
export function client(port: string, args: string[], options: StartOptions = {}): Running {
  return startServer(
    ["struct-line", "client", "--port", port, "--host", "127.0.0.1", ...args],
    options,
  );
}

/** All that comes, in hex. */
export async function readToEnd(conn: Deno.Conn): Promise<string> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer()).toHex();
}

/** So many bytes. */
export async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) at += (await conn.read(bytes.subarray(at)))!;
  return bytes;
}
