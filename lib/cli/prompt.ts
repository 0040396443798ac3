/** How {@linkcode promptLines} asks. */
export interface PromptOptions {
  /** What stands before what is typed. */
  prompt: string;
  /** Ends the asking. */
  signal?: AbortSignal;
}

/**
 * Asks for lines on a terminal. Lines can be edited, and earlier ones come back with the arrow keys. Ctrl-D ends it, and so does
 * Ctrl-C.
 *
 * @param options What to show.
 * @returns The lines. The next one is asked for when the iterator is asked for it, so output stands before the prompt.
 */
export async function* promptLines(options: PromptOptions): AsyncGenerator<string, void, void> {
  const { createInterface } = await import("node:readline");
  const { default: { stdin, stdout, stderr } } = await import("node:process");
  const reader = createInterface({
    input: stdin,
    output: stdout.isTTY ? stdout : stderr,
    prompt: options.prompt,
    terminal: true,
    historySize: 1000,
    removeHistoryDuplicates: true,
  });
  const close = () => reader.close();
  reader.on("SIGINT", close);
  options.signal?.addEventListener("abort", close, { once: true });
  try {
    if (options.signal?.aborted) return;
    const lines = reader[Symbol.asyncIterator]();
    for (;;) {
      reader.prompt();
      const { value, done } = await lines.next();
      if (done) return;
      yield value;
    }
  } finally {
    options.signal?.removeEventListener("abort", close);
    reader.close();
  }
}
