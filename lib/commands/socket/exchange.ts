import { concat } from "@std/bytes/concat";
import type { Context } from "../../cli/context.ts";
import { ConnectError } from "../../errors.ts";
import { formatAddress, type HostPort } from "../../net/address/address.ts";
import { connectStream } from "../../net/stream/connect.ts";
import { connectBytes } from "../../socket/byte_client.ts";
import { converse, converseByDatagrams } from "../../socket/conversation.ts";
import { connectDatagram } from "../../socket/datagram_client.ts";
import { receiveDatagrams } from "../../socket/exchange_datagram.ts";
import { sendBytes, sendDatagram } from "../../socket/send_bytes.ts";
import type { Connecting } from "../serving/connecting.ts";
import type { ClientInput } from "./input.ts";
import { type MessageValues, wholeMessage } from "./message.ts";
import type { BytesRecording } from "./record.ts";
import { type BytesForm, bytesShower, type ShowBytes } from "./show_bytes.ts";

/** An answer is shown in pieces of this size if it is larger, so that memory stays bounded. */
const SHOWN_AT_ONCE = 1 << 20;

/** Bytes of a message that the server's system has taken when the answer comes; of a longer one it may have taken less. */
const TAKEN_AT_ONCE = 1 << 16;

/** Seconds that what is piped in may be silent when the server has ended its side. */
const INPUT_SILENCE = 1;

/** The options of `socket-client` that its ways of working share. */
export interface ClientValues extends Connecting, MessageValues {
  readonly host: string;
  readonly port: number;
  readonly udp: boolean;
  readonly timeout: number;
  readonly halfClose: boolean;
  readonly noAnswer: boolean;
  readonly output: BytesForm;
  /** Where both directions are recorded. */
  readonly recording: BytesRecording;
  readonly wait?: number;
  readonly count?: number;
  readonly repeat?: number;
  readonly interval: number;
  readonly replay?: string;
  readonly signal: AbortSignal;
}

/**
 * Sends one message and shows the answer.
 *
 * @param context Where the answer goes.
 * @param values The options' values.
 * @param pieces The message.
 * @throws {ConnectError} If no server is there, or no answer comes.
 */
export async function exchangeOnce(
  context: Context,
  values: ClientValues,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const show = shower(context, values);
  if (values.udp) {
    await using client = await connectDatagram(values);
    const message = await wholeMessage(pieces, values.signal);
    values.recording.sending(message, client.remoteAddr);
    await client.send(message);
    values.recording.sent();
    for await (const { bytes, from } of receiveDatagrams(client, values)) await show(bytes, from);
    return;
  }
  await using client = await connectBytes(values);
  let isSent = true;
  const onUnsent = () => {
    isSent = false;
    context.say.warn("The answer was complete before all of the message was sent");
  };
  let end = "";
  const sent = recorded(pieces, values, client.remoteAddr, (piece) => end = lastTwo(end, piece));
  const answer = client.ask(sent, { ...values, onUnsent });
  const isRaw = values.output === "raw" || values.output === "none";
  const { connection } = client;
  try {
    for await (const piece of isRaw ? answer : joined(answer)) await show(piece, client.remoteAddr);
  } catch (error) {
    const { readEnd, bytesReceived, bytesQueued } = connection;
    const isSilent = readEnd === "open" && bytesReceived === 0 && bytesQueued === 0;
    throw isSilent && error instanceof ConnectError ? withLineEnd(error, end, values) : error;
  }
  if (!isSent || connection.bytesSent <= TAKEN_AT_ONCE) return;
  // To close while more of the answer comes would call back what the server has not taken yet.
  await connection.end();
  if (connection.readEnd === "ended") return;
  context.say.warn(
    "The server may not have taken all of the message: --half-close waits for its end",
  );
}

/** The last two characters of what was sent, as Latin-1. */
function lastTwo(before: string, piece: Uint8Array): string {
  return (before + String.fromCharCode(...piece.subarray(-2))).slice(-2);
}

/** Adds to the error that no answer came what is most often the cause: a message without its newline. */
function withLineEnd(error: ConnectError, end: string, { hex, file }: ClientValues): ConnectError {
  if (hex !== undefined || file !== undefined || /[\r\n]$/.test(end)) return error;
  const why = end === "\\n"
    ? '"\\n" was sent as two characters; --escape makes a newline of it'
    : "the message had no newline at its end, for which most instruments wait; --newline sends one";
  return new ConnectError(`${error.message}: ${why}`, { cause: error });
}

/**
 * Sends one message and waits for no answer.
 *
 * @param values The options' values.
 * @param pieces The message.
 * @throws {ConnectError} If no server is there, or the message is not taken in time.
 */
export async function sendOnly(
  values: ClientValues,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const to = { hostname: values.host, port: values.port };
  if (values.udp) {
    const message = await wholeMessage(pieces, values.signal);
    values.recording.sending(message, to);
    await sendDatagram(message, values);
    values.recording.sent();
  } else await sendBytes(recorded(pieces, values, to), values);
}

/**
 * Sends what is typed or piped in, and shows what arrives, both at the same time.
 *
 * @param context Where output goes to.
 * @param values The options' values.
 * @param typed What is typed or piped in.
 * @throws {ConnectError} If no server is there.
 */
export async function interact(
  context: Context,
  values: ClientValues,
  typed: Pick<ClientInput, "pieces">,
): Promise<void> {
  context.say.info("Starting client...");
  const show = shower(context, values);
  const isTyped = context.stdin.isTerminal() && values.replay === undefined;
  const hint = () => {
    if (!isTyped) return;
    const where = formatAddress({ hostname: values.host, port: values.port });
    context.say.info(`What you type goes to ${where}. Ctrl-D to end.`);
  };
  const ended = new AbortController();
  const signal = AbortSignal.any([values.signal, ended.signal]);
  // As it comes over TCP, else a datagram per line.
  const input = typed.pieces({ lines: values.udp, escape: values.escape, signal });
  try {
    if (values.udp) {
      await using client = await connectDatagram(values);
      hint();
      const sent = recorded(input, values, client.remoteAddr);
      const answers = converseByDatagrams(client, sent, values);
      for await (const { bytes, from } of answers) await show(bytes, from);
    } else {
      await using connection = await connectStream(values);
      hint();
      const sent = recorded(input, values, connection.remoteAddr);
      const answers = converse(connection, sent, {
        ...values,
        inputSilence: values.replay !== undefined ? Infinity : isTyped ? 0 : INPUT_SILENCE,
        onUnsent: () => context.say.warn("The server closed before the end of the input"),
      });
      for await (const piece of answers) await show(piece, connection.remoteAddr);
    }
  } finally {
    ended.abort();
  }
}

/** Shows and records what arrives. */
function shower(context: Context, { output, udp, recording }: ClientValues): ShowBytes {
  const show = bytesShower(output, context.out, udp);
  return (bytes, from) => {
    if (!udp) recording.sent(); // the beginning of a large piece may be answered
    recording.write("server", bytes, from);
    return show(bytes, from);
  };
}

/** Records what is sent: the next piece is asked for when the system has taken this one. */
async function* recorded(
  pieces: AsyncIterable<Uint8Array>,
  { recording }: ClientValues,
  to: HostPort,
  onPiece?: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    onPiece?.(piece);
    recording.sending(piece, to);
    yield piece;
    recording.sent();
  }
}

/** Puts pieces together, up to a size; what has come before a failure too. */
async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array[] = [];
  let size = 0;
  const take = () => {
    const bytes = concat(held);
    held = [];
    size = 0;
    return bytes;
  };
  let failure: { error: unknown } | undefined;
  try {
    for await (const piece of pieces) {
      held.push(piece.slice());
      size += piece.length;
      if (size >= SHOWN_AT_ONCE) yield take();
    }
  } catch (error) {
    failure = { error };
  }
  if (size > 0) yield take();
  if (failure) throw failure.error;
}
