import { UsageError } from "../../errors.ts";
import {
  type Endpoint,
  formatAddress,
  type HostPort,
  parseEndpoint,
} from "../../net/address/address.ts";
import { resolvePair } from "../../net/address/pair.ts";
import { isMulticast } from "../../net/datagram/multicast.ts";
import type { EndpointNode, EndpointProblem, Layer, LayerOptions } from "./endpoint.ts";
import { openSocketNode, type SocketNodeOptions } from "./socket.ts";
import { openTcpNode } from "./tcp.ts";

/** How an endpoint is opened. */
export interface EndpointOptions
  extends LayerOptions, Omit<SocketNodeOptions, "listen" | "remote" | "onProblem"> {
  /** Where to bind. Not used by `tcp-client`. */
  readonly listen?: string | Endpoint;
  /** The other end. Not used by `tcp-server`. */
  readonly remote: string | Endpoint;
  /** The port to bind where `listen` does not say. */
  readonly port: number;
  /** The port of the other end where `remote` does not say. */
  readonly remotePort: number;
  /** Resolves when what has arrived is answered, where that is later; for TCP. */
  readonly answered?: () => Promise<void> | undefined;
  /** Called with each problem, and when a connection is made or lost. */
  readonly onProblem?: (problem: EndpointProblem) => void;
}

/** An endpoint, and who is at the other end. */
export interface OpenEndpoint {
  /** The node. */
  readonly node: EndpointNode;
  /** The other end, as an IP address; that of the server itself where its clients are the others. */
  readonly remote: Endpoint;
  /** Whether what is sent goes back to whoever it answers, and each of them is known by its own connection. */
  readonly isStream: boolean;
}

/**
 * Opens the node that speaks with other programs.
 *
 * @param options The layer, the addresses and the format.
 * @throws {UsageError} If an address is malformed, cannot be bound or does not suit the layer.
 * @throws {ConnectError} If the remote's name cannot be resolved.
 */
export async function openEndpoint(options: EndpointOptions): Promise<OpenEndpoint> {
  const { layer } = options;
  if (layer === "tcp-client" || layer === "tcp-server") return openTcp(layer, options);
  const { local, remote } = await resolvePair({ ...options, local: options.listen });
  const { multicast } = options;
  if (multicast && "path" in local) {
    throw new UsageError(
      `Cannot join multicast group "${multicast.group}" with a unix socket: expected --layer udp`,
    );
  }
  // Whoever is in the group sends from an address of its own.
  const toGroup = "hostname" in remote && isMulticast(remote.hostname);
  const anySource = options.anySource || toGroup;
  const node = await openSocketNode({ ...options, listen: local, remote, anySource });
  return { node, remote, isStream: false };
}

function openTcp(layer: "tcp-client" | "tcp-server", options: EndpointOptions): OpenEndpoint {
  if (options.multicast) {
    throw new UsageError(`Cannot join a multicast group with layer ${layer}: expected udp`);
  }
  const side = layer === "tcp-client" ? "client" : "server";
  const [given, port] = side === "client"
    ? [options.remote, options.remotePort]
    : [options.listen ?? { hostname: "localhost", port: options.port }, options.port];
  const endpoint = typeof given === "string" ? parseEndpoint(given, { port }) : given;
  const address = networkAddress(endpoint, layer);
  if (side === "client" && address.port === 0) {
    throw new UsageError(
      `Cannot connect to "${formatAddress(address)}": expected a port from 1 to 65535`,
    );
  }
  const node = openTcpNode({ ...options, side, address });
  return { node, remote: address, isStream: true };
}

function networkAddress(endpoint: Endpoint, layer: Layer): HostPort {
  if ("hostname" in endpoint) return endpoint;
  throw new UsageError(`Cannot use "${endpoint.path}" with layer ${layer}: expected "HOST:PORT"`);
}
