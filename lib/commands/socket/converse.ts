import type { Context } from "../../cli/context.ts";
import { ConnectError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { connectStream } from "../../net/stream/connect.ts";
import { delay } from "../../time/deadline.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { connectDatagram, type DatagramClient } from "../../socket/datagram_client.ts";
import { bytesShower, type ShowBytes } from "./show_bytes.ts";
import type { ClientValues } from "./exchange.ts";
import type { ClientInput } from "./input.ts";

/** Seconds of silence after the last answer that is due. */
const QUIET = 0.1;
/** Seconds after which it is looked whether the input has ended. */
const LOOK = 0.05;

/**
 * Sends what is typed or piped in, and shows what arrives, both at the same time.
 *
 * @param context Where output goes to.
 * @param values The options' values.
 * @param typed What is typed or piped in.
 * @throws {ConnectError} If nobody is there.
 */
export async function converse(
  context: Context,
  values: ClientValues,
  typed: ClientInput,
): Promise<void> {
  context.say.info("Starting client...");
  const show = bytesShower(values.output, context.out, values.udp);
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
  // As it comes over TCP, else a datagram per line.
  const input = typed.pieces({ lines: values.udp, escape: values.escape, signal });
  try {
    if (values.udp) {
      await using client = await connectDatagram(values);
      hint();
      await converseByDatagrams(client, input, show, values);
    } else {
      await using connection = await connectStream(values);
      hint();
      await converseByStream(connection, input, show, values);
    }
  } finally {
    ended.abort();
  }
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
      await show(piece, connection.remoteAddr);
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
