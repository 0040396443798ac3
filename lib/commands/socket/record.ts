import type { Context } from "../../cli/context.ts";
import { parseJson } from "../../codecs/json/json.ts";
import { CodecError } from "../../errors.ts";
import type { HostPort } from "../../net/address/address.ts";
import { openLines, type RecordingValues, recordOptions } from "../recording/record.ts";
import { replayLines, type ReplayOptions } from "../recording/replay.ts";
import { bytesRecord } from "./show_bytes.ts";

/** The options for recording bytes. */
export const recordBytesOptions = recordOptions(
  "Record the bytes of both directions in this file, with their times, as lines of JSON",
);

/** Who sent something. */
export type Side = "client" | "server";

/** A recording of bytes. */
export interface BytesRecording extends AsyncDisposable {
  /** Records what one side sent to the other; `peer` is the other end of this program's socket. */
  write(side: Side, bytes: Uint8Array, peer: HostPort): void;
  /** Notes what this client is about to send, at its time: `sent()` records it. */
  sending(bytes: Uint8Array, peer: HostPort): void;
  /** Records what was noted: the system has taken it. */
  sent(): void;
  /** Ends it, and says what there is in it. May be called again. */
  close(): Promise<void>;
}

/**
 * Begins the recording that `--record` asks for.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @returns The recording; one that records nothing where none is wanted.
 * @throws {UsageError} If the file is there already, or cannot be made.
 */
export async function openBytesRecording(
  context: Context,
  values: RecordingValues & { readonly record?: string },
): Promise<BytesRecording> {
  const lines = await openLines(context, values, ["piece", "pieces"]);
  let noted: string | undefined;
  const sent = () => {
    if (noted !== undefined) lines?.write(noted);
    noted = undefined;
  };
  return {
    write: (from, bytes, peer) => lines?.write(bytesRecord(bytes, peer, from)),
    sending(bytes, peer) {
      if (lines) noted = bytesRecord(bytes, peer, "client");
    },
    sent,
    close: async () => await lines?.close(),
    [Symbol.asyncDispose]: async () => await lines?.close(),
  };
}

/**
 * What a recording says the client has sent, piece by piece at its time.
 *
 * @param context Where it is said what is wrong with the file.
 * @param options The file and its pace.
 * @throws {UsageError} If the file cannot be read.
 * @throws {CodecError} If a line is no record of bytes.
 */
export async function* replayedBytes(
  context: Context,
  options: ReplayOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new TextDecoder();
  // Quotes within texts are escaped, so that this is found nowhere else.
  const wants = (line: string) => !line.includes(',"from":"server",');
  for await (const line of replayLines(context, { ...options, wants })) {
    const text = decoder.decode(line);
    if (text.trim() === "") continue;
    const bytes = sentBytes(text, options.replay);
    if (bytes) yield bytes;
  }
}

/** The bytes of a record; undefined if they are what the server has sent. */
function sentBytes(line: string, path: string): Uint8Array | undefined {
  const record = parseJson(line, { anyNumber: true });
  const { from, text, hex } = (record ?? {}) as Record<string, unknown>;
  if (from === "server") return undefined;
  if (typeof text === "string") return new TextEncoder().encode(text);
  if (typeof hex === "string" && /^([0-9a-f]{2})*$/i.test(hex)) return Uint8Array.fromHex(hex);
  throw new CodecError(
    `Cannot send "${path}": expected a recording of socket-server or socket-client, with "text" or "hex" in each line`,
  );
}
