import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { flag, integer, seconds } from "../../cli/options.ts";
import { counted, notSent } from "../../text/wording.ts";
import { Line } from "../../struct/line.ts";
import type { LineStats } from "../../struct/line_options.ts";
import { NOTHING } from "../../struct/send_records.ts";
import { exit } from "../../errors.ts";
import { AttemptNews } from "../../net/stream/attempt_news.ts";
import { connectingOptions, readConnecting } from "../serving/connecting.ts";
import { checkReplay, replayLines, replayOptions } from "../recording/replay.ts";
import { handlerDetails, lineOptions, type RecordText, recordText } from "./options.ts";
import type { SentLines } from "./input.ts";
import { describeLine, LineSession, sayStats } from "./session.ts";

/** Seconds that standard input may be silent when the server has ended its half. */
const SILENCE = 1;

/** `labwire struct-line client`. */
export const structLineClient = defineCommand({
  name: "struct-line client",
  summary: "exchange Python structs over TCP with a server, records in both directions",
  details: [
    "The stream consists of structs of one format. Lines of standard input are records in JSON or CSV, sent one after " +
    "another; on a terminal you are asked for their fields. Records received are printed one per line, in a form that can " +
    "be sent again.",
    "At the end of standard input the client ends its side of the connection, and receives what the server still sends; " +
    "if standard input was empty, without a single byte, it only receives, and answers with --handler, --exec or --echo. " +
    "The exit code is 4 if the server was not reached, the connection broke, a record could not be sent or fewer came than " +
    "--count, or if the server went while you were asked for records, or before the end of a recording. It is 5 if the " +
    "stream ended inside a record, or if a line of standard input, or all of them, held no record, and 130 after Ctrl-C if " +
    "there was more to send.",
    ...handlerDetails,
    "With --reconnect the server may start later, and may go and come again; the client keeps trying, or makes --attempts " +
    "in a row if that is given.",
  ],
  options: {
    ...lineOptions,
    ...replayOptions,
    attempts: integer({ default: 5, min: 1, help: "Most attempts to connect, in a row" }),
    retryDelay: seconds({ default: 1, help: "Seconds between two attempts" }),
    timeout: seconds({ default: 5, help: "Seconds that an attempt may take" }),
    reconnect: flag({
      help:
        "Wait for a server that is not there yet, and connect again when the connection is over",
    }),
    ...connectingOptions,
  },
  examples: [
    {
      text: "Ask for records and send them",
      command: "labwire struct-line client --format '!I30sd' --fields repetitions,text,pause",
    },
    {
      text: "Send one record",
      command: `labwire struct-line client --format '!I30sd' --once --send '[3,"hello",0.5]'`,
    },
    {
      text: "Log what a server sends, whatever happens to it",
      command: "labwire struct-line client --reconnect --output csv < /dev/null > log.csv",
    },
  ],
  async run(context, options) {
    const { say, signal, given } = context;
    const { reconnect, count } = options;
    const text = recordText(options);
    const connecting = await readConnecting(options);
    await checkReplay(options.replay);
    await using session = await LineSession.open(context, text, options);
    const attempts = new AttemptNews(options.retryDelay);
    const { replay } = options;
    // A recording is as long as it is, whatever its pauses.
    const input = new InputEnd(replay === undefined ? SILENCE : Infinity);
    const terminal = replay === undefined && context.stdin.isTerminal();
    const recorded = replay === undefined
      ? undefined
      : (signal: AbortSignal) => replayLines(context, { ...options, replay, signal });
    try {
      await using line = await Line.connect<string>({
        ...options,
        attempts: reconnect && !given.has("attempts") ? Infinity : options.attempts,
        ...connecting,
        // What is sent when the server has ended may never be read, so it waits for the next connection.
        halfOpen: !terminal && !reconnect,
        action: session.action,
        onSent: session.onSent,
        concurrency: session.concurrency,
        signal: session.signal,
        onAttemptFailed(attempt, of, error) {
          const news = of === Infinity
            ? attempts.failed(error)
            : `Connection attempt ${attempt} of ${of} failed.`;
          if (news !== undefined) session.info(news);
        },
        onConnect: () => {
          attempts.succeeded();
          session.info("Connected with server.");
        },
        onEnd: (peer) => input.onServerEnd(() => void peer.closeWrite()),
        onDisconnect: (peer) => {
          session.release(peer);
          if (reconnect && !session.signal.aborted) session.info("Disconnected, connecting again.");
        },
        onProblem: (problem) => session.report(problem),
      });
      describeLine(context, line);
      let isLeft = false; // at the prompt, by the server
      const onOver = () => void (isLeft = terminal && !session.signal.aborted);
      line.finished.then(onOver, onOver); // thrown below, when standard input is at its end
      const sent = await converse(line, session, {
        ...options,
        ...{ text, input, terminal, recorded, say },
      });
      try {
        await line.finished;
      } finally {
        await session.closeRecording();
        await sayStats(context, session, line.stats, sent);
      }
      const awaited = session.awaited;
      if (awaited > 0 && !signal.aborted) {
        say.error(
          `Cannot receive ${counted(count!, "record")}: the server ended after ${count! - awaited}`,
        );
      }
      const isClosed = !sent.isAll && !session.signal.aborted; // by the server
      const isCutOff = signal.aborted && (sent.left > 0 || recorded && !sent.isAll);
      if (isCutOff || recorded && isClosed) {
        const { left, leftFrom, isAll } = sent;
        say.error(
          left > 0
            ? notSent(left, leftFrom, isAll)
            : `"${replay}" was not sent to its end${isClosed ? ": the server closed" : ""}`,
        );
      } else if (isClosed) say.warn("The server closed before the end of the input");
      if (isLeft && line.stats.lost === 0) say.error("The server has closed the connection");
      return exitCode(line.stats, sent, reconnect) ||
        (isLeft || recorded && isClosed ? exit.connect : 0) ||
        (awaited === 0 && !isCutOff ? 0 : signal.aborted ? exit.interrupted : exit.connect);
    } catch (error) {
      if (!signal.aborted) throw error;
      // A client that waits for whatever may come has missed nothing.
      return reconnect && !text.first && count === undefined ? exit.done : exit.interrupted;
    } finally {
      input.stop();
    }
  },
});

interface Conversation {
  readonly text: RecordText;
  readonly input: InputEnd;
  readonly once: boolean;
  readonly reconnect: boolean;
  readonly terminal: boolean;
  readonly recorded?: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly say: Context["say"];
}

/** Sends what there is to send. */
async function converse(
  line: Line,
  session: LineSession,
  { text, input, once, reconnect, terminal, recorded, say }: Conversation,
): Promise<SentLines> {
  let lost = 0;
  if (text.first && !await line.send(text.first) && !session.signal.aborted) {
    say.warn("Cannot send the record of --send: the server has closed the connection");
    lost = 1;
  }
  if (once && text.first) {
    session.end();
    return { ...NOTHING, unsent: lost, isAll: true };
  }
  const result = await session.sendInput(line, {
    ...{ recorded, countsRest: true },
    onLine: () => input.onLine(),
  });
  input.onEnd();
  const hasSent = result.sent > 0 || text.first !== undefined;
  // Standard input may be empty where there is only to be received; a recording may not.
  const barren = (result.barren || recorded !== undefined && result.refused === 0) && !hasSent;
  if (barren && result.refused === 0 && !session.signal.aborted) {
    const where = recorded ? "the recording" : "standard input";
    say.error(`Cannot find a record in ${where}: expected more than blank lines or a header`);
  }
  // Where there were lines and none could be sent, nothing will be answered.
  if (once || terminal || barren || !hasSent && result.refused > 0) session.end();
  else if (!reconnect && hasSent) {
    // Where there was only --send to be sent, answers to the server's records still are.
    const wasEmpty = result.sent === 0 && !result.barren;
    if (!(wasEmpty && session.answers)) await line.closeWrite();
  }
  return { ...result, unsent: result.unsent + lost, barren };
}

function exitCode(
  { cut, lost }: LineStats,
  { refused, unsent, barren }: SentLines,
  reconnect: boolean,
): number {
  if (cut > 0 || refused > 0 || barren) return exit.codec;
  return unsent > 0 || lost > 0 && !reconnect ? exit.connect : exit.done;
}

/**
 * Decides when this side ends after the server has ended its half: at the end of standard input, or when that has been silent
 * for a while.
 */
class InputEnd {
  readonly #silence: number;
  #ended = false;
  #close: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param silence Seconds that the input may be silent then; `Infinity` for any time. */
  constructor(silence: number) {
    this.#silence = silence;
  }

  /** Called when the server has ended its half, with what ends this one. */
  onServerEnd(close: () => void): void {
    this.#close = close;
    if (this.#ended) close();
    else this.onLine();
  }

  /** Called for each line of standard input. */
  onLine(): void {
    if (!this.#close || this.#silence === Infinity) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#close, this.#silence * 1000);
  }

  /** Called at the end of standard input. */
  onEnd(): void {
    this.#ended = true;
    this.#close?.();
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
