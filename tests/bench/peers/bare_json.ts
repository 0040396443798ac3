/**
 * What Deno itself can do: accepts, reads once, parses, writes an answer, closes. With the argument "keep" it takes further messages
 * of the connection, and closes when the client has. Prints its port.
 */

const keeps = Deno.args.includes("keep");
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log((listener.addr as Deno.NetAddr).port);
const answer = new TextEncoder().encode('{"status": "success"}\n');
const decoder = new TextDecoder();

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1024);
  for (let length; (length = await conn.read(buffer)) !== null;) {
    JSON.parse(decoder.decode(buffer.subarray(0, length)));
    await conn.write(answer);
    if (!keeps) break;
  }
  conn.close();
}

for await (const conn of listener) serve(conn).catch(() => {});
