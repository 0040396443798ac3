import { whenAborted } from "../time/lifecycle.ts";

/** How {@linkcode promptLines} asks. */
export interface PromptOptions {
  /** What stands before what is typed; as a function, it is asked again for each line. */
  prompt: string | (() => string);
  /** Ends the asking. */
  signal?: AbortSignal;
  /** Called on Ctrl-C, which gives no signal as long as lines are asked for; also while the last one is dealt with. */
  onInterrupt?: () => void;
  /** Receives what others need to write between prompts. */
  onOpen?: (prompter: Prompter) => void;
}

/** Makes room on the terminal while a line is being typed. */
export interface Prompter {
  /** Clears the prompt and what has been typed after it. */
  clear(): void;
  /** Shows both again. */
  redraw(): void;
}

/**
 * Asks for lines on a terminal. Lines can be edited, and earlier ones come back with the arrow keys. Ctrl-D ends it, after
 * the lines typed before, and so does Ctrl-C at once.
 *
 * @param options What to show.
 * @returns The lines. The next one is asked for when the iterator is asked for it, so output stands before the prompt.
 */
export async function* promptLines(options: PromptOptions): AsyncGenerator<string, void, void> {
  const { clearLine, createInterface, cursorTo } = await import("node:readline");
  const { default: { stdin, stdout, stderr } } = await import("node:process");
  const output = stdout.isTTY ? stdout : stderr;
  const reader = createInterface({
    input: stdin,
    output,
    terminal: true,
    historySize: 1000,
    removeHistoryDuplicates: true,
  });
  const close = () => reader.close();
  let interrupted = false;
  reader.on("SIGINT", () => {
    interrupted = true;
    options.onInterrupt?.();
    close();
  });
  let closed = false;
  let isShown = false;
  reader.once("close", () => closed = true);
  options.onOpen?.({
    clear() {
      if (closed) return;
      cursorTo(output, 0);
      clearLine(output, 0);
      isShown = false;
    },
    redraw() {
      if (closed) return;
      reader.prompt(true);
      isShown = true;
    },
  });
  using _ = whenAborted(options.signal, close);
  try {
    const lines = reader[Symbol.asyncIterator]();
    for (;;) {
      if (interrupted || options.signal?.aborted) return;
      if (!closed) { // by Ctrl-D while the last line was dealt with
        const { prompt } = options;
        reader.setPrompt(typeof prompt === "string" ? prompt : prompt());
        reader.prompt();
        isShown = true;
      }
      const { value, done } = await lines.next();
      if (done) {
        if (isShown) output.write("\n"); // what is said next starts on a line of its own
        return;
      }
      isShown = false;
      yield value;
    }
  } finally {
    reader.close();
  }
}
