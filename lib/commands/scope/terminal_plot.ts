import type { Context } from "../../cli/context.ts";
import type { PlotSize } from "../../scope/plot/plot.ts";

/** Milliseconds between two pictures. */
const INTERVAL = 100;
/** Lines of the picture at most: what is above stays to be read. */
const MOST_ROWS = 30;

/** What draws the pictures. */
export interface Plotter {
  /** The picture, as lines of text. */
  draw(size: PlotSize): readonly string[] | Promise<readonly string[]>;
  /** Does what a key stands for. */
  press(key: string): void;
}

/** What standard input offers on a terminal. */
interface Keyboard {
  setRaw?(isRaw: boolean, options?: { cbreak: boolean }): void;
}

/**
 * Draws traces in the terminal, on standard error, until it is closed.
 *
 * @param context The world around the command.
 * @param plotter What draws them.
 */
export function startTerminalPlot(context: Context, plotter: Plotter): { close(): Promise<void> } {
  const { say } = context;
  if (!say.canShow.pictures) {
    say.warn("Cannot plot: standard error is not a terminal");
    return { close: () => Promise.resolve() };
  }
  let isDrawing = false;
  const draw = async () => {
    const { columns, rows } = terminalSize(context);
    const size = { columns, rows: Math.min(rows - 1, MOST_ROWS), colours: say.canShow.colours };
    const lines = await plotter.draw(size);
    if (lines.length > 0) say.picture([...lines]);
  };
  const show = () => {
    if (isDrawing) return;
    isDrawing = true;
    draw().finally(() => isDrawing = false);
  };
  const keys = listenToKeys(context, (key) => {
    plotter.press(key);
    show();
  });
  const timer = setInterval(show, INTERVAL);
  let isClosed = false;
  return {
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      clearInterval(timer);
      keys[Symbol.dispose]();
      await draw();
      say.keepPicture(); // the last picture stays
    },
  };
}

function terminalSize({ columns }: Context): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: columns(), rows: 24 };
  }
}

/** Reads keys as they are pressed, where standard input is a terminal that can do that. */
function listenToKeys({ stdin }: Context, onKey: (key: string) => void): Disposable {
  const keyboard = stdin as Keyboard;
  // On Windows a terminal that gives single keys does not give Ctrl-C its meaning.
  if (!stdin.isTerminal() || !keyboard.setRaw || Deno.build.os === "windows") {
    return { [Symbol.dispose]: () => {} };
  }
  keyboard.setRaw(true, { cbreak: true });
  const reader = stdin.readable.getReader();
  const read = async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (const key of new TextDecoder().decode(part.value)) onKey(key);
    }
  };
  read().catch(() => {}); // the terminal is gone, or the end has come
  return {
    [Symbol.dispose]() {
      keyboard.setRaw!(false);
      reader.cancel().catch(() => {});
    },
  };
}
