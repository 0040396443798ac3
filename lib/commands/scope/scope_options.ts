/**
 * The options that show samples while they pass: `--scope` in a browser, `--plot` in the terminal.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { flag, type Option, value } from "../../cli/options.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { type HostPort, parseAddress } from "../../net/address/address.ts";
import { isLoopback } from "../../net/address/localhost.ts";
import type { Feed, LaneDescription } from "../../scope/feed.ts";
import type { ScopeControl } from "../../scope/scope.ts";
import type { Format } from "../../codecs/villas/format.ts";
import type { SignalInfo } from "../../scope/store/lane.ts";
import type { Statistic } from "../../scope/viewer.ts";
import type { Tap } from "../../villas/path.ts";
import { openBrowser } from "./open_browser.ts";

/** Where a scope listens by default. */
const DEFAULT = { host: "127.0.0.1", port: 8080 };

/** The same, for commands that show something in any case. */
export const DEFAULT_ADDRESS: HostPort = { hostname: DEFAULT.host, port: DEFAULT.port };

/** Units of a duration, in s. */
const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, min: 60, m: 60, h: 3600 };

/** The options of every command that has samples to show. */
export const scopeOptions = {
  scope: value(
    {
      help:
        `Show the signals in a browser, at this address (${DEFAULT.host}:${DEFAULT.port} unless given)`,
    },
    "[ADDR]",
    (text): HostPort => parseAddress(text, DEFAULT),
    { bare: `${DEFAULT.host}:${DEFAULT.port}`, takes: isAddress },
  ) as Option<HostPort | undefined>,
  open: flag({ help: "Open the browser on the page of --scope" }),
  plot: flag({ help: "Draw the signals in the terminal, on stderr" }),
  history: value(
    { default: 60, help: "For how long --scope keeps every sample, as in 60s, 5min or 1h" },
    "TIME",
    parseDuration,
    { show: (seconds) => `${seconds}s` },
  ),
} as const;

/** The values of {@linkcode scopeOptions}. */
export interface ScopeValues {
  readonly scope?: HostPort;
  readonly open: boolean;
  readonly plot: boolean;
  readonly history: number;
}

/** What is shown. */
export interface ScopeDescription {
  /** The page's title. */
  readonly title: string;
  /** What goes each way. */
  readonly lanes: readonly LaneDescription[];
  /** Names and units. */
  readonly signals?: readonly SignalInfo[];
  /** The format of messages that may be read later than they are handled. */
  readonly format?: Format;
  /** What may be changed from the page. */
  readonly control?: ScopeControl;
  /** What is different with a recording: bytes of samples that are kept in full, and how much has been read. */
  readonly recording?: { readonly bytes: number; readonly progress: () => number };
}

/** What shows samples while they pass. */
export interface OpenScope extends AsyncDisposable {
  /** Shows samples: one tap for each way. */
  readonly taps: readonly Tap[];
  /** What they are shown from. */
  readonly feed: Feed;
  /** Sets what is shown beside the traces. */
  tell(statistics: () => readonly Statistic[]): void;
  /** Ends it; may be called again. */
  close(): Promise<void>;
}

/** Whether a word that follows `--scope` is its address. */
function isAddress(text: string): boolean {
  return /^(\d{1,5}|[^-/].*:\d{1,5}|:\d{1,5})$/.test(text);
}

/** Reads a duration, such as `60s`. */
function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit ?? "?"] ?? NaN);
  if (!(seconds >= 1 && seconds <= 86_400)) {
    throw new UsageError("expected a time from 1s to 24h, such as 60s, 5min or 1h");
  }
  return seconds;
}

/** Whether the options want anything to be shown. */
export function isScopeWanted({ scope, plot, open }: ScopeValues): boolean {
  if (open && scope === undefined) {
    throw new UsageError("Cannot use --open without --scope: there is no page to open");
  }
  return scope !== undefined || plot;
}

/**
 * Opens what shows samples.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @param description What is shown.
 * @throws {UsageError} If the address cannot be bound.
 */
export async function openScope(
  context: Context,
  values: ScopeValues,
  description: ScopeDescription,
): Promise<OpenScope> {
  const { Feed } = await import("../../scope/feed.ts");
  const { recording } = description;
  const feed = new Feed({
    ...description,
    history: values.history,
    isAbsolute: recording !== undefined,
    bytes: recording?.bytes,
  });
  let statistics: () => readonly Statistic[] = () => [];
  const { startTerminalPlot } = values.plot
    ? await import("./terminal_plot.ts")
    : { startTerminalPlot: undefined };
  const opened = [
    ...startTerminalPlot ? [startTerminalPlot(context, feed)] : [],
    ...values.scope ? [await serve(context, values, description, feed, () => statistics())] : [],
  ];
  const close = async () => {
    feed.flush();
    for (const each of opened) await each.close();
  };
  return {
    taps: description.lanes.map((_, i) => feed.tap(i)),
    feed,
    tell: (told) => statistics = told,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(
  { say }: Context,
  { scope, open }: ScopeValues,
  { title, control, recording }: ScopeDescription,
  feed: Feed,
  statistics: () => readonly Statistic[],
) {
  const { startScope } = await import("../../scope/scope.ts");
  const server = startScope({
    ...{ feed, listen: scope!, title, control, statistics },
    isRecording: recording !== undefined,
    progress: recording?.progress,
    onProblem: (kind, message) => say.throttled(`scope ${kind}`, message),
  });
  say.info(`Scope: ${server.url}`);
  if (!isLoopback(scope!.hostname)) {
    say.info("Everybody who knows this address can look; the token in it is new each time.");
  }
  if (open) {
    await openBrowser(server.url).catch((error) =>
      say.warn(`Cannot open a browser: ${messageOf(error)}; open the address yourself`)
    );
  }
  return server;
}
