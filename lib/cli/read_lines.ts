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
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  let rest = "";
  try {
    while (!signal?.aborted) {
      const { value } = await reader.read();
      rest += decoder.decode(value, { stream: value !== undefined });
      const lines = rest.split("\n");
      rest = lines.pop()!;
      for (const line of lines) yield line.replace(/\r$/, "");
      if (value === undefined) break;
    }
    if (rest !== "" && !signal?.aborted) yield rest;
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}
