import type { AllowList } from "../net/allow_list.ts";
import type { TlsIdentity } from "../net/bind_stream.ts";
import type { ShowFormat } from "./show_bytes.ts";

/** What `socket-server` has read from its options, for TCP and UDP alike. */
export interface ServerValues {
  readonly host: string;
  readonly port: number;
  /** What to send back instead of the message. */
  readonly reply?: Uint8Array;
  /** The program that answers. */
  readonly command?: readonly string[];
  readonly discard: boolean;
  readonly show: ShowFormat;
  /** Messages after which the server ends. */
  readonly count: number;
  readonly idleTimeout: number;
  readonly maxConnections: number;
  /** Seconds that what is in hand may take at the end. */
  readonly grace: number;
  readonly allow?: AllowList;
  readonly tls?: TlsIdentity;
}
