import type { Context } from "../../cli/context.ts";
import { counted } from "../../text/wording.ts";
import type { HostPort } from "../../net/address/address.ts";
import { lineFraming } from "../../net/framing/line.ts";
import { listenBytes, type ListenBytesOptions } from "../../socket/listen_bytes.ts";
import { listenStream, type StreamListener } from "../../net/stream/listener.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { runProgram } from "../../process/run_program.ts";
import type { Answerer } from "../../socket/answer.ts";
import { listenDatagrams } from "../../socket/listen_datagrams.ts";
import { pipeProgram } from "../../socket/pipe_program.ts";
import type { Replies } from "../../socket/replies.ts";
import {
  announceServer,
  httpCount,
  problemText,
  type Serving,
  type ServingValues,
} from "../serving/serving.ts";
import type { BytesRecording } from "./record.ts";
import { type BytesForm, bytesShower, pythonAddress } from "./show_bytes.ts";

/** Programs that may answer datagrams at the same time. */
const PROGRAMS_AT_ONCE = 16;

/** Seconds to wait for a connection's first bytes, which show whether it is a browser's, before its program is started. */
const FIRST_BYTES = 0.2;

/** What `socket-server` has read from its options, for TCP and UDP alike. */
export interface ServerValues extends Serving, Omit<ServingValues, keyof Serving> {
  readonly host: string;
  readonly port: number;
  /** The table of what to send back instead of the message. */
  readonly table?: Replies;
  /** The program that answers. */
  readonly command?: readonly string[];
  /** Whether nothing is answered. */
  readonly discard: boolean;
  readonly output: BytesForm;
  /** Where both directions are recorded. */
  readonly recording: BytesRecording;
  /** Whether a message is a line, rather than what arrives at once. */
  readonly line: boolean;
  /** Longest line in bytes. */
  readonly maxBytes: number;
  /** Messages after which the server ends. */
  readonly count: number;
  readonly idleTimeout: number;
  /** Seconds within which a line must be complete. */
  readonly messageTimeout: number;
  readonly maxConnections: number;
  /** Seconds that what is being handled may take at the end. */
  readonly grace: number;
  readonly allowHttp: boolean;
}

/**
 * Serves TCP or TLS until Ctrl-C, or until enough messages have come.
 *
 * @param context Where messages are shown.
 * @param values The options' values.
 */
export async function serveStreams(context: Context, values: ServerValues): Promise<void> {
  const { out, say, signal } = context;
  const { command, count, line, maxBytes, recording } = values;
  const show = bytesShower(values.output, out, false);
  const enough = new AbortController();
  let [messages, bytes, skipped] = [0, 0, 0];
  const take = (message: Uint8Array, from: HostPort) => {
    recording.write("client", message, from);
    bytes += message.length;
    if (++messages >= count) enough.abort();
    return show(message, from);
  };
  const welcome = ({ remoteAddr }: StreamConnection) => {
    say.info(`Received new connection from  ${pythonAddress(remoteAddr)}`);
  };
  const options: ListenBytesOptions = {
    ...values,
    signal: AbortSignal.any([signal, enough.signal]),
    onConnection: welcome,
    onProblem(problem) {
      if (problem.kind === "message") skipped++;
      const text = problem.kind === "message" && problem.error.offset !== undefined
        ? `${problem.message}; --max-bytes sets how long it may be`
        : problemText(problem);
      say.throttled(problem.kind, text);
    },
  };
  await using listener = command
    ? listenStream({
      ...options,
      async onConnection(connection) {
        welcome(connection);
        if (!await connection.firstBytes(FIRST_BYTES)) return;
        await pipeProgram(connection, command, {
          onInput: (message) => take(message, connection.remoteAddr),
          onOutput: (output) => recording.write("server", output, connection.remoteAddr),
          onStderr: (bytes) => say.relay(new TextDecoder().decode(bytes)),
        });
      },
    })
    : listenBytes({
      ...options,
      framing: line ? lineFraming({ maxBytes, keepEnds: true }) : undefined,
      async answer(message, from) {
        if (messages >= count) return null;
        await take(message, from);
        const answer = answerTo(values, message);
        if (answer) recording.write("server", answer, from);
        return answer;
      },
    });
  context.inHand(() => connections(listener.stats.open));
  using _announced = announceServer(say, listener.addrs, values);
  await listener.finished;
  await recording.close();
  say.summary(
    summary(listener, messages, bytes) +
      (skipped > 0 ? `, ${counted(skipped, "line")} skipped` : ""),
  );
}

/** What the server waits for when it closes. */
function connections(open: number): string | undefined {
  if (open === 0) return undefined;
  return open === 1 ? "1 connection to end" : `${open} connections to end`;
}

function summary({ stats }: StreamListener, messages: number, bytes: number): string {
  const refused = stats.refusedByAllow + stats.refusedByLimit + stats.refusedAsTls +
    stats.refusedAsStun;
  return [
    counted(messages, "message"),
    counted(bytes, "byte"),
    counted(stats.accepted, "connection"),
    ...refused > 0 ? [`${refused} refused`] : [],
    ...httpCount(stats),
  ].join(", ");
}

/**
 * Serves datagrams until Ctrl-C, or until enough have come.
 *
 * @param context Where datagrams are shown.
 * @param values The options' values.
 */
export async function serveDatagrams(context: Context, values: ServerValues): Promise<void> {
  const { out, say, signal } = context;
  const { command, count, recording } = values;
  const show = bytesShower(values.output, out, true);
  const enough = new AbortController();
  const over = new AbortController();
  let [messages, bytes] = [0, 0];
  const answer: Answerer = async (message, from) => {
    if (messages >= count) return null;
    recording.write("client", message, from);
    bytes += message.length;
    if (++messages >= count) enough.abort();
    await show(message, from);
    const reply = command
      ? await runProgram(command, message, { signal: over.signal })
      : answerTo(values, message);
    if (reply) recording.write("server", reply, from);
    return reply;
  };
  await using server = await listenDatagrams({
    ...values,
    answer,
    concurrency: command ? PROGRAMS_AT_ONCE : 1,
    signal: AbortSignal.any([signal, enough.signal]),
    onProblem: ({ kind, message }) => say.throttled(kind, message),
  });
  context.inHand(() => answers(server.pending));
  using _announced = announceServer(say, server.addrs, values, true);
  await server.finished;
  over.abort(); // programs that were not done in time
  await recording.close();
  const { answered, refusedByAllow, ignored } = server.stats;
  say.summary(
    `${counted(messages, "datagram")}, ${counted(bytes, "byte")}, ${answered} answered` +
      (refusedByAllow > 0 ? `, ${refusedByAllow} refused` : "") +
      (ignored > 0 ? `, ${ignored} ignored` : ""),
  );
}

/** What the server waits for when it closes. */
function answers(pending: number): string | undefined {
  if (pending === 0) return undefined;
  return pending === 1 ? "the answer to 1 datagram" : `the answers to ${pending} datagrams`;
}

/** Works out what to send back; null for nothing. */
function answerTo({ table, discard }: ServerValues, message: Uint8Array): Uint8Array | null {
  if (discard) return null;
  return table ? table.answer(message) : message;
}
