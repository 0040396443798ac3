import { concat } from "@std/bytes/concat";
import { parseEscapedText } from "../text/escapes.ts";
import { UsageError } from "../errors.ts";

const LF = 0x0a;
const CR = 0x0d;
const latin1 = new TextDecoder("latin1");

/** A query and its answer, both without a line end unless one was written. */
export interface Reply {
  /** What is asked. */
  readonly query: Uint8Array;
  /** What is answered; nothing at all where it is empty. */
  readonly answer: Uint8Array;
}

/** What {@linkcode Replies} does with queries that are not in its table. */
export interface RepliesOptions {
  /** The answer to each of them. Default: none. */
  otherwise?: Uint8Array;
  /** Called with each of them that gets no answer. */
  onUnknown?: (query: Uint8Array) => void;
}

/**
 * A table of queries and answers, which stands in for an instrument.
 *
 * The line end of a query (`\n`, `\r\n` or `\r`) is no part of it, and the answer ends with the same one, unless it has one of its
 * own. A query that is written with a line end in the table is that one only, and its answer is sent as it is written.
 */
export class Replies {
  readonly #answers = new Map<string, Uint8Array>();
  readonly #options: RepliesOptions;
  #longest = 0;

  /**
   * @param replies The table; of a query that is there twice the last answer counts.
   * @param options What to do with other queries.
   */
  constructor(replies: Iterable<Reply>, options: RepliesOptions = {}) {
    this.#options = options;
    for (const { query, answer } of replies) {
      this.#answers.set(keyOf(query), answer);
      this.#longest = Math.max(this.#longest, query.length);
    }
  }

  /**
   * Looks up the answer to a message.
   *
   * @param message What arrived.
   * @returns What to send, or null for nothing.
   */
  answer(message: Uint8Array): Uint8Array | null {
    const exact = this.#find(message);
    if (exact) return exact.length > 0 ? exact : null;
    const end = lineEndOf(message);
    const query = message.subarray(0, message.length - end.length);
    const answer = end.length > 0 ? this.#find(query) : undefined;
    if (answer === undefined && this.#options.otherwise === undefined && query.length > 0) {
      this.#options.onUnknown?.(query);
    }
    return withEnd(answer ?? this.#options.otherwise, end);
  }

  #find(query: Uint8Array): Uint8Array | undefined {
    return query.length > this.#longest ? undefined : this.#answers.get(keyOf(query));
  }
}

/**
 * Reads `QUERY=ANSWER`, with the escapes of {@linkcode parseEscapedText} and `\=` for an equals sign in the query.
 *
 * @param text What a user wrote.
 * @returns Both.
 * @throws {UsageError} If it is not that; the message starts at what was wanted, or says which escape is wrong.
 */
export function parseReply(text: string): Reply {
  const [, query, answer] = /^((?:[^=\\]|\\.)*)=(.*)$/s.exec(text) ?? [];
  if (query === undefined || answer === undefined) throw new UsageError("expected QUERY=ANSWER");
  if (query === "") throw new UsageError("expected QUERY=ANSWER, with a query");
  const [asked, answered] = [query, answer].map((part) =>
    parseEscapedText(part.replace(/\\(.)/gs, (escape, char) => char === "=" ? char : escape))
  );
  return { query: asked!, answer: answered! };
}

/**
 * Reads a file of replies: one `QUERY=ANSWER` per line. Blank lines, and lines that begin with `#`, are comments.
 *
 * @param text What is in the file.
 * @returns The replies in order.
 * @throws {UsageError} If a line is no reply, or a query is there twice; the message begins with the number of the line.
 */
export function parseReplies(text: string): Reply[] {
  const replies: Reply[] = [];
  const lines = new Map<string, number>();
  for (const [i, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    try {
      const reply = parseReply(line);
      const before = lines.get(keyOf(reply.query));
      if (before !== undefined) {
        throw new UsageError(`the query is in line ${before} already, expected it once`);
      }
      lines.set(keyOf(reply.query), i + 1);
      replies.push(reply);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`line ${i + 1}, ${JSON.stringify(line)}: ${error.message}`);
    }
  }
  return replies;
}

function keyOf(bytes: Uint8Array): string {
  return latin1.decode(bytes);
}

/** The line end that a message has, which may be none. */
function lineEndOf(message: Uint8Array): Uint8Array {
  const last = message.at(-1);
  const length = last === CR ? 1 : last !== LF ? 0 : message.at(-2) === CR ? 2 : 1;
  return message.subarray(message.length - length);
}

/** Adds a line end to an answer that has none. */
function withEnd(answer: Uint8Array | undefined, end: Uint8Array): Uint8Array | null {
  if (answer === undefined || answer.length === 0) return null;
  if (end.length === 0 || lineEndOf(answer).length > 0) return answer;
  return concat([answer, end]);
}
