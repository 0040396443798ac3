import type { CodecError } from "../errors.ts";
import { formatAddress, type HostPort } from "../net/address/address.ts";
import type { Framing } from "../net/framing/framing.ts";
import { readMessages } from "../net/framing/read_messages.ts";
import type { StreamConnection } from "../net/stream/connection.ts";
import {
  listenStream,
  type ListenStreamOptions,
  type StreamListener,
  type StreamProblem,
} from "../net/stream/listener.ts";
import { notify } from "../time/lifecycle.ts";
import { type Answerer, echo } from "./answer.ts";

/** A message that the framing does not allow, such as a line that is too long. It gets no answer. */
export interface BadMessageProblem {
  /** What it is. */
  kind: "message";
  /** What it is, to be shown to a person. */
  message: string;
  /** Who sent it. */
  from: HostPort;
  /** What is wrong with it. */
  error: CodecError;
}

/** Where {@linkcode listenBytes} listens and what it answers. */
export interface ListenBytesOptions
  extends Omit<ListenStreamOptions, "onConnection" | "onProblem"> {
  /** Answers what arrives. Default: everything is sent back. */
  answer?: Answerer;
  /** How a stream is divided into messages. Default: what arrives at once is one. */
  framing?: Framing;
  /**
   * Called with what went wrong with one client or one message. What this and the functions below throw, or their promises reject with, is
   * reported as an `error` event, which ends the program unless it is handled; the client is served all the same.
   */
  onProblem?: (problem: StreamProblem | BadMessageProblem) => void;
  /** Called with each new connection. */
  onConnection?: (connection: StreamConnection) => void;
  /** Called when a connection is closed. */
  onDisconnect?: (connection: StreamConnection) => void;
}

/**
 * Serves plain bytes over TCP or TLS: an echo by default. What a client sends is answered in order, and read no faster
 * than it takes the answers.
 *
 * @param options Where to listen and what to answer.
 * @returns What listens.
 * @throws {UsageError} If the address cannot be bound, or certificate and key cannot be used.
 *
 * @example A server that answers in capitals
 * ```ts
 * import { connectBytes, listenBytes } from "@labwire/labwire/socket";
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
  const { answer = echo, framing, onConnection, onDisconnect, ...rest } = options;
  return listenStream({
    ...rest,
    async onConnection(connection) {
      notify(onConnection, connection);
      if (onDisconnect) void connection.finished.then(() => notify(onDisconnect, connection));
      const { remoteAddr } = connection;
      const onBad = (error: CodecError) => {
        const message = `Skipped what ${formatAddress(remoteAddr)} sent: ${error.message}`;
        notify(options.onProblem, { kind: "message", message, from: remoteAddr, error });
      };
      const messages = framing ? readMessages(connection, framing, { onBad }) : connection;
      for await (const message of messages) {
        const reply = await answer(message, remoteAddr, connection);
        if (connection.closeReason !== undefined) return; // of what it has sent, nothing more is begun
        if (reply !== null && !await connection.write(reply)) return;
      }
      await connection.end();
    },
  });
}
