/**
 * The options that show samples while they pass: `--scope` in a browser, `--plot` in the terminal.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { beside, flag, type Option, value } from "../../cli/options.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { type HostPort, parseAddress } from "../../net/address/address.ts";
import { isLoopback } from "../../net/address/localhost.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import type { Feed, LaneDescription } from "../../scope/feed.ts";
import type { ScopeControl } from "../../scope/scope.ts";
import type { Format } from "../../codecs/villas/format.ts";
import type { SignalInfo } from "../../scope/store/lane.ts";
import type { Statistic } from "../../scope/viewer.ts";
import type { Tap } from "../../villas/path.ts";
import { openBrowser } from "./open_browser.ts";
import type { Plotter } from "./terminal_plot.ts";

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
  history: beside(
    ["scope"],
    value(
      { default: 60, help: "For how long --scope keeps every sample, as in 60s, 5min or 1h" },
      "TIME",
      parseDuration,
      { show: (seconds) => `${seconds}s` },
    ),
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
  /** The format of the messages. */
  readonly format?: Format;
  /** What may be changed from the page. */
  readonly control?: ScopeControl;
}

/** What is shown of a recording. */
export interface RecordingDescription extends Pick<ScopeDescription, "title" | "signals"> {
  /** Bytes of samples that are kept in full. */
  readonly bytes: number;
  /** How much of it has been read, from 0 to 1. */
  readonly progress: () => number;
  /** Numbers that are told beside the traces. */
  readonly statistics: () => readonly Statistic[];
}

/** What shows samples while they pass. */
export interface OpenScope extends AsyncDisposable {
  /** Shows samples: one tap for each way. */
  readonly taps: readonly Tap[];
  /** Shows samples that go one way. */
  add(lane: number, samples: readonly Sample[]): void;
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
 * Opens what shows samples while they pass, in a thread of its own.
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
  const { startScopeThread } = await import("../../scope/thread/thread.ts");
  let statistics: () => readonly Statistic[] = () => [];
  const scope = await startScopeThread({
    ...description,
    ...{ history: values.history, listen: values.scope, onProblem: problems(context) },
    statistics: () => statistics(),
  }).catch((error) => refuse(error, values));
  const plot = await openPlot(context, values, scope);
  if (scope.url !== undefined) await announce(context, values, scope.url);
  const close = async () => {
    await plot?.close();
    await scope.close();
  };
  return {
    taps: description.lanes.map((_, i) => scope.tap(i)),
    add: (lane, samples) => scope.add(lane, samples),
    tell: (told) => statistics = told,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Opens what shows a recording.
 *
 * @param context The world around the command.
 * @param values The options' values.
 * @param description What is shown.
 * @throws {UsageError} If the address cannot be bound.
 */
export async function openRecordingScope(
  context: Context,
  values: ScopeValues,
  { title, signals, bytes, ...description }: RecordingDescription,
): Promise<AsyncDisposable & { readonly feed: Feed }> {
  const { Feed } = await import("../../scope/feed.ts");
  const { startScope } = await import("../../scope/scope.ts");
  const { TerminalPlot } = await import("../../scope/plot/plot.ts");
  const feed = new Feed({
    lanes: [{ name: "recorded" }],
    ...{ signals, bytes, history: 1e9, isAbsolute: true },
  });
  let scope;
  try {
    scope = values.scope && startScope({
      ...{ ...description, feed, title, listen: values.scope, isRecording: true },
      onProblem: problems(context),
    });
  } catch (error) {
    refuse(error, values);
  }
  const plot = await openPlot(context, values, new TerminalPlot(feed));
  if (scope) await announce(context, values, scope.url);
  return {
    feed,
    async [Symbol.asyncDispose]() {
      await plot?.close();
      await scope?.close();
    },
  };
}

/** Says how to choose another address where one is taken, as it is by the first of two commands with `--scope`. */
function refuse(error: unknown, { scope }: ScopeValues): never {
  const isTaken = error instanceof UsageError && error.message.includes("another program uses");
  if (!isTaken || !scope) throw error;
  const port = scope.port < 65_535 ? scope.port + 1 : 8080;
  throw new UsageError(`${error.message}; --scope :${port} takes another one`, { cause: error });
}

function problems({ say }: Context): (kind: string, message: string) => void {
  return (kind, message) => say.throttled(`scope ${kind}`, message);
}

async function openPlot(context: Context, { plot }: ScopeValues, plotter: Plotter) {
  if (!plot) return undefined;
  const { startTerminalPlot } = await import("./terminal_plot.ts");
  return startTerminalPlot(context, plotter);
}

async function announce({ say }: Context, { scope, open }: ScopeValues, url: string) {
  say.info(`Scope: ${url}`);
  if (!isLoopback(scope!.hostname)) {
    say.info("Everybody who knows this address can look; the token in it is new each time.");
  }
  if (open) {
    await openBrowser(url).catch((error) =>
      say.warn(`Cannot open a browser: ${messageOf(error)}; open the address yourself`)
    );
  }
}
