import { defineCommand } from "../../cli/command.ts";
import { integer, seconds } from "../../cli/options.ts";
import { exit } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { Line } from "../../struct/line.ts";
import { NOTHING } from "../../struct/send_records.ts";
import {
  announceServer,
  messageTimeoutOption,
  readServing,
  servingOptions,
} from "../serving/serving.ts";
import { handlerDetails, lineOptions, recordText } from "./options.ts";
import { describeLine, LineSession, sayStats } from "./session.ts";

/** `labwire struct-line server`. */
export const structLineServer = defineCommand({
  name: "struct-line server",
  summary: "exchange Python structs over TCP with those who connect, records in both directions",
  details: [
    "The stream consists of structs of one format. Records received are printed one per line. Lines of standard input are " +
    "records in JSON or CSV, sent to everybody who is connected; on a terminal you are asked for their fields. Nothing is " +
    "read from standard input before somebody is connected; records that nobody is connected for later are reported and " +
    "counted. A client that reads slowly slows down the sending; one that reads nothing for a while is disconnected if " +
    "others are waiting.",
    ...handlerDetails,
  ],
  options: {
    ...lineOptions,
    maxConnections: integer({ default: 64, min: 1, help: "Most connections at once" }),
    stallTimeout: seconds({
      default: 10,
      help:
        "Seconds after which a client that reads nothing is disconnected, while others wait for it",
    }),
    ...messageTimeoutOption,
    ...servingOptions,
  },
  binds: { option: "port", transports: ["tcp"] },
  examples: [
    {
      text: "Print what arrives as objects",
      command: "labwire struct-line server --format '!I30sd' --fields repetitions,text,pause",
    },
    {
      text: "Handle each record in JavaScript",
      command: "labwire struct-line server --format '!I30sd' --handler repeat.js --output none",
    },
    { text: "Send everything back", command: "labwire struct-line server --echo" },
  ],
  async run(context, options) {
    const { say } = context;
    const text = recordText(options);
    const serving = await readServing(options);
    await using session = await LineSession.open(context, text, options);
    await using line = Line.listen<string>({
      ...options,
      ...serving,
      messageTimeout: options.messageTimeout || Infinity,
      action: session.action,
      onSent: session.onSent,
      concurrency: session.concurrency,
      signal: session.signal,
      onConnect: (peer) => {
        session.info(`Connected with ${formatAddress(peer.remoteAddr)}`);
        if (text.first) void peer.send(text.first);
      },
      onDisconnect: (peer) => {
        session.release(peer);
        session.info(`Disconnected from ${formatAddress(peer.remoteAddr)}`);
      },
      onGraceOver: () => session.stop(),
      onProblem: (problem) => session.report(problem),
    });
    describeLine(context, line);
    using _announced = announceServer(say, line.addrs, options);
    await line.connected;
    // What --send sends is all there is to send when it goes with --once.
    const sent = options.once && text.first ? NOTHING : await session.sendInput(line);
    if (options.once) session.end();
    await line.finished;
    await session.closeRecording();
    await sayStats(context, session, line.stats, sent);
    say.info("Bye.");
    // With --once, sending was all there was to do.
    if (!options.once || context.signal.aborted) return 0;
    return sent.refused > 0 ? exit.codec : sent.unsent > 0 ? exit.connect : exit.done;
  },
});
