import type { Context } from "../../cli/context.ts";
import { ConnectError } from "../../errors.ts";
import { connectBytes } from "../../socket/byte_client.ts";
import { connectDatagram } from "../../socket/datagram_client.ts";
import { receiveDatagrams } from "../../socket/receive_datagrams.ts";
import type { Connecting } from "../serving/connecting.ts";
import { type BytesForm, bytesShower } from "./show_bytes.ts";
import { type MessageValues, wholeMessage } from "./message.ts";

/** An answer is shown in pieces of this size if it is larger, so that memory stays bounded. */
const SHOWN_AT_ONCE = 1 << 20;

/** The options of `socket-client` that its ways of working share. */
export interface ClientValues extends Connecting, MessageValues {
  readonly host: string;
  readonly port: number;
  readonly udp: boolean;
  readonly timeout: number;
  readonly halfClose: boolean;
  readonly noAnswer: boolean;
  readonly output: BytesForm;
  readonly wait?: number;
  readonly count?: number;
  readonly repeat?: number;
  readonly interval: number;
  readonly signal: AbortSignal;
}

/**
 * Sends one message and shows the answer.
 *
 * @param context Where the answer goes.
 * @param values The options' values.
 * @param pieces The message.
 * @throws {ConnectError} If nobody is there, or no answer comes.
 */
export async function exchangeOnce(
  context: Context,
  values: ClientValues,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const show = bytesShower(values.output, context.out, values.udp);
  if (values.udp) {
    await using client = await connectDatagram(values);
    await client.send(await wholeMessage(pieces));
    for await (const { bytes, from } of receiveDatagrams(client, values)) await show(bytes, from);
    return;
  }
  await using client = await connectBytes(values);
  let isUnderWay = false;
  const sending = (async () => {
    for await (const piece of pieces) {
      isUnderWay = true;
      await client.send(piece);
      isUnderWay = false;
    }
    if (values.halfClose) await client.closeWrite();
  })();
  let failure: unknown;
  sending.catch((error) => {
    // The server may answer, and close, without having read everything; but a file that cannot be read is another matter.
    if (error instanceof ConnectError) return;
    failure = error;
    void client.connection.abort();
  });
  const quiet = values.halfClose ? values.timeout : undefined;
  const answer = client.receive({ ...values, quiet, sending });
  const isRaw = values.output === "raw" || values.output === "none";
  try {
    for await (const piece of isRaw ? answer : joined(answer)) await show(piece, client.remoteAddr);
  } catch (error) {
    throw failure ?? error;
  }
  if (failure !== undefined) throw failure;
  if (isUnderWay) context.say.warn("The answer was complete before all of the message was sent");
}

/** Puts pieces together, up to a size; what has come before a failure too. */
async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const take = async () => {
    const bytes = new Uint8Array(await new Blob(held).arrayBuffer());
    held = [];
    size = 0;
    return bytes;
  };
  let failure: { error: unknown } | undefined;
  try {
    for await (const piece of pieces) {
      held.push(piece.slice());
      size += piece.length;
      if (size >= SHOWN_AT_ONCE) yield await take();
    }
  } catch (error) {
    failure = { error };
  }
  if (size > 0) yield await take();
  if (failure) throw failure.error;
}
