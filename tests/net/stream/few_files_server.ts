/** An echo server that a test starts where few files may be open. */

import { listenStream } from "../../../lib/net/stream/listener.ts";

const listener = listenStream({
  host: "127.0.0.1",
  port: 0,
  onConnection: async (connection) => {
    for await (const chunk of connection) await connection.write(chunk);
  },
  onProblem: ({ kind, message }) => console.log(`${kind}: ${message}`),
});
console.log(listener.addr.port);
await listener.finished;
