import { type JsonCodecOptions, type JsonValue, parseJson } from "../codecs/json/json.ts";
import { compactJson, jsonMembers } from "../codecs/json/text.ts";
import { decodeUtf8 } from "../text/utf8.ts";
import { CodecError, type ConnectError, messageOf } from "../errors.ts";
import { ownProperty } from "./commands.ts";

/** Maximum length of an unreadable answer in a message, in characters. */
const SHOWN = 200;

/** The first byte of a TLS alert (RFC 8446, section 5.1). */
const TLS_ALERT = 0x15;

/** An answer as it was sent. */
export type AnswerData = { [name: string]: JsonValue };

/** The server reported success. */
export interface SuccessResult {
  /** The kind of result. */
  outcome: "success";
  /** The whole answer. */
  response: AnswerData;
  /** Its `result`, if it has one. */
  result: JsonValue | undefined;
  /** The answer as received. */
  text: string;
}

/** The server reported a failure. */
export interface FailResult {
  /** The kind of result. */
  outcome: "fail";
  /** The whole answer. */
  response: AnswerData;
  /** Its `error`, as text; the whole answer if it has none. */
  error: string;
  /** The answer as received. */
  text: string;
}

/** There was no answer: the error says whether the server was unreachable, did not answer in time, or closed the connection. */
export interface NoAnswerResult {
  /** The kind of result. */
  outcome: "no-answer";
  /** Why there was no answer. */
  error: ConnectError;
  /** Whether the message may have left this computer, and so may be carried out. */
  sent: boolean;
}

/** There was an answer that is not JSON, or reports neither success nor failure. */
export interface BadAnswerResult {
  /** The kind of result. */
  outcome: "bad-answer";
  /** What is wrong with the answer; the message shows it. */
  error: CodecError;
  /** The answer as received. */
  text: string;
}

/** The result of sending a message; `outcome` is its kind. */
export type JsonSendResult = SuccessResult | FailResult | NoAnswerResult | BadAnswerResult;

/**
 * Reads an answer.
 *
 * @param bytes The line.
 * @param options Whether it may have numbers that JavaScript cannot represent.
 * @returns Success, failure, or an invalid answer.
 */
export function readAnswer(
  bytes: Uint8Array,
  { anyNumber }: Pick<JsonCodecOptions, "anyNumber"> = {},
): SuccessResult | FailResult | BadAnswerResult {
  const text = new TextDecoder().decode(bytes);
  if (bytes[0] === TLS_ALERT && bytes[1] === 3) {
    return badAnswer(
      text,
      "the server speaks TLS: connect with ca (--ca) or tls (--tls)",
    );
  }
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

/** An error that is not a string, as received. */
function textOf(error: unknown, answer: string): string {
  const text = compactJson(answer);
  return error == null ? text : jsonMembers(text).get("error")!;
}

function badAnswer(text: string, why: string, cause?: unknown): BadAnswerResult {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  const error = new CodecError(`Cannot read answer ${JSON.stringify(shown)}: ${why}`, { cause });
  return { outcome: "bad-answer", error, text };
}
