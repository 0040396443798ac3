import type { Context } from "../../cli/context.ts";
import { counted, rareCounts } from "../../text/wording.ts";
import { messageOf } from "../../errors.ts";
import type { ModuleHandler } from "../../handlers/handler.ts";
import { kindWithPlace, withPlace } from "../../handlers/place.ts";
import { formatAddress, type HostPort } from "../../net/address/address.ts";
import { lineFraming } from "../../net/framing/line.ts";
import { listenBytes, type ListenBytesOptions } from "../../socket/listen_bytes.ts";
import { listenStream, type StreamListener } from "../../net/stream/listener.ts";
import { refusedOf } from "../../net/stream/listener_options.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { runProgram } from "../../process/run_program.ts";
import type { Answerer, BytesPeer } from "../../socket/answer.ts";
import type { HandlerAnswerer } from "../../socket/handler_answer.ts";
import { listenDatagrams } from "../../socket/listen_datagrams.ts";
import { pipeProgram } from "../../socket/pipe_program.ts";
import type { Replies } from "../../socket/replies.ts";
import { BusyWatch } from "../serving/busy_watch.ts";
import { endHandler, handlerCounts } from "../serving/handler_options.ts";
import {
  announceServer,
  connectionsToEnd,
  describeClosing,
  httpCount,
  problemText,
  type Serving,
  type ServingValues,
} from "../serving/serving.ts";
import type { BytesRecording } from "./record.ts";
import { type BytesForm, bytesShower, pythonAddress } from "./show_bytes.ts";

/** Programs that may answer datagrams at the same time. */
const PROGRAMS_AT_ONCE = 16;

/** Datagrams that may wait for a handler. */
const MOST_WAITING = 1000;

/** Bytes that arrive at once when more are waiting. */
const FULL_READ = 1 << 16;

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
  /** The user's code that answers, if it is not started for each connection. */
  readonly answerer?: HandlerAnswerer;
  /** The same as a module, if it is one. */
  readonly module?: ModuleHandler;
  /** Ends it. */
  readonly closeHandler: () => Promise<void>;
  /** How many messages may be answered at once, where that was said. */
  readonly concurrency?: number;
  /** Seconds that a program may take for a datagram. */
  readonly execTimeout: number;
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
  const { command, answerer, count, line, maxBytes, recording } = values;
  const show = bytesShower(values.output, out, false);
  const enough = new AbortController();
  let [messages, bytes, skipped, failed, working] = [0, 0, 0, 0, 0];
  const busy = new BusyWatch();
  const begun = new WeakMap<BytesPeer, number>();
  /** Who has sent a line that was skipped, whose length is not known. */
  const uncounted = new Set<string>();
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
    onGraceOver: () => answerer?.stop(),
    onConnection: welcome,
    onProblem(problem) {
      if (problem.kind === "message") {
        skipped++;
        uncounted.add(formatAddress(problem.from));
      }
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
        working++;
        await pipeProgram(connection, command, {
          onInput: (message) => take(message, connection.remoteAddr),
          onOutput: (output) => recording.write("server", output, connection.remoteAddr),
          onStderr: (bytes) => say.relay(new TextDecoder().decode(bytes)),
        }).finally(() => working--);
      },
    })
    : listenBytes({
      ...options,
      framing: line ? lineFraming({ maxBytes, keepEnds: true }) : undefined,
      onDisconnect(connection) {
        uncounted.delete(formatAddress(connection.remoteAddr));
        answerer?.release(connection);
      },
      async answer(message, from, peer) {
        if (messages >= count) return null;
        working++;
        try {
          await take(message, from);
          const reply = answerer ? answerer.answer(message, from, peer) : answerTo(values, message);
          if (reply instanceof Promise) watch(peer as StreamConnection, message);
          const answer = await reply;
          if (answer) recording.write("server", answer, from);
          return answer;
        } catch (error) {
          failed++;
          const why = withPlace(messageOf(error), error);
          say.throttled(
            kindWithPlace("answer", error),
            `Cannot answer ${formatAddress(from)}: ${why}`,
          );
          return null;
        } finally {
          working--;
        }
      },
    });
  const watch = (peer: StreamConnection, message: Uint8Array) => {
    const who = formatAddress(peer.remoteAddr);
    const handled = uncounted.delete(who)
      ? peer.bytesReceived
      : (begun.get(peer) ?? 0) + message.length;
    begun.set(peer, handled);
    const waiting = line ? peer.bytesReceived > handled : message.length >= FULL_READ;
    if (!busy.isSlow(peer, waiting)) return;
    say.throttled("slow", `The handler is slower than ${who} sends: the sender has to wait`);
  };
  describeClosing(context, {
    work: () => connectionsToEnd(working),
    peers: () => connectionsToEnd(listener.stats.open),
    finished: listener.finished,
  });
  using _announced = announceServer(say, listener.addrs, values);
  await listener.finished;
  await recording.close();
  await endHandler(context, values.module, values.closeHandler);
  say.summary(
    [
      summary(listener, messages, bytes),
      ...(skipped > 0 ? [`${counted(skipped, "line")} skipped`] : []),
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...handlerCounts(values.module),
    ].join(", "),
  );
}

function summary({ stats }: StreamListener, messages: number, bytes: number): string {
  const refused = refusedOf(stats);
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
  const { command, answerer, count, concurrency, execTimeout, recording } = values;
  const show = bytesShower(values.output, out, true);
  const enough = new AbortController();
  const over = new AbortController();
  let [messages, bytes, failed] = [0, 0, 0];
  const answer: Answerer = async (message, from, peer) => {
    if (messages >= count) return null;
    recording.write("client", message, from);
    bytes += message.length;
    if (++messages >= count) enough.abort();
    await show(message, from);
    const reply = command
      ? printed(await runProgram(command, message, { signal: over.signal, timeout: execTimeout }))
      : answerer
      ? await answerer.answer(message, from, peer)
      : answerTo(values, message);
    if (reply) recording.write("server", reply, from);
    return reply;
  };
  await using server = await listenDatagrams({
    ...values,
    answer,
    concurrency: command ? concurrency ?? PROGRAMS_AT_ONCE : answerer?.concurrency ?? 1,
    queue: answerer ? MOST_WAITING : undefined,
    signal: AbortSignal.any([signal, enough.signal]),
    onProblem({ kind, message, error }) {
      if (kind === "answer") failed++;
      say.throttled(kindWithPlace(kind, error), withPlace(message, error));
    },
  });
  context.describeOpenWork(() => answers(server.pending));
  using _announced = announceServer(say, server.addrs, values, true);
  await server.finished;
  over.abort(); // programs that were not done in time
  await recording.close();
  await endHandler(context, values.module, values.closeHandler);
  const { answered, refusedByAllow, ignored, dropped } = server.stats;
  const rare = { refused: refusedByAllow, ignored, failed, dropped };
  say.summary(
    [
      counted(messages, "datagram"),
      counted(bytes, "byte"),
      `${answered} answered`,
      ...rareCounts(rare, ["refused", "ignored", "failed", "dropped"]),
      ...handlerCounts(values.module),
    ].join(", "),
  );
}

/** What the server waits for when it closes. */
function answers(pending: number): string | undefined {
  if (pending === 0) return undefined;
  return pending === 1 ? "the answer to 1 datagram" : `the answers to ${pending} datagrams`;
}

/** What a program has printed; null for nothing. */
function printed(output: Uint8Array): Uint8Array | null {
  return output.length === 0 ? null : output;
}

/** Works out what to send back; null for nothing. */
function answerTo({ table, discard }: ServerValues, message: Uint8Array): Uint8Array | null {
  if (discard) return null;
  return table ? table.answer(message) : message;
}
