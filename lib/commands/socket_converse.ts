import type { Context } from "../cli/context.ts";
import { ConnectError, UsageError } from "../errors.ts";
import { formatAddress } from "../net/address.ts";
import { connectStream } from "../net/connect_stream.ts";
import { delay } from "../net/deadline.ts";
import type { StreamConnection } from "../net/stream_connection.ts";
import { connectDatagram, type DatagramClient } from "../socket/datagram_client.ts";
import { bytesShower, type ShowBytes } from "./show_bytes.ts";
import type { ClientValues } from "./socket_exchange.ts";
import { textBytes } from "./socket_message.ts";

/** Seconds of silence after the last answer that is due. */
const QUIET = 0.1;
/** Seconds after which it is looked whether the input has ended. */
const LOOK = 0.05;
const LF = 0x0a;
/** Longest line that is put together, in bytes. */
const LONGEST_LINE = 1 << 20;

/**
 * Sends what is typed or piped in, and shows what arrives, both at the same time.
 *
 * @param context Where input comes from and output goes to.
 * @param values The options' values.
 * @throws {ConnectError} If nobody is there.
 */
export async function converse(context: Context, values: ClientValues): Promise<void> {
  const show = bytesShower(values.show, context.out);
  const hint = () => {
    if (!context.stdin.isTerminal()) return;
    context.say.info(
      `What you type goes to ${
        formatAddress({ ...values, hostname: values.host })
      }. Ctrl-D to end.`,
    );
  };
  const ended = new AbortController();
  const signal = AbortSignal.any([values.signal, ended.signal]);
  const input = inputPieces(context, values, signal);
  if (values.udp) {
    await using client = await connectDatagram(values);
    hint();
    await converseByDatagrams(client, input, show, values);
  } else {
    await using connection = await connectStream(values);
    hint();
    await converseByStream(connection, input, show, values);
  }
  ended.abort();
}

async function converseByStream(
  connection: StreamConnection,
  input: AsyncIterable<Uint8Array>,
  show: ShowBytes,
  { timeout, wait, count = Infinity }: ClientValues,
): Promise<void> {
  const over = new AbortController();
  /** When this side began to wait for what comes next; what is being shown is no silence. */
  let waiting: number | undefined;
  const sending = async () => {
    for await (const piece of input) if (!await connection.write(piece)) return;
    await connection.closeWrite();
    if (wait === undefined) await silence(() => waiting, timeout, over.signal);
    else await delay(wait, over.signal);
    connection.stopReading();
  };
  // Ends when the conversation is over, or with it.
  void sending().catch(() => {});
  try {
    for (let total = 0; total < count;) {
      waiting = performance.now();
      const chunk = await connection.read();
      waiting = undefined;
      if (chunk === null) break;
      const piece = chunk.subarray(0, count - total);
      total += piece.length;
      await show(piece);
    }
  } finally {
    over.abort();
  }
  if (connection.readEnd === "lost") {
    const why = connection.error?.message ?? "the connection was reset";
    throw new ConnectError(
      `Lost the connection to "${formatAddress(connection.remoteAddr)}": ${why}`,
    );
  }
}

/** Resolves when nothing has come for so long, from now on. */
async function silence(
  waitingSince: () => number | undefined,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const start = performance.now();
  for (let left = seconds; left > 0;) {
    await delay(left, signal);
    const now = performance.now();
    left = seconds - (now - Math.max(start, waitingSince() ?? now)) / 1000;
  }
}

async function converseByDatagrams(
  client: DatagramClient,
  input: AsyncIterable<Uint8Array>,
  show: ShowBytes,
  { timeout, wait, count = Infinity, signal }: ClientValues,
): Promise<void> {
  let [sent, received, inputEnd, last] = [0, 0, Infinity, 0];
  const sending = (async () => {
    for await (const piece of input) {
      sent++;
      await client.send(piece);
    }
    inputEnd = performance.now();
  })();
  let failure: unknown;
  sending.catch((error) => failure = error);
  while (received < count && !signal.aborted) {
    if (failure !== undefined) throw failure;
    const patience = received < sent ? timeout : QUIET;
    if (wait !== undefined && performance.now() - inputEnd >= wait * 1000) return;
    const datagram = await client.receive(Math.min(LOOK, patience));
    if (datagram) {
      received++;
      await show(datagram.bytes, datagram.from);
      last = performance.now();
    } else if (
      wait === undefined && (performance.now() - Math.max(inputEnd, last)) / 1000 >= patience
    ) return;
  }
}

/** What is typed or piped in: as it comes over TCP, else line by line. */
async function* inputPieces(
  { stdin, say }: Context,
  { udp, escape }: ClientValues,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = stdin.readable.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  const read = async () => (await reader.read()).value;
  if (!udp && !escape) {
    for (let chunk; (chunk = await read()) !== undefined;) yield chunk;
    return;
  }
  for await (const line of lines(read)) {
    try {
      yield escape ? escapedLine(line) : line;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      say.error(error.message);
    }
  }
}

/** Cuts what is read into lines, each with its end; the last one may have none. */
async function* lines(
  read: () => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array, void, void> {
  let held = new Uint8Array();
  for (let chunk; (chunk = await read()) !== undefined;) {
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(LF, at) + 1 || chunk.length;
      held = joinedBytes(held, chunk.subarray(at, end));
      at = end;
      if (held.at(-1) !== LF && held.length < LONGEST_LINE) continue;
      yield held;
      held = new Uint8Array();
    }
  }
  if (held.length > 0) yield held;
}

/** Reads the escapes in a line; its end stays what it is. */
function escapedLine(line: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(line);
  const end = /\r?\n$/.exec(text)?.[0] ?? "";
  const bytes = textBytes(text.slice(0, text.length - end.length), true);
  return joinedBytes(bytes, textBytes(end, false));
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
