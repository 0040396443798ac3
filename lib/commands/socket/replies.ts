import type { Context } from "../../cli/context.ts";
import { file, several, text, value } from "../../cli/options.ts";
import { parseEscapedText } from "../../text/escapes.ts";
import { pythonBytes } from "../../text/python_bytes.ts";
import { decodeUtf8 } from "../../text/utf8.ts";
import { UsageError, whyUnreadable } from "../../errors.ts";
import { parseReplies, parseReply, Replies, type Reply } from "../../socket/replies.ts";

/** Longest part of a query that a message shows, in bytes. */
const SHOWN_BYTES = 60;
const LF = 0x0a;

/** The options that make `socket-server` stand in for an instrument. */
export const repliesOptions = {
  reply: several(value<Reply, { help: string }>(
    { help: "Answer this query so; other queries get no answer" },
    "QUERY=ANSWER",
    parseReplyOption,
  )),
  replies: file({ help: "Answer by the table in this file: QUERY=ANSWER on each line" }),
  replyElse: text({
    help: "Answer with this text the queries that --reply and --replies do not have",
  }),
} as const;

/** The values of {@linkcode repliesOptions}. */
export interface RepliesValues {
  readonly reply: readonly Reply[];
  readonly replies?: string;
  readonly replyElse?: string;
}

/**
 * Makes the table that `--reply`, `--replies` and `--reply-else` ask for.
 *
 * @param values The options' values.
 * @param context Where queries are reported that are not in it.
 * @returns The table; undefined if there is none of these options.
 * @throws {UsageError} If the file cannot be read, or an escape is wrong.
 */
export async function readReplies(
  { reply, replies, replyElse }: RepliesValues,
  { say }: Context,
): Promise<Replies | undefined> {
  if (reply.length === 0 && replies === undefined && replyElse === undefined) return undefined;
  const fromFile = replies === undefined ? [] : await readTable(replies);
  const table = [...fromFile, ...reply];
  const likes = new Map(table.map(({ query }) => [loose(query), query]));
  return new Replies(table, {
    otherwise: replyElse === undefined ? undefined : parseEscapedText(replyElse),
    onUnknown: (query) => say.throttled("unknown", unknownText(query, likes)),
  });
}

function parseReplyOption(text: string): Reply {
  try {
    return parseReply(text);
  } catch (error) {
    if (!(error instanceof UsageError) || !error.message.startsWith("expected")) throw error;
    throw new UsageError(`${error.message}; --reply-else TEXT answers whatever is asked`);
  }
}

async function readTable(path: string): Promise<Reply[]> {
  try {
    return parseReplies(decodeUtf8(await Deno.readFile(path)));
  } catch (cause) {
    const why = whyUnreadable(cause);
    throw new UsageError(`Cannot read --replies "${path}": ${why}`, { cause });
  }
}

function unknownText(query: Uint8Array, likes: ReadonlyMap<string, Uint8Array>): string {
  const like = query.length > SHOWN_BYTES ? undefined : likes.get(loose(query));
  const shown = pythonBytes(query.subarray(0, SHOWN_BYTES)) +
    (query.length > SHOWN_BYTES ? ` and ${query.length - SHOWN_BYTES} bytes more` : "");
  const why = query.includes(LF)
    ? "it has several lines, which --line takes one by one"
    : `no --reply or --replies has it${like ? `, only ${pythonBytes(like)}` : ""}`;
  return `No answer to ${shown}: ${why}`;
}

/** What two queries have in common that differ in blanks at their ends, or in case. */
function loose(query: Uint8Array): string {
  return pythonBytes(query).slice(2, -1).trim().toLowerCase();
}
