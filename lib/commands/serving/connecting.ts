/**
 * What every command has that connects: TLS.
 *
 * @module
 */

import { file, flag } from "../../cli/options.ts";
import type { TlsIdentity } from "../../net/stream/bind.ts";
import { readIdentity, readPem } from "./serving.ts";

/** The options of every command that connects. */
export const connectingOptions = {
  tls: flag({ help: "Speak TLS" }),
  ca: file({ help: "Trust the authority with this certificate, a PEM file; speaks TLS" }),
  tlsCert: file({ help: "Show the server this certificate, a PEM file; speaks TLS" }),
  tlsKey: file({ help: "The private key of that certificate, a PEM file" }),
} as const;

/** What a connection takes of their values. */
export interface Connecting {
  /** Whether TLS is spoken. */
  readonly tls: boolean;
  /** The certificate of the authority to trust, as PEM text. */
  readonly ca?: string;
  /** What to show the server. */
  readonly identity?: TlsIdentity;
}

/**
 * Reads the certificates and the key of a client.
 *
 * @param values The options' values.
 * @returns What a connection takes.
 * @throws {UsageError} If one of certificate and key is missing, or a file cannot be read.
 */
export async function readConnecting(
  values: {
    readonly tls: boolean;
    readonly ca?: string;
    readonly tlsCert?: string;
    readonly tlsKey?: string;
  },
): Promise<Connecting> {
  const ca = values.ca === undefined ? undefined : await readPem("--ca", values.ca);
  const identity = await readIdentity(values, "show the server a certificate");
  return { tls: values.tls || ca !== undefined || identity !== undefined, ca, identity };
}
