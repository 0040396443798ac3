/**
 * Learns that nobody listens on a UDP port. Linux gets the answer (ICMP "port unreachable") but keeps it from a socket that is
 * not connected, which Deno's are not, unless it is asked to report it. That needs one system call on Deno's own socket.
 *
 * @module
 */

import type { Endpoint } from "./address.ts";
import { isIPv6 } from "./address.ts";

/** Level and name of the option that has errors reported: IP_RECVERR and IPV6_RECVERR. */
const RECVERR = { v4: [0, 11], v6: [41, 25] } as const;
/** Level and name of the option that holds the error: SOL_SOCKET, SO_ERROR. */
const SO_ERROR = [1, 4] as const;
const ECONNREFUSED = 111;

const symbols = {
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
} as const;

/** Tells whether the system has reported a refusal. */
export interface RefusalWatch extends Disposable {
  /** To be called when a datagram was sent. */
  sent?(): void;
  /** Whether a datagram was refused since the last call. */
  refused(): boolean;
}

/**
 * Watches a bound UDP socket for refusals.
 *
 * @param addr The socket's bound address.
 * @returns The watch; undefined where the platform does not tell (anything but Linux), or the program may not ask it (it needs
 * the permissions `--allow-ffi` and `--allow-read`).
 */
export function watchRefusals(addr: Endpoint): RefusalWatch | undefined {
  if (Deno.build.os !== "linux" || "path" in addr) return undefined;
  if (!isPermitted()) return undefined;
  try {
    const v6 = isIPv6(addr.hostname);
    const fd = findSocket(addr.port, v6);
    if (fd === undefined) return undefined;
    const libc = Deno.dlopen("libc.so.6", symbols);
    const [level, name] = v6 ? RECVERR.v6 : RECVERR.v4;
    libc.symbols.setsockopt(fd, level, name, new Int32Array([1]), 4);
    const error = new Int32Array(1);
    let open = true;
    return {
      refused() {
        // The descriptor may belong to another file by now.
        if (!open) return false;
        libc.symbols.getsockopt(fd, ...SO_ERROR, error, new Uint32Array([4]));
        return error[0] === ECONNREFUSED;
      },
      [Symbol.dispose]() {
        if (open) libc.close();
        open = false;
      },
    };
  } catch {
    // Another C library, or no /proc: the platform does not tell.
    return undefined;
  }
}

function isPermitted(): boolean {
  const granted = (name: "ffi" | "read") =>
    Deno.permissions.querySync({ name }).state === "granted";
  return granted("ffi") && granted("read");
}

/** The file descriptor of this process's UDP socket that is bound to a port. */
function findSocket(port: number, v6: boolean): number | undefined {
  const table = Deno.readTextFileSync(v6 ? "/proc/self/net/udp6" : "/proc/self/net/udp");
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  const sockets = rows.filter((row) => row[1]?.endsWith(suffix)).map((row) => `socket:[${row[9]}]`);
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (sockets.includes(Deno.readLinkSync(`/proc/self/fd/${name}`))) return Number(name);
    } catch {
      // the descriptor that reads the folder
    }
  }
  return undefined;
}
