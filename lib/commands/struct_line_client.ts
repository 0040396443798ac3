import { defineCommand } from "../cli/command.ts";
import { flag, integer, seconds } from "../cli/options.ts";
import { Line } from "../struct/line.ts";
import type { LineStats } from "../struct/line_options.ts";
import { connectingOptions, readConnecting } from "./connecting.ts";
import { lineOptions, type RecordText, recordText } from "./struct_line_options.ts";
import { LineSession } from "./struct_line_session.ts";
import { type InputResult, nothingSent, sayStats } from "./struct_line_stats.ts";

/** Seconds that standard input may be silent when the server has ended its half. */
const SILENCE = 1;

/** `labwire struct-line client`. */
export const structLineClient = defineCommand({
  name: "struct-line client",
  summary: "exchange Python structs over TCP with a server, records in both directions",
  details: [
    "The stream is nothing but structs of one format. Lines of standard input are records, sent one after another; on a terminal " +
    "their fields are asked for. Records received are printed one per line, in the form in which they can be sent.",
    "At the end of standard input this side of the connection is ended, and what the server still sends is received; where " +
    "standard input was empty, the line stays open for receiving. The exit code is 4 if nobody was there, the connection " +
    "broke or a record could not be sent, and 5 if it ended inside a record or a line was no record.",
  ],
  options: {
    ...lineOptions,
    attempts: integer({ default: 5, min: 1, help: "How often to try to connect" }),
    retryDelay: seconds({ default: 1, help: "Seconds between two attempts" }),
    timeout: seconds({ default: 5, help: "Seconds that an attempt may take" }),
    reconnect: flag({ help: "Connect again when the connection is over" }),
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
    const { say, signal } = context;
    const text = recordText(options);
    const connecting = await readConnecting(options);
    const session = await LineSession.open(context, text, options);
    const input = new InputEnd();
    const terminal = context.stdin.isTerminal();
    try {
      await using line = await Line.connect<string>({
        ...options,
        ...connecting,
        // What is sent when the server has ended may never be read, so it waits for the next connection.
        halfOpen: !terminal && !options.reconnect,
        action: session.action,
        signal: session.signal,
        onAttemptFailed: (attempt, attempts) => {
          const of = attempts === Infinity ? "" : ` of ${attempts}`;
          say.info(`Connection attempt ${attempt}${of} failed.`);
        },
        onConnect: () => session.tell("Connected with server."),
        onEnd: (peer) => input.onServerEnd(() => void peer.closeWrite()),
        onDisconnect: () => {
          if (options.reconnect && !session.signal.aborted) {
            session.tell("Disconnected, connecting again.");
          }
        },
        onProblem: (problem) => session.report(problem),
      });
      const sent = await converse(line, session, { ...options, text, input, terminal });
      await line.finished;
      sayStats(say, line.stats, sent);
      return exitCode(line.stats, sent, options.reconnect);
    } catch (error) {
      if (signal.aborted) return 130;
      throw error;
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
}

/** Sends what there is to send. */
async function converse(
  line: Line,
  session: LineSession,
  { text, input, once, reconnect, terminal }: Conversation,
): Promise<Readonly<InputResult>> {
  if (text.first) await line.send(text.first);
  if (once && text.first) {
    session.end();
    return nothingSent;
  }
  const result = await session.sendInput(line, () => input.onLine());
  input.onEnd();
  if (once || terminal) session.end();
  else if (!reconnect && (result.sent > 0 || text.first)) await line.closeWrite();
  return result;
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
  #ended = false;
  #close: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Told that the server has ended its half, and how to end this one. */
  onServerEnd(close: () => void): void {
    this.#close = close;
    if (this.#ended) close();
    else this.onLine();
  }

  /** Told of each line of standard input. */
  onLine(): void {
    if (!this.#close) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#close, SILENCE * 1000);
  }

  /** Told of the end of standard input. */
  onEnd(): void {
    this.#ended = true;
    this.#close?.();
  }

  /** Lets go of the timer. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
