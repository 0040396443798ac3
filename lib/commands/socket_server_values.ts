import type { Serving, ServingValues } from "./serving.ts";
import type { ShowFormat } from "./show_bytes.ts";

/** What `socket-server` has read from its options, for TCP and UDP alike. */
export interface ServerValues extends Serving, Omit<ServingValues, keyof Serving> {
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
  readonly allowHttp: boolean;
}
