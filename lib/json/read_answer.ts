import { type JsonCodecOptions, type JsonValue, parseJson } from "../codecs/json/json.ts";
import { compactJson, jsonMembers } from "../codecs/json/text.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { CodecError, type ConnectError, messageOf } from "../errors.ts";
import { ownProperty } from "./commands.ts";

/** How much of an answer that cannot be read is shown. */
const SHOWN = 200;

/** What begins a TLS record that says what is wrong (RFC 8446, section 5.1). */
const TLS_ALERT = 0x15;

/** An answer, as it was sent. */
export type AnswerData = { [name: string]: JsonValue };

/** The server reported success. */
export interface SuccessResult {
  /** Tells the results apart. */
  outcome: "success";
  /** The whole answer. */
  response: AnswerData;
  /** Its `result`, where it has one. */
  result: JsonValue | undefined;
  /** The answer as it came. */
  text: string;
}

/** The server reported a failure. */
export interface FailResult {
  /** Tells the results apart. */
  outcome: "fail";
  /** The whole answer. */
  response: AnswerData;
  /** Its `error`, as text; the whole answer where it has none. */
  error: string;
  /** The answer as it came. */
  text: string;
}

/** There was no answer: the message of the error says whether nobody was there, or none came in time, or the server closed. */
export interface NoAnswerResult {
  /** Tells the results apart. */
  outcome: "no-answer";
  /** Why there was no answer. */
  error: ConnectError;
  /** Whether the message may have left this computer: then it may have been carried out, or still be. */
  sent: boolean;
}

/** There was an answer that is no JSON, or says neither success nor failure. */
export interface BadAnswerResult {
  /** Tells the results apart. */
  outcome: "bad-answer";
  /** What is wrong with the answer; it shows it. */
  error: CodecError;
  /** The answer as it came. */
  text: string;
}

/** What became of a message; `outcome` tells which. */
export type JsonSendResult = SuccessResult | FailResult | NoAnswerResult | BadAnswerResult;

/**
 * Reads an answer.
 *
 * @param bytes The line.
 * @param options Whether it may have numbers that JavaScript cannot hold.
 * @returns What it says: success, failure, or nothing that makes sense.
 */
export function readAnswer(
  bytes: Uint8Array,
  { anyNumber }: Pick<JsonCodecOptions, "anyNumber"> = {},
): SuccessResult | FailResult | BadAnswerResult {
  const text = new TextDecoder().decode(bytes);
  if (bytes[0] === TLS_ALERT && bytes[1] === 3) return badAnswer(text, "the server speaks TLS");
  let response: JsonValue;
  try {
    response = parseJson(decodeUtf8(bytes), { anyNumber });
  } catch (cause) {
    return badAnswer(text, messageOf(cause), cause);
  }
  switch (ownProperty(response, "status")) {
    case "success": {
      const result = ownProperty(response, "result") as JsonValue | undefined;
      return { outcome: "success", response: response as AnswerData, result, text };
    }
    case "error":
    case "failed": {
      const error = ownProperty(response, "error");
      const reason = typeof error === "string" ? error : textOf(error, text);
      return { outcome: "fail", response: response as AnswerData, error: reason, text };
    }
    default:
      return badAnswer(text, 'expected a "status" of "success", "error" or "failed"');
  }
}

/** What is in place of the text of an error, as it came. */
function textOf(error: unknown, answer: string): string {
  const text = compactJson(answer);
  return error == null ? text : jsonMembers(text).get("error")!;
}

function badAnswer(text: string, why: string, cause?: unknown): BadAnswerResult {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  const error = new CodecError(`Cannot read answer ${JSON.stringify(shown)}: ${why}`, { cause });
  return { outcome: "bad-answer", error, text };
}
