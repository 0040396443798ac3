import type { Context } from "../../cli/context.ts";
import { counted } from "../../text/wording.ts";
import type { CodecError } from "../../errors.ts";
import { formatAddress, type HostPort } from "../../net/address/address.ts";
import { lineFraming } from "../../net/framing/line.ts";
import { listenBytes, type ListenBytesOptions } from "../../socket/listen_bytes.ts";
import { listenStream, type StreamListener } from "../../net/stream/listener.ts";
import type { StreamConnection } from "../../net/stream/connection.ts";
import { pipeProgram } from "../../socket/pipe_program.ts";
import { announceServer, httpCount, problemText } from "../serving/serving.ts";
import { bytesShower, pythonAddress } from "./show_bytes.ts";
import { answerTo, type ServerValues } from "./server_values.ts";

/** Seconds that a program is not started yet, for a connection whose first bytes have not shown that it is no browser's. */
const FIRST_BYTES = 0.2;

/**
 * Serves TCP or TLS until Ctrl-C, or until enough messages have come.
 *
 * @param context Where messages are shown.
 * @param values The options' values.
 */
export async function serveStreams(context: Context, values: ServerValues): Promise<void> {
  const { out, say, signal } = context;
  const { command, count, line, maxBytes } = values;
  const show = bytesShower(values.output, out, false);
  const enough = new AbortController();
  let [messages, bytes, skipped] = [0, 0, 0];
  const take = (message: Uint8Array, from: HostPort) => {
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
    onProblem: (problem) => say.throttled(problem.kind, problemText(problem)),
    onConnection: welcome,
  };
  await using listener = command
    ? listenStream({
      ...options,
      async onConnection(connection) {
        welcome(connection);
        if (!await connection.firstBytes(FIRST_BYTES)) return;
        await pipeProgram(connection, command, {
          onInput: (message) => take(message, connection.remoteAddr),
          onStderr: (bytes) => say.relay(new TextDecoder().decode(bytes)),
        });
      },
    })
    : listenBytes({
      ...options,
      framing: line ? lineFraming({ maxBytes, keepEnds: true }) : undefined,
      onBadMessage(error, from) {
        skipped++;
        say.throttled("bad", `Skipped what ${formatAddress(from)} sent: ${reasonOf(error)}`);
      },
      async answer(message, from) {
        if (messages >= count) return null;
        await take(message, from);
        return answerTo(values, message);
      },
    });
  context.inHand(() => connections(listener.stats.open));
  using _announced = announceServer(say, listener.addrs, values);
  await listener.finished;
  say.summary(
    summary(listener, messages, bytes) +
      (skipped > 0 ? `, ${counted(skipped, "line")} skipped` : ""),
  );
}

/** What is wrong with a message, and how to let it in. */
function reasonOf({ message, offset }: CodecError): string {
  return offset === undefined ? message : `${message}; --max-bytes sets how long it may be`;
}

/** What is waited for when the server closes. */
function connections(open: number): string | undefined {
  if (open === 0) return undefined;
  return open === 1 ? "1 connection to end" : `${open} connections to end`;
}

function summary({ stats }: StreamListener, messages: number, bytes: number): string {
  const refused = stats.refusedByAllow + stats.refusedByLimit + stats.refusedAsTls;
  return [
    counted(messages, "message"),
    counted(bytes, "byte"),
    counted(stats.accepted, "connection"),
    ...refused > 0 ? [`${refused} refused`] : [],
    ...httpCount(stats),
  ].join(", ");
}
