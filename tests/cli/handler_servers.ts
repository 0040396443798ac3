/** The servers that pass messages to a JavaScript handler, for tests of what they have in common. */

import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import { type HostPort, parseAddress } from "../../lib/net/address/address.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { type Child, start } from "./run.ts";

/** A server with a handler, and how a message gets there. */
export interface HandlerServer {
  /** The command and what makes it listen on a free port. */
  readonly args: readonly string[];
  /** What it waits for after Ctrl-C. */
  readonly waiting: RegExp;
  /** Sends a message, and keeps the socket open. */
  send(to: HostPort): Promise<AsyncDisposable>;
}

async function sendStream(to: HostPort, bytes: Uint8Array): Promise<AsyncDisposable> {
  const connection = await Deno.connect(to);
  await connection.write(bytes);
  return { [Symbol.asyncDispose]: () => Promise.resolve(connection.close()) };
}

async function sendDatagram(to: HostPort, bytes: Uint8Array): Promise<AsyncDisposable> {
  const socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
  await socket.send(bytes, to);
  return socket;
}

/** The servers that take a handler. */
export const servers: readonly HandlerServer[] = [
  {
    args: ["json-server", "--host", "127.0.0.1", "--port", "0"],
    waiting: /1 message that is being handled/,
    send: (to) => sendStream(to, new TextEncoder().encode('{"command_id":"x"}\n')),
  },
  {
    args: ["struct-line", "server", "--host", "127.0.0.1", "--port", "0", "--format", "!I"],
    waiting: /1 connection to end/,
    send: (to) => sendStream(to, new Uint8Array(4)),
  },
  {
    args: ["socket-server", "--host", "127.0.0.1", "--port", "0"],
    waiting: /1 connection to end/,
    send: (to) => sendStream(to, new Uint8Array(4)),
  },
  {
    args: ["socket-server", "--udp", "--host", "127.0.0.1", "--port", "0"],
    waiting: /the answer to 1 datagram/,
    send: (to) => sendDatagram(to, new Uint8Array(4)),
  },
  {
    args: ["villas-echo", "--listen", "127.0.0.1:0", "--any-source"],
    waiting: /1 message that is being handled/,
    send: (to) => sendDatagram(to, villasProtobuf.encode([{ type: "data", values: [1.5] }])),
  },
];

/** Starts a server and sends it a message; its handler must write `begun` to stderr. */
export async function begun(
  server: HandlerServer,
  handler: string,
  more: string[] = [],
): Promise<{ program: Child } & AsyncDisposable> {
  const program = start([...server.args, "--handler", handler, ...more]);
  const [, address] = await program.until("stderr", /Listening on ([^\s,]+)/);
  const socket = await server.send(parseAddress(address!));
  await program.until("stderr", /begun/);
  return {
    program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await socket[Symbol.asyncDispose]();
    },
  };
}
