import type { TriggerSettings } from "./store/trigger.ts";
import { SPECTRUM_WINDOWS, type SpectrumWindow } from "./store/spectrum.ts";

/** What a viewer wants to see; what the page sends as JSON. */
export interface View {
  /** Its number: frames name it. */
  readonly id: number;
  /** Seconds that are visible. */
  readonly span: number;
  /** Columns of pixels. */
  readonly columns: number;
  /** Where it ends, in s; null to follow the stream. */
  readonly end: number | null;
  /** The channels of each lane that are shown. */
  readonly channels: readonly (readonly number[])[];
  /** The trigger, if there is one. */
  readonly trigger: ViewTrigger | null;
  /** The trace whose spectrum is shown. */
  readonly spectrum: { lane: number; channel: number; window: SpectrumWindow } | null;
  /** The two traces of which one is drawn over the other. */
  readonly xy: { lane: number; x: number; y: number } | null;
}

/** A trigger as a viewer sets it. */
export interface ViewTrigger extends TriggerSettings {
  /** The lane of its channel. */
  readonly lane: number;
  /** What to show while there is no event: the stream, what was last, or, after one event, that for ever. */
  readonly mode: "auto" | "normal" | "single";
  /** The part of the view that lies before the event, from 0 to 1. */
  readonly position: number;
}

/** The least and the most seconds that can be visible. */
const [SHORTEST, LONGEST] = [1e-4, 1e7];

type Fields = Record<string, unknown>;

/**
 * Reads a view.
 *
 * @param message What a viewer sent, taken apart.
 * @returns The view, with numbers brought into their bounds; undefined where it is none.
 */
export function parseView(message: Fields): View | undefined {
  const { channels } = message;
  if (!Array.isArray(channels) || channels.length > 16) return undefined;
  return {
    id: number(message.id, 0, 2 ** 32 - 1, 0),
    span: number(message.span, SHORTEST, LONGEST, 10),
    columns: Math.round(number(message.columns, 16, 8192, 1000)),
    end: typeof message.end === "number" && Number.isFinite(message.end) ? message.end : null,
    channels: channels.map((each) =>
      Array.isArray(each) ? [...new Set(each.filter(isIndex))].slice(0, 4096) : []
    ),
    trigger: isFields(message.trigger) ? parseTrigger(message.trigger) : null,
    spectrum: isFields(message.spectrum) ? parseSpectrum(message.spectrum) : null,
    xy: isFields(message.xy)
      ? { lane: index(message.xy.lane), x: index(message.xy.x), y: index(message.xy.y) }
      : null,
  };
}

function parseTrigger(fields: Fields): ViewTrigger {
  return {
    lane: index(fields.lane),
    channel: index(fields.channel),
    slope: oneOf(["rising", "falling", "either"], fields.slope),
    level: number(fields.level, -1e300, 1e300, 0),
    hysteresis: number(fields.hysteresis, 0, 1e300, 0),
    holdoff: number(fields.holdoff, 0, LONGEST, 0),
    mode: oneOf(["auto", "normal", "single"], fields.mode),
    position: number(fields.position, 0, 1, 0.5),
  };
}

function parseSpectrum({ lane, channel, window }: Fields): View["spectrum"] {
  const name = SPECTRUM_WINDOWS.find((name) => name === window) ?? "hann";
  return { lane: index(lane), channel: index(channel), window: name };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 65_536;
}

function index(value: unknown): number {
  return isIndex(value) ? value : 0;
}

function number(value: unknown, min: number, max: number, fallback: number): number {
  if (typeof value !== "number" || Number.isNaN(value)) return fallback;
  return Math.min(Math.max(value, min), max);
}

function oneOf<const T extends string>(words: readonly T[], value: unknown): T {
  return words.find((word) => word === value) ?? words[0]!;
}
