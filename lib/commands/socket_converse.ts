import type { Context } from "../cli/context.ts";
import { ConnectError, UsageError } from "../errors.ts";
import { formatAddress } from "../net/address.ts";
import { connectStream } from "../net/connect_stream.ts";
import { delay } from "../net/deadline.ts";
import { lineFraming } from "../net/line_framing.ts";
import { readMessages } from "../net/read_messages.ts";
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
  const sending = async () => {
    for await (const piece of input) if (!await connection.write(piece)) return;
    await connection.closeWrite();
    if (wait === undefined) await silence(connection, timeout, over.signal);
    else await delay(wait, over.signal);
    connection.stopReading();
  };
  // Ends when the conversation is over, or with it.
  void sending().catch(() => {});
  try {
    for (let total = 0; total < count;) {
      const chunk = await connection.read();
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

/** Resolves when nothing has come for so long. */
async function silence(
  connection: StreamConnection,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  for (let before = -1; before !== connection.bytesReceived;) {
    before = connection.bytesReceived;
    await delay(seconds, signal);
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
  const source = { read: async () => (await reader.read()).value ?? null };
  if (!udp && !escape) {
    for (let chunk; (chunk = await source.read()) !== null;) yield chunk;
    return;
  }
  const onBad = (error: Error) => say.error(error.message);
  for await (const line of readMessages(source, lineFraming(), { onBad })) {
    try {
      const bytes = escape ? textBytes(new TextDecoder().decode(line), true) : line;
      yield new Uint8Array([...bytes, LF]);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      say.error(error.message);
    }
  }
}
