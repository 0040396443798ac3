/** A listening socket that is not a line, and the connection that comes first. */
export function bareServer(): { port: number; accept(): Promise<Deno.TcpConn>; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return {
    port: (listener.addr as Deno.NetAddr).port,
    accept: () => listener.accept(),
    close: () => listener.close(),
  };
}

/** Connects to a line without one. */
export function connectBare(line: { addr: { port: number } }): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: line.addr.port });
}

/** Everything that comes. */
export async function readToEnd(conn: Deno.Conn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}

/** Writes all of the bytes. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** The first so many. */
export async function take<T>(records: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const record of records) if (taken.push(record) === count) break;
  return taken;
}

/** Resolves when a number has not changed for a while. */
export async function standstill(count: () => number): Promise<number> {
  for (let last = -1; last !== count();) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return count();
}
