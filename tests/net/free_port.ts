/** Ports that nobody else gets meanwhile: below those that a system gives away by itself. */

const [FIRST, LAST] = [10_000, 32_000];

/**
 * Finds a port at 127.0.0.1 where nobody listens.
 *
 * @param transport For which transport.
 * @param count How many neighbours are wanted.
 * @returns The port, or the first of them. Other tests find others, also while they run at the same time.
 */
export function freePort(transport: "tcp" | "udp" = "tcp", count = 1): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    const ports = Array.from({ length: count }, (_, i) => port + i);
    if (ports.every((each) => isFree(transport, each))) return port;
  }
}

function isFree(transport: "tcp" | "udp", port: number): boolean {
  const address = { hostname: "127.0.0.1", port };
  try {
    if (transport === "tcp") Deno.listen(address).close();
    else Deno.listenDatagram({ transport, ...address }).close();
    return true;
  } catch {
    return false;
  }
}
