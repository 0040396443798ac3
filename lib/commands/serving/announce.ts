/**
 * How every command says that it listens: in the same words, and in a file for scripts.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { file } from "../../cli/options.ts";
import { UsageError } from "../../errors.ts";
import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { isLoopback } from "../../net/address/localhost.ts";
import { writePortFile } from "./port_file.ts";

/** The option `--port-file`. */
export const portFileOption = {
  portFile: file({
    help:
      "Write the bound port into this file when everything listens; removed at the end. A file that holds something else is left alone",
  }),
} as const;

/** What {@linkcode announce} says. */
export interface Announcement {
  /** The addresses that are bound. */
  readonly addrs: readonly Endpoint[];
  /** What else there is to know of them. */
  readonly detail?: string;
  /** What it does now; "Ready" unless given. */
  readonly state?: string;
  /** The value of {@linkcode portFileOption}. */
  readonly portFile?: string;
  /** Warns of a server that everybody can reach: what they could do, and what keeps them from it. */
  readonly openTo?: { readonly everybody: string; readonly remedy: string };
}

/**
 * Says that a command listens and is ready, and writes its port into a file where that is wanted.
 *
 * @param say Where to.
 * @param announcement What there is to say.
 * @returns Takes the file away at the end.
 * @throws {UsageError} If the file cannot be written, or there is no port.
 */
export function announce(
  say: Context["say"],
  { addrs, detail, state = "Ready", portFile, openTo }: Announcement,
): Disposable {
  const written = portFile === undefined ? undefined : writePortFile(portFile, portOf(addrs));
  const open = addrs.find((addr) => "hostname" in addr && !isLoopback(addr.hostname));
  if (openTo && open) {
    const { hostname } = open as { hostname: string };
    say.warn(`Everybody who can reach ${hostname} ${openTo.everybody}: ${openTo.remedy}`);
  }
  const where = addrs.map(formatAddress).join(" and ");
  say.info(`Listening on ${detail === undefined ? where : `${where}, ${detail}`}`);
  say.info(`${state}. Ctrl-C to quit.`);
  return { [Symbol.dispose]: () => written?.[Symbol.dispose]() };
}

function portOf(addrs: readonly Endpoint[]): number {
  for (const addr of addrs) if ("port" in addr) return addr.port;
  throw new UsageError("Cannot use --port-file with a unix socket: it has no port");
}
