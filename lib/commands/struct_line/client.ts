import { defineCommand } from "../../cli/command.ts";
import type { Context } from "../../cli/context.ts";
import { flag, integer, seconds } from "../../cli/options.ts";
import { counted } from "../../text/wording.ts";
import { Line } from "../../struct/line.ts";
import type { LineStats } from "../../struct/line_options.ts";
import { connectingOptions, readConnecting } from "../serving/connecting.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import { AttemptNews } from "./attempts.ts";
import { lineOptions, type RecordText, recordText } from "./options.ts";
import { LineSession } from "./session.ts";
import { type InputResult, nothingSent, sayStats } from "./stats.ts";

/** The exit code after Ctrl-C where something was waited for. */
const INTERRUPTED = 130;
/** Seconds that standard input may be silent when the server has ended its half. */
const SILENCE = 1;

/** `labwire struct-line client`. */
export const structLineClient = defineCommand({
  name: "struct-line client",
  summary: "exchange Python structs over TCP with a server, records in both directions",
  details: [
    "The stream is nothing but structs of one format. Lines of standard input are records in JSON or CSV, sent one after " +
    "another; on a terminal there is a prompt for each field. Records received are printed one per line, in a form that can be sent " +
    "again.",
    "At the end of standard input this side of the connection is ended, and what the server still sends is received; where " +
    "standard input was empty, the line stays open for receiving. The exit code is 4 if the server could not be reached, the " +
    "connection was lost, a record could not be sent or fewer arrived than --count, and 5 if the stream ended inside a record or " +
    "a line of standard input was invalid.",
    "With --reconnect the server may start later, and restart; connecting is tried without a limit, or --attempts times in a row " +
    "if that is given.",
  ],
  options: {
    ...lineOptions,
    attempts: integer({ default: 5, min: 1, help: "Most attempts to connect, in a row" }),
    retryDelay: seconds({ default: 1, help: "Seconds between two attempts" }),
    timeout: seconds({ default: 5, help: "Seconds that an attempt may take" }),
    reconnect: flag({
      help:
        "Wait for a server that is not running yet, and reconnect when the connection is closed",
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
    const session = await LineSession.open(context, text, options);
    const input = new InputEnd();
    const attempts = new AttemptNews(options.retryDelay, (message) => session.tell(message));
    const terminal = context.stdin.isTerminal();
    try {
      await using line = await Line.connect<string>({
        ...options,
        attempts: reconnect && !given.has("attempts") ? Infinity : options.attempts,
        ...connecting,
        // A server that has ended its half may not read any more, so records wait for the next connection.
        halfOpen: !terminal && !reconnect,
        action: session.action,
        signal: session.signal,
        onAttemptFailed: (attempt, of, error) => attempts.failed(attempt, of, error),
        onConnect: () => {
          attempts.succeeded();
          session.tell("Connected with server.");
        },
        onEnd: (peer) => input.onServerEnd(() => void peer.closeWrite()),
        onDisconnect: () => {
          if (reconnect && !session.signal.aborted) session.tell("Disconnected, connecting again.");
        },
        onProblem: (problem) => session.report(problem),
      });
      line.finished.catch(() => {}); // reported below, after standard input
      const sent = await converse(line, session, { ...options, text, input, terminal, say });
      try {
        await line.finished;
      } finally {
        sayStats(say, line.stats, sent);
      }
      const awaited = session.awaited;
      if (awaited > 0 && !signal.aborted) {
        say.error(
          `Cannot receive ${counted(count!, "record")}: the server ended after ${count! - awaited}`,
        );
      }
      return exitCode(line.stats, sent, reconnect) ||
        (awaited === 0 ? 0 : signal.aborted ? INTERRUPTED : 4);
    } catch (error) {
      if (!signal.aborted) throw error;
      // A client that only listens has missed nothing.
      return reconnect && !text.first && count === undefined ? 0 : INTERRUPTED;
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
  readonly say: Context["say"];
}

/** Sends what there is to send. */
async function converse(
  line: Line,
  session: LineSession,
  { text, input, once, reconnect, terminal, say }: Conversation,
): Promise<Readonly<InputResult>> {
  let lost = 0;
  if (text.first && !await line.send(text.first) && !session.signal.aborted) {
    say.warn("Cannot send the record of --send: the server has closed the connection");
    lost = 1;
  }
  if (once && text.first) {
    session.end();
    return { ...nothingSent, unsent: lost };
  }
  const result = await session.sendInput(line, () => input.onLine());
  input.onEnd();
  const hasSent = result.sent > 0 || text.first !== undefined;
  // If no line could be sent, nothing will be answered.
  if (once || terminal || !hasSent && result.refused > 0) session.end();
  else if (!reconnect && hasSent) await line.closeWrite();
  return { ...result, unsent: result.unsent + lost };
}

function exitCode(
  { cut, lost }: LineStats,
  { refused, unsent }: Readonly<InputResult>,
  reconnect: boolean,
): number {
  if (cut > 0 || refused > 0) return 5;
  return unsent > 0 || lost > 0 && !reconnect ? 4 : 0;
}

/**
 * Decides when this side ends after the server has ended its half: at the end of standard input, or when that has been silent
 * for a while.
 */
class InputEnd {
  readonly #clock: Clock;
  #ended = false;
  #close: (() => void) | undefined;
  #callOff: (() => void) | undefined;

  /** @param clock Measures the silence. Default: this computer's. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** To be called when the server has ended its half, with what ends this one. */
  onServerEnd(close: () => void): void {
    this.#close = close;
    if (this.#ended) close();
    else this.onLine();
  }

  /** To be called at each line of standard input. */
  onLine(): void {
    if (!this.#close) return;
    this.#callOff?.();
    this.#callOff = this.#clock.wake(this.#close, SILENCE * 1000);
  }

  /** To be called at the end of standard input. */
  onEnd(): void {
    this.#ended = true;
    this.#close?.();
  }

  /** Lets go of the timer. */
  stop(): void {
    this.#callOff?.();
  }
}
