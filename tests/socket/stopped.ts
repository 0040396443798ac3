import { StreamConnection } from "../../lib/net/stream/connection.ts";

/**
 * A connection on which `first` has arrived, and `second` arrives after 60 ms, and then the end, in a program that stands still for
 * 100 ms as soon as it waits for `second`: its timers are late.
 *
 * @returns The connection.
 */
export function stoppedConnection(): StreamConnection {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  const pieces = ["first ", "second"].map((text) => new TextEncoder().encode(text));
  let reads = 0;
  const standStill = () => {
    for (const start = performance.now(); performance.now() - start < 100;);
  };
  return new StreamConnection({
    localAddr: address,
    remoteAddr: address,
    async read(buffer) {
      const piece = pieces[reads++];
      if (piece === undefined) return null;
      if (reads > 1) {
        setTimeout(standStill);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      buffer.set(piece);
      return piece.length;
    },
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close: () => {},
  });
}
