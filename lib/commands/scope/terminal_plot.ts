import type { Context } from "../../cli/context.ts";
import type { Feed } from "../../scope/feed.ts";
import { TerminalPlot } from "../../scope/plot/plot.ts";

/** Milliseconds between two pictures. */
const INTERVAL = 100;
/** Lines of the picture at most: what is above stays to be read. */
const MOST_ROWS = 30;

/** What standard input offers on a terminal. */
interface Keyboard {
  setRaw?(isRaw: boolean, options?: { cbreak: boolean }): void;
}

/**
 * Draws what a feed has in the terminal, on standard error, until it is closed.
 *
 * @param context The world around the command.
 * @param feed What there is to see.
 */
export function startTerminalPlot(context: Context, feed: Feed): { close(): Promise<void> } {
  const { say } = context;
  if (!say.canShow.pictures) {
    say.warn("Cannot plot: standard error is not a terminal");
    return { close: () => Promise.resolve() };
  }
  const plot = new TerminalPlot(feed);
  const draw = () => {
    const { columns, rows } = terminalSize(context);
    say.picture(
      plot.draw({ columns, rows: Math.min(rows - 1, MOST_ROWS), colours: say.canShow.colours }),
    );
  };
  const keys = listenToKeys(context, (key) => {
    plot.press(key);
    draw();
  });
  const timer = setInterval(draw, INTERVAL);
  let isClosed = false;
  return {
    close: () => {
      if (isClosed) return Promise.resolve();
      isClosed = true;
      clearInterval(timer);
      keys[Symbol.dispose]();
      draw();
      say.keepPicture(); // the last picture stays
      return Promise.resolve();
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
