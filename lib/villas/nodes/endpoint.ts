import type { Endpoint } from "../../net/address/address.ts";
import type { AllowList } from "../../net/address/allow_list.ts";
import type { DatagramIo } from "../../net/datagram/datagram.ts";
import type { MulticastOptions } from "../../net/datagram/multicast.ts";
import type { ArrivalClock } from "../../net/datagram/transport.ts";
import type { SampleNode } from "../node.ts";
import type { SocketNodeCounters, SocketNodeProblem } from "./socket.ts";

/** What carries the messages, as VILLASnode's `layer` has it. */
export const LAYERS = ["udp", "unix", "tcp-client", "tcp-server"] as const;

/** One of {@linkcode LAYERS}. */
export type Layer = typeof LAYERS[number];

/** Something that happened at an endpoint; the node goes on. */
export interface EndpointProblem extends Omit<SocketNodeProblem, "kind"> {
  /** As of a socket node; `connection`: a TCP connection was made or lost. */
  readonly kind: SocketNodeProblem["kind"] | "connection";
}

/** A node that speaks with other programs, whatever the layer. */
export interface EndpointNode extends SampleNode {
  /** The address that is bound; that of the server where this end connects. */
  readonly addr: Endpoint;
  /** What was counted so far. */
  readonly counters: SocketNodeCounters;
  /** All addresses that are bound, where there can be several. */
  readonly addrs?: readonly Endpoint[];
  /** Bytes that the system keeps of UDP while the program is busy; undefined where the system does not say. */
  readonly receiveBuffer?: number | undefined;
  /** When datagrams arrive, where that was asked for and the system says it. */
  readonly clock?: ArrivalClock | undefined;
  /** Resolves when somebody is connected, where that matters: what is written before has nowhere to go. Undefined if there is somebody. */
  connected?(): Promise<void> | undefined;
  /** Receives what comes, and drops it. */
  discard(): Promise<void>;
}

/** Where the messages go and come from, for a user of the library. */
export interface LayerOptions {
  /** What carries the messages. Default: udp, or unix where an address is a path. */
  readonly layer?: Layer;
  /** A multicast group to join, for UDP. */
  readonly multicast?: MulticastOptions;
  /** Who may connect, for `tcp-server`. Default: everybody that reaches its address. */
  readonly allow?: AllowList;
  /** The system calls for UDP. Default: `auto`, those for many datagrams at once where they work already. */
  readonly io?: DatagramIo;
  /** Bytes that the system is to keep of UDP while the program is busy. Default: 4 MiB where there is a call for that. */
  readonly receiveBuffer?: number;
}
