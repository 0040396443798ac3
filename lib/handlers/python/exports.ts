import { JsonText } from "../../codecs/json/text.ts";
import type { Sample, Timestamp } from "../../codecs/villas/sample.ts";
import type { HandlerPeer, HandlerUse } from "../module_handler.ts";
import type { Answer } from "./frames.ts";
import type { Loaded } from "./process.ts";
import { decodeReplies, encodeSamples } from "./samples.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Whom a call comes from, and what calls it off before its turn, if there is any of them. */
export interface CallOrigin {
  /** The peer. */
  readonly peer?: HandlerPeer;
  /** Where it is aborted before the call's turn, the module is not called. */
  readonly signal?: AbortSignal;
}

/**
 * Calls a module.
 *
 * @param kind The kind of the frame.
 * @param payload What it carries, not to be changed.
 * @param read What to make of the answer.
 * @param origin Where it comes from.
 */
export type CallPython = (
  kind: string,
  payload: readonly Uint8Array[],
  read: (answer: Answer) => unknown,
  origin?: CallOrigin,
) => Promise<unknown>;

/**
 * A module's functions, as those of JavaScript are called.
 *
 * @param loaded What the module has.
 * @param use What its functions get.
 * @param call Calls it.
 */
export function exportsOf(
  { commands, functions }: Loaded,
  { kind }: HandlerUse,
  call: CallPython,
): Record<string, unknown> {
  const exports: Record<string, unknown> = {};
  if (functions.includes("interact")) exports.interact = jsonFunction("", call);
  if (commands.length > 0) {
    exports.commands = Object.fromEntries(
      commands.map(({ name }) => [name, jsonFunction(name, call)]),
    );
  }
  const handles = functions.includes("handle");
  if (kind === "samples") {
    if (handles || functions.includes("handle_batch")) exports.handle_batch = batchFunction(call);
  } else if (handles) {
    exports.handle = (
      data: Uint8Array,
      peer: HandlerPeer,
      onAnswer: (answer: Uint8Array | null) => unknown = (answer) => answer,
    ) => call("B", [data.slice()], (answer) => onAnswer(readBytes(answer)), { peer });
  }
  return exports;
}

/** Has samples handled, whether the module takes them one by one or together. */
function batchFunction(call: CallPython) {
  return (
    samples: readonly Sample[],
    messages: readonly number[],
    received: readonly Timestamp[],
  ) =>
    call("S", [encodeSamples(samples, messages, received)], ({ payload, micros }) => ({
      ...decodeReplies(payload, samples, messages, received),
      seconds: micros / 1e6,
    }));
}

/** A function of JSON messages; an empty name is that of `interact`. */
function jsonFunction(name: string, call: CallPython) {
  const encoded = encoder.encode(name);
  const prefix = new Uint8Array([encoded.length, ...encoded]);
  return (
    data: unknown,
    { bytes, signal }: { readonly bytes?: Uint8Array; readonly signal?: AbortSignal } = {},
  ) => {
    const message = bytes?.slice() ?? encoder.encode(JSON.stringify(data));
    return call("J", [prefix, message], readJson, { signal });
  };
}

function readJson({ kind, payload }: Answer): unknown {
  return kind === "N" ? undefined : JsonText.written(decoder.decode(payload));
}

function readBytes({ kind, payload }: Answer): Uint8Array | null {
  return kind === "N" ? null : payload.slice();
}
