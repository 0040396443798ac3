/**
 * What every command has that accepts connections: who may connect, and TLS.
 *
 * @module
 */

import type { Context } from "../cli/context.ts";
import { graceOption } from "../cli/grace_option.ts";
import { file, value } from "../cli/options.ts";
import { UsageError } from "../errors.ts";
import { type AllowList, parseCidrList } from "../net/allow_list.ts";
import type { TlsIdentity } from "../net/bind_stream.ts";
import { isLoopback } from "../net/localhost.ts";

/** The options `--allow`, `--tls-cert`, `--tls-key` and `--grace`. */
export const servingOptions = {
  allow: value(
    { help: "Who may connect: addresses and networks, such as 192.168.1.0/24" },
    "CIDR,…",
    parseCidrList,
  ),
  tlsCert: file({ help: "Serve TLS with this certificate, a PEM file" }),
  tlsKey: file({ help: "The private key of the certificate, a PEM file" }),
  grace: graceOption,
} as const;

/** The values of {@linkcode servingOptions}. */
export interface ServingValues {
  readonly allow?: AllowList;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/**
 * Reads certificate and key, and warns of a server that everybody can reach.
 *
 * @param values The options' values.
 * @param host The host that is listened on.
 * @param say Where to warn.
 * @returns What a listener takes.
 * @throws {UsageError} If only one of certificate and key is given, or they cannot be read.
 */
export async function readServing(
  { allow, tlsCert, tlsKey }: ServingValues,
  host: string,
  say: Context["say"],
): Promise<{ allow?: AllowList; tls?: TlsIdentity }> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("Cannot serve TLS: expected both --tls-cert and --tls-key");
  }
  const tls = tlsCert === undefined || tlsKey === undefined ? undefined : {
    cert: await readPem("--tls-cert", tlsCert),
    key: await readPem("--tls-key", tlsKey),
  };
  if (!isLoopback(host) && !allow && !tls) {
    say.warn(
      `Everybody who can reach ${host} can connect: restrict that with --allow, or serve TLS with --tls-cert and --tls-key`,
    );
  }
  return { allow, tls };
}

/**
 * Reads a PEM file that an option names.
 *
 * @param option The option, for the error message.
 * @param path The file.
 * @returns Its text.
 * @throws {UsageError} If it cannot be read.
 */
export async function readPem(option: string, path: string): Promise<string> {
  try {
    const text = await Deno.readTextFile(path);
    if (text.includes(`-----BEGIN`)) return text;
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "no such file" : String(cause);
    throw new UsageError(`Cannot read ${option} "${path}": ${why}`, { cause });
  }
  throw new UsageError(`Cannot read ${option} "${path}": expected a PEM file`);
}
