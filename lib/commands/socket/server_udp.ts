import type { Context } from "../../cli/context.ts";
import { counted } from "../../text/wording.ts";
import { runProgram } from "../../process/run_program.ts";
import type { Answerer } from "../../socket/answer.ts";
import { listenDatagrams } from "../../socket/listen_datagrams.ts";
import { announceServer } from "../serving/serving.ts";
import { bytesShower } from "./show_bytes.ts";
import { answerTo, type ServerValues } from "./server_values.ts";

/** Programs that may answer datagrams at the same time. */
const PROGRAMS_AT_ONCE = 16;

/**
 * Serves datagrams until Ctrl-C, or until enough have come.
 *
 * @param context Where datagrams are shown.
 * @param values The options' values.
 */
export async function serveDatagrams(context: Context, values: ServerValues): Promise<void> {
  const { out, say, signal } = context;
  const { command, count } = values;
  const show = bytesShower(values.output, out, true);
  const enough = new AbortController();
  const over = new AbortController();
  let [messages, bytes] = [0, 0];
  const answer: Answerer = async (message, from) => {
    if (messages >= count) return null;
    bytes += message.length;
    if (++messages >= count) enough.abort();
    await show(message, from);
    if (command) return await runProgram(command, message, { signal: over.signal });
    return answerTo(values, message);
  };
  await using server = await listenDatagrams({
    ...values,
    answer,
    concurrency: command ? PROGRAMS_AT_ONCE : 1,
    signal: AbortSignal.any([signal, enough.signal]),
    onProblem: (message) => say.throttled("problem", message),
  });
  context.inHand(() => answers(server.pending));
  using _announced = announceServer(say, server.addrs, values, true);
  await server.finished;
  over.abort(); // programs that were not done in time
  const { answered, refusedByAllow, ignored } = server.stats;
  say.summary(
    `${counted(messages, "datagram")}, ${counted(bytes, "byte")}, ${answered} answered` +
      (refusedByAllow > 0 ? `, ${refusedByAllow} refused` : "") +
      (ignored > 0 ? `, ${ignored} ignored` : ""),
  );
}

/** What is waited for when the server closes. */
function answers(pending: number): string | undefined {
  if (pending === 0) return undefined;
  return pending === 1 ? "the answer to 1 datagram" : `the answers to ${pending} datagrams`;
}
