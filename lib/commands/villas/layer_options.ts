/**
 * The options of every `villas-*` command that say what carries the messages: UDP, a unix socket, or TCP.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { choice, flag, integer, text, value } from "../../cli/options.ts";
import { kebab } from "../../cli/parse.ts";
import { counted } from "../../text/wording.ts";
import { UsageError } from "../../errors.ts";
import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { type AllowList, parseCidrList } from "../../net/address/allow_list.ts";
import type { DatagramIo } from "../../net/datagram/datagram.ts";
import type { MulticastOptions } from "../../net/datagram/multicast.ts";
import { type Layer, LAYERS } from "../../villas/nodes/endpoint.ts";
import { announce } from "../serving/announce.ts";

/** The unix sockets of VILLASnode's Python client. */
const UNIX = {
  listen: { path: "/var/run/villas-node.client.sock" },
  remote: { path: "/var/run/villas-node.server.sock" },
};

/** The options. */
export const layerOptions = {
  layer: choice(LAYERS, {
    default: "udp",
    placeholder: "LAYER",
    help:
      "What carries the messages, as in VILLASnode's socket node: udp, unix, tcp-client (connects again when the connection is lost), or " +
      `tcp-server (at localhost by default, any number of clients); unix uses ${UNIX.listen.path} and ` +
      `${UNIX.remote.path} unless addresses are given`,
  }),
  allow: value(
    { help: "Who may connect to a tcp-server: addresses and networks, such as 192.168.1.0/24" },
    "CIDR,…",
    parseCidrList,
  ),
  io: choice(["auto", "deno", "batch"], {
    default: "auto",
    help:
      "System calls for UDP: deno takes one datagram per call, batch up to 64 (Linux only), auto the faster one that works",
  }),
  receiveBuffer: integer({
    min: 1,
    max: 2 ** 30,
    help:
      "Bytes of UDP that the system keeps while labwire is busy; Linux only, with --io auto or batch (default 4194304)",
  }),
  multicast: text({
    placeholder: "GROUP",
    help: "Join this multicast group, such as 239.1.2.3, to receive what is sent to it",
  }),
  multicastInterface: text({
    placeholder: "NAME",
    help: "Network interface of the group, by name or address; chosen by the system unless given",
  }),
  multicastTtl: integer({
    min: 0,
    max: 255,
    help:
      "How many routers a datagram to a group may pass, to an IPv6 group on Linux only (default 255, as VILLASnode's)",
  }),
  multicastLoop: flag({
    help: "Let programs on this computer receive what is sent to a group, too",
  }),
} as const;

/** The values of {@linkcode layerOptions}. */
export interface LayerValues {
  readonly layer: Layer;
  readonly allow?: AllowList;
  readonly io: DatagramIo;
  readonly receiveBuffer?: number;
  readonly multicast?: string;
  readonly multicastInterface?: string;
  readonly multicastTtl?: number;
  readonly multicastLoop: boolean;
}

/** The addresses of a command, as its options have them. */
export interface LayerAddresses {
  /** Where to bind; undefined unless given. */
  readonly listen: Endpoint;
  /** The other end. */
  readonly remote: Endpoint;
  /** What the option of the other end is called. */
  readonly remoteOption: "remote" | "to";
}

/** What a behaviour takes of the values. */
export interface ReadLayer {
  readonly layer: Layer;
  readonly allow: AllowList | undefined;
  readonly io: DatagramIo;
  readonly receiveBuffer: number | undefined;
  readonly multicast: MulticastOptions | undefined;
  /** Where to bind; undefined where the behaviour's default holds. */
  readonly listen: Endpoint | undefined;
  /** The other end. */
  readonly remote: Endpoint;
}

/**
 * Checks the options against one another.
 *
 * @param options Their values.
 * @param addresses The addresses.
 * @param given Which options were given.
 * @throws {UsageError} If they do not go together, or the system does not have the layer.
 */
export function readLayer(
  options: LayerValues,
  { listen, remote, remoteOption }: LayerAddresses,
  given: ReadonlySet<string>,
): ReadLayer {
  const { layer } = options;
  const isUnix = layer === "unix";
  if (isUnix && Deno.build.os === "windows") {
    throw new UsageError(
      'Cannot use --layer unix on Windows: it has no unix datagram sockets, use "udp"',
    );
  }
  checkGiven(layer, given, remoteOption);
  const [own, other] =
    ([["listen", listen, UNIX.listen], [remoteOption, remote, UNIX.remote]] as const)
      .map(([name, value, unix]) => {
        const endpoint = !given.has(name) && isUnix ? unix : value;
        if ("path" in endpoint === isUnix) return endpoint;
        const wanted = isUnix ? "a path" : '"HOST:PORT"';
        throw new UsageError(
          `Cannot use --${name} "${
            formatAddress(endpoint)
          }" with --layer ${layer}: expected ${wanted}`,
        );
      });
  const { allow, multicast: group, multicastInterface, multicastTtl, multicastLoop } = options;
  return {
    layer,
    listen: given.has("listen") || isUnix ? own : undefined,
    remote: other!,
    allow,
    io: options.io,
    receiveBuffer: options.receiveBuffer,
    multicast: group === undefined
      ? undefined
      : { group, interface: multicastInterface, ttl: multicastTtl, loop: multicastLoop },
  };
}

/** Refuses options that would have no effect. */
function checkGiven(layer: Layer, given: ReadonlySet<string>, remoteOption: string): void {
  const refuse = (name: string, why: string) => {
    throw new UsageError(`Cannot use --${kebab(name)} with --layer ${layer}: ${why}`);
  };
  if (layer === "tcp-client" && given.has("listen")) {
    refuse("listen", `it connects to --${remoteOption}, and listens nowhere`);
  }
  if (layer === "tcp-client" && given.has("portFile")) {
    refuse("portFile", "it connects, and has no port for others");
  }
  if (layer === "tcp-server" && given.has(remoteOption)) {
    refuse(remoteOption, "it serves everybody who connects; --allow says who may");
  }
  if (layer !== "tcp-server" && given.has("allow")) {
    refuse("allow", "only tcp-server has clients that connect");
  }
  for (const name of ["io", "receiveBuffer"]) {
    if (layer !== "udp" && given.has(name)) refuse(name, "it is for UDP");
  }
  for (const name of ["multicast", "multicastInterface", "multicastTtl", "multicastLoop"]) {
    if (!given.has(name)) continue;
    if (layer !== "udp") refuse(name, "only UDP has multicast");
    if (!given.has("multicast")) {
      throw new UsageError(`Cannot use --${kebab(name)} without --multicast: expected a group`);
    }
  }
}

/** How to have Linux grant a larger receive buffer. */
function moreRoom(bytes: number): string {
  return `"sudo sysctl -w net.core.rmem_max=${bytes}" lets it grant more`;
}

/**
 * What to do about datagrams that this computer threw away.
 *
 * @param dropped How many.
 * @param receiveBuffer Bytes of the receive buffer that was full.
 */
export function droppedAdvice(dropped: number, receiveBuffer: number): string {
  const what = `This computer threw ${counted(dropped, "datagram")} away`;
  const wanted = 2 ** Math.ceil(Math.log2(2 * receiveBuffer));
  return `${what}: the receive buffer of ${receiveBuffer} bytes was full. Try --receive-buffer ${wanted}`;
}

/**
 * Says what went wrong at an endpoint, or what became of a connection.
 *
 * @param say Where to.
 * @param problem What happened.
 */
export function sayProblem(
  say: Context["say"],
  { kind, message }: { readonly kind: string; readonly message: string },
): void {
  if (kind === "ignored") say.warn(`${message}; --any-source takes them too`);
  else if (kind === "own") say.warn(message);
  else if (kind === "waiting" || kind === "connection") say.info(message);
  else say.throttled(kind, message);
}

/** What {@linkcode announceLayer} says. */
export interface LayerAnnouncement {
  /** The addresses that are bound, or connected to. */
  readonly addrs: readonly Endpoint[];
  /** What else there is to know of them, for UDP and unix sockets. */
  readonly detail: string;
  /** What it does now; "Ready" unless given. */
  readonly state?: string;
  /** The value of `--port-file`. */
  readonly portFile?: string;
  /** Bytes that the system keeps of UDP while the program is busy. */
  readonly receiveBuffer?: number;
}

/**
 * Says where a command listens, or what it connects to, and warns of a server that everybody can reach.
 *
 * @param say Where to.
 * @param options The values of the options.
 * @param announcement What there is to say.
 * @returns To be disposed of at the end.
 */
export function announceLayer(
  say: Context["say"],
  { layer, allow, multicast, receiveBuffer: asked = 0 }: LayerValues,
  { addrs, detail, state = "Ready", portFile, receiveBuffer: granted }: LayerAnnouncement,
): Disposable {
  if (granted !== undefined && granted < asked) {
    say.warn(
      `The system granted ${granted} of the ${asked} bytes of --receive-buffer; ${moreRoom(asked)}`,
    );
  }
  if (layer === "tcp-client") {
    say.info(`Connecting to ${addrs.map(formatAddress).join(" and ")}`);
    say.info(`${state}. Ctrl-C to quit.`);
    return { [Symbol.dispose]() {} };
  }
  const isServer = layer === "tcp-server";
  const openTo = isServer && !allow
    ? { everybody: "can connect", remedy: "restrict that with --allow" }
    : undefined;
  const more = multicast === undefined ? detail : `${detail}, in group ${multicast}`;
  return announce(say, { addrs, detail: isServer ? undefined : more, state, portFile, openTo });
}
