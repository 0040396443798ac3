/** What Deno itself can do: accepts, reads once, parses, writes an answer, closes. Prints its port. */

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log((listener.addr as Deno.NetAddr).port);
const answer = new TextEncoder().encode('{"status": "success"}\n');
const decoder = new TextDecoder();

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  const length = await conn.read(buffer);
  if (length !== null) {
    JSON.parse(decoder.decode(buffer.subarray(0, length)));
    await conn.write(answer);
  }
  conn.close();
}

for await (const conn of listener) serve(conn).catch(() => {});
