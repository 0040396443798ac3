import { lineFraming, type LineFramingOptions } from "../net/framing/line.ts";
import { whenAborted } from "../time/lifecycle.ts";
import { type ByteSource, readMessages } from "../net/framing/read_messages.ts";

/**
 * Reads text line by line, each as soon as it is there.
 *
 * @param stream UTF-8; what is not is replaced.
 * @param signal Ends the reading.
 * @returns The lines without their ends; the last one too if it has none.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  for await (const line of readByteLines(stream, signal)) yield decoder.decode(line);
}

/**
 * Reads lines as bytes, each as soon as it is there.
 *
 * @param stream Any bytes.
 * @param signal Ends the reading.
 * @param options Whether lines keep their ends, and how long they may be; any length by default.
 * @returns The lines without their ends, each valid until the next one is asked for; the last one too if it has none.
 */
export async function* readByteLines(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
  options: LineFramingOptions = {},
): AsyncGenerator<Uint8Array, void, void> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  using _ = whenAborted(signal, cancel);
  const source: ByteSource = {
    read: async () => (await reader.read()).value ?? null,
    get readEnd() {
      return signal?.aborted ? "stopped" : "ended";
    },
  };
  try {
    const framing = lineFraming({ maxBytes: Infinity, ...options });
    for await (const line of readMessages(source, framing)) {
      if (signal?.aborted) return;
      yield line;
    }
  } finally {
    cancel();
  }
}

/**
 * Reads bytes as they come.
 *
 * @param stream Any bytes.
 * @param signal Ends the reading.
 * @param onRead Called with the number of bytes of each chunk.
 * @returns Chunks.
 */
export async function* readChunks(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  onRead?: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  using _ = whenAborted(signal, cancel);
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined || signal.aborted) return;
      onRead?.(value.length);
      yield value;
    }
  } finally {
    cancel();
  }
}

/**
 * Looks at the first line of a stream that can be read once only, as that of a pipe.
 *
 * @param chunks What comes.
 * @param most Bytes that are looked at, at most.
 * @returns The line without its end, and all of what comes.
 */
export async function peekLine(
  chunks: AsyncGenerator<Uint8Array, void, void>,
  most = 1 << 16,
): Promise<{ readonly line: string; readonly all: AsyncGenerator<Uint8Array, void, void> }> {
  const begin: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let [size, line] = [0, ""];
  while (size < most && !line.includes("\n")) {
    const { value } = await chunks.next();
    if (!value) break;
    begin.push(value);
    size += value.length;
    line += decoder.decode(value, { stream: true });
  }
  const all = async function* () {
    yield* begin;
    yield* chunks;
  };
  return { line: line.split("\n", 1)[0]!.trimEnd(), all: all() };
}
