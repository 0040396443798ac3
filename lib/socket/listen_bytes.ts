import type { StreamConnection } from "../net/stream_connection.ts";
import {
  listenStream,
  type ListenStreamOptions,
  type StreamListener,
} from "../net/stream_listener.ts";
import { type Answerer, echo } from "./answer.ts";

/** Where {@linkcode listenBytes} listens and what it answers. */
export interface ListenBytesOptions extends Omit<ListenStreamOptions, "onConnection"> {
  /** Answers what arrives. Default: everything is sent back. */
  answer?: Answerer;
  /** Told of each new connection. */
  onConnection?: (connection: StreamConnection) => void;
}

/**
 * Serves plain bytes over TCP or TLS: an echo, unless told otherwise. What a client sends is answered in order, and read no faster
 * than it takes the answers.
 *
 * @param options Where to listen and what to answer.
 * @returns What listens.
 * @throws {UsageError} If the address cannot be bound, or certificate and key cannot be used.
 *
 * @example A server that answers in capitals
 * ```ts
 * import { connectBytes, listenBytes } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
 * await using server = listenBytes({
 *   port: 0,
 *   answer: (message) => encoder.encode(decoder.decode(message).toUpperCase()),
 * });
 * await using client = await connectBytes({ port: server.addr.port });
 * assertEquals(decoder.decode(await client.exchange(encoder.encode("hello"))), "HELLO");
 * ```
 */
export function listenBytes(options: ListenBytesOptions): StreamListener {
  const { answer = echo, onConnection, ...rest } = options;
  return listenStream({
    ...rest,
    async onConnection(connection) {
      onConnection?.(connection);
      const { remoteAddr } = connection;
      for (let chunk; (chunk = await connection.read()) !== null;) {
        const reply = await answer(chunk, remoteAddr);
        if (reply !== null && !await connection.write(reply)) return;
      }
    },
  });
}
