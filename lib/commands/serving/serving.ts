/**
 * What every command has that accepts connections: who may connect, and TLS.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { graceOption } from "../../cli/grace_option.ts";
import { file, flag, seconds, value } from "../../cli/options.ts";
import { UsageError, whyUnreadable } from "../../errors.ts";
import type { HostPort } from "../../net/address/address.ts";
import { type AllowList, parseCidrList } from "../../net/address/allow_list.ts";
import type { TlsIdentity, TlsServing } from "../../net/stream/bind.ts";
import { counted } from "../../text/wording.ts";
import { whenAborted } from "../../time/lifecycle.ts";
import { announce, portFileOption } from "./announce.ts";

/** The options of every command that accepts connections. */
export const servingOptions = {
  allow: value(
    { help: "Who may connect: addresses and networks, such as 192.168.1.0/24" },
    "CIDR,…",
    parseCidrList,
  ),
  allowHttp: flag({
    help:
      "Let HTTP and STUN requests in, which any web page can make a browser on this computer send",
  }),
  tlsCert: file({ help: "Serve TLS with this certificate, a PEM file" }),
  tlsKey: file({ help: "The private key of the certificate, a PEM file" }),
  tlsClientCa: file({
    help: "Serve only clients with a certificate that this authority has signed, a PEM file",
  }),
  grace: graceOption,
  ...portFileOption,
} as const;

/** The option of servers that know where a message ends. */
export const messageTimeoutOption = {
  messageTimeout: seconds({
    default: 30,
    help: "Seconds within which a message must be complete, from its first byte on; 0 for no limit",
  }),
} as const;

/** The values of {@linkcode servingOptions}. */
export interface ServingValues {
  readonly allow?: AllowList;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly portFile?: string;
}

/** What a listener takes of them. */
export interface Serving {
  readonly allow?: AllowList;
  readonly tls?: TlsServing;
}

/**
 * Reads the certificates and the key of a server.
 *
 * @param values The options' values.
 * @returns What a listener takes.
 * @throws {UsageError} If only some of them are given, or they cannot be read.
 */
export async function readServing(values: ServingValues): Promise<Serving> {
  const { allow, tlsClientCa } = values;
  const identity = await readIdentity(values, "serve TLS");
  if (tlsClientCa === undefined) return { allow, tls: identity };
  if (!identity) {
    throw new UsageError(
      "Cannot verify client certificates without TLS: expected --tls-cert and --tls-key with --tls-client-ca",
    );
  }
  return { allow, tls: { ...identity, clientCa: await readPem("--tls-client-ca", tlsClientCa) } };
}

/**
 * Reads the certificate and the key of either side.
 *
 * @param values The options' values.
 * @param purpose What they are for, for the error message.
 * @returns Both, or undefined where neither is given.
 * @throws {UsageError} If only one of them is given, or they cannot be read.
 */
export async function readIdentity(
  { tlsCert, tlsKey }: { readonly tlsCert?: string; readonly tlsKey?: string },
  purpose: string,
): Promise<TlsIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError(`Cannot ${purpose}: expected both --tls-cert and --tls-key`);
  }
  return {
    cert: await readPem("--tls-cert", tlsCert),
    key: await readPem("--tls-key", tlsKey, "a private key"),
  };
}

/**
 * Says that a server listens, and warns if everybody can reach it.
 *
 * @param say Where to.
 * @param addrs The addresses that are bound.
 * @param values The options' values.
 * @param udp Whether it serves datagrams, for which there is no TLS.
 * @returns To be disposed of at the end.
 * @throws {UsageError} If the port cannot be written where it is wanted.
 */
export function announceServer(
  say: Context["say"],
  addrs: readonly HostPort[],
  { allow, tlsCert, portFile }: ServingValues,
  udp = false,
): Disposable {
  const everybody = udp ? "is served" : "can connect";
  const remedy = `restrict that with --allow${
    udp ? "" : ", or serve TLS with --tls-cert and --tls-key"
  }`;
  const open = !allow && tlsCert === undefined;
  return announce(say, { addrs, portFile, openTo: open ? { everybody, remedy } : undefined });
}

/**
 * Says what went wrong with one client, with the way out where there is one.
 *
 * @param problem What went wrong.
 */
export function problemText({ kind, message }: { kind: string; message: string }): string {
  return kind === "http" || kind === "stun" ? `${message}; --allow-http lets them in` : message;
}

/**
 * Says what a server waits for when it closes.
 *
 * @param open How many connections are open.
 * @returns Undefined where there is none.
 */
export function connectionsToEnd(open: number): string | undefined {
  return open === 0 ? undefined : `${counted(open, "connection")} to end`;
}

/** How often it is looked whether peers have closed, and how often they may not have, as closing takes up to a second, in ms. */
const [LOOK, LOOKS] = [250, 5];

/** What {@linkcode describeClosing} describes. */
export interface Closing {
  /** Says what is waited for at first. */
  readonly work: () => string | undefined;
  /** Says what is waited for where peers do not read, or do not close their end in the usual time. */
  readonly peers: () => string | undefined;
  /** Settles when everything is closed. */
  readonly finished: Promise<unknown>;
}

/**
 * Describes the work that Ctrl-C waits for, with that of peers.
 *
 * @param context The world around the command.
 * @param closing What is waited for.
 */
export function describeClosing(
  { signal, describeOpenWork }: Pick<Context, "signal" | "describeOpenWork">,
  { work, peers, finished }: Closing,
): void {
  let timer: ReturnType<typeof setInterval> | undefined;
  let looks = 0;
  describeOpenWork(work);
  const subscription = whenAborted(signal, () => {
    timer = setInterval(() => {
      looks = work() === undefined ? looks + 1 : 0;
      if (looks < LOOKS) return;
      clearInterval(timer);
      describeOpenWork(() => work() ?? peers());
    }, LOOK);
  });
  const end = () => {
    clearInterval(timer);
    subscription[Symbol.dispose]();
  };
  finished.then(end, end);
}

/**
 * Says how many HTTP requests were refused, for a summary.
 *
 * @param stats What a server counted.
 * @returns Nothing where there were none.
 */
export function httpCount({ refusedAsHttp: count }: { readonly refusedAsHttp: number }): string[] {
  return count === 0 ? [] : [`${counted(count, "HTTP request")} refused`];
}

/** What is in a PEM file, and how it begins there. */
const PEM = {
  "a certificate": /-----BEGIN CERTIFICATE-----/,
  "a private key": /-----BEGIN (RSA |EC )?PRIVATE KEY-----/,
} as const;

/**
 * Reads a PEM file that an option names.
 *
 * @param option The option, for the error message.
 * @param path The file.
 * @param what What should be in it.
 * @returns Its text, without a byte order mark.
 * @throws {UsageError} If it cannot be read, or there is something else in it.
 */
export async function readPem(
  option: string,
  path: string,
  what: keyof typeof PEM = "a certificate",
): Promise<string> {
  const refused = (why: string, cause?: unknown) =>
    new UsageError(`Cannot read ${option} "${path}": ${why}`, { cause });
  let text: string;
  try {
    text = (await Deno.readTextFile(path)).replace(/^\ufeff/, "");
  } catch (cause) {
    throw refused(whyUnreadable(cause), cause);
  }
  const found = /-----BEGIN ([^-]+)-----/.exec(text)?.[1];
  if (found === undefined) throw refused("expected a PEM file");
  if (what === "a private key" && text.includes("ENCRYPTED")) {
    throw refused("expected a private key without a passphrase");
  }
  if (!PEM[what].test(text)) throw refused(`expected ${what}, found "${found}"`);
  return text;
}
