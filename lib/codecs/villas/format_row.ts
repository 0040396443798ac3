/**
 * What a file makes a format of: a row for the table, with its settings and its forms.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { counted } from "../../text/wording.ts";
import type {
  Carried,
  Format,
  Replies,
  SampleDecoder,
  StreamForm,
  VillasFormat,
} from "./format.ts";
import { streamFault } from "./message_stream.ts";
import type { Sample, Value } from "./sample.ts";
import {
  COMMON,
  readSettings,
  settingsNotation,
  type SettingsOf,
  type SettingsTable,
} from "./settings.ts";
import { floatSignals, type Signal, signalsOf } from "./signals.ts";

/** Settings that may be given with a format: texts, or the values of a configuration. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** A row of the table of formats. */
export interface FormatRow {
  /** VILLASnode's name. */
  readonly name: string;
  /** Makes the format with some settings, for some signals. */
  make(given: GivenSettings, signals: readonly Signal[] | undefined): VillasFormat;
}

/** The forms of a format with given settings, for given signals: what its own file knows. */
export interface FormatForms extends Omit<Format, "name" | "replies" | "withSignals"> {
  /** The form in which VILLASnode reads. Default: the one in which it writes, and what it sent may come back as it is. */
  readonly replies?: Replies;
  readonly carried: Carried;
  readonly text: boolean;
  readonly stream: StreamForm;
  /** Cuts a stream into messages; undefined where they do not show where they end. */
  readonly splitter?: VillasFormat["splitter"];
  /** Says what of some signals the format cannot carry, beyond their kinds; undefined if there is nothing. */
  readonly misfit?: (signals: readonly Signal[]) => string | undefined;
}

/** What everything that VILLASnode has can be carried in, as a start. */
export const ALL: Carried = {
  kinds: ["float", "integer", "boolean", "complex"],
  sequence: true,
  origin: true,
  received: false,
  newFrame: true,
  notFinite: true,
  exact: true,
  samples: Infinity,
  named: false,
  counted: true,
  readByNode: true,
};

/** What is left of a sample by settings that a format honours. */
export function carriedBy(
  { ts_origin, sequence }: { readonly ts_origin: boolean; readonly sequence: boolean },
): Pick<Carried, "origin" | "sequence"> {
  return { origin: ts_origin, sequence };
}

/**
 * Makes a row of the table.
 *
 * @param name VILLASnode's name for the format.
 * @param table The settings that it has beside those of every format.
 * @param make Makes its forms.
 */
export function formatRow<Table extends SettingsTable>(
  name: string,
  table: Table,
  make: (
    settings: SettingsOf<Table & typeof COMMON>,
    signals: readonly Signal[] | undefined,
  ) => FormatForms,
): FormatRow {
  const all = { ...table, ...COMMON };
  return {
    name,
    make(given, signals) {
      const settings = readSettings(name, all, given) as SettingsOf<Table & typeof COMMON>;
      const notation = name + settingsNotation(all, settings);
      const build = (signals: readonly Signal[] | undefined): VillasFormat => {
        const made = make(settings, signals);
        const forms = made.carried.named && signals === undefined
          ? withNames(made, (signals) => make(settings, signals))
          : made;
        const { encode, decode, carried, misfit, stream } = forms;
        return {
          ...forms,
          stream: signals === undefined ? stream : {
            ...stream,
            decoder: (options) => {
              const decoder = stream.decoder(options);
              return options?.more ? decoder : new CountedDecoder(decoder, name, signals.length);
            },
          },
          ...{ name, notation, signals, withSignals: (signals) => build(signalsOf(signals)) },
          replies: forms.replies ?? { name, encode, decode, plainEcho: true },
          check: (stated = signals) => checkSignals(notation, carried, stated, misfit),
          splitter: forms.splitter ?? (() => {
            throw new UsageError(
              `Cannot read format ${name} from a stream: its messages do not show where they end`,
            );
          }),
        };
      };
      return build(signals);
    },
  };
}

/** Numbers of floats for which a format is kept. */
const MOST_KEPT = 16;

/**
 * Writes samples of nothing but floats, of whose signals nothing was said, as if the names that they get had been stated: what is the same
 * in all of them is written once then.
 */
function withNames(
  forms: FormatForms,
  make: (signals: readonly Signal[]) => FormatForms,
): FormatForms {
  const kept = new Map<number, FormatForms>();
  const named = (samples: readonly Sample[]): FormatForms => {
    const count = samples[0]?.values.length ?? 0;
    const found = kept.get(count);
    if (!samples.every(({ values }) => values.length === count && values.every(isFloat))) {
      return forms;
    }
    if (found || kept.size === MOST_KEPT) return found ?? forms;
    const made = make(floatSignals(count));
    kept.set(count, made);
    return made;
  };
  return {
    ...forms,
    encode: (samples) => named(samples).encode(samples),
    ...(forms.replies && {
      replies: {
        ...forms.replies,
        encode: (samples) => named(samples).replies!.encode(samples),
      },
    }),
  };
}

function isFloat(value: Value): boolean {
  return typeof value === "number";
}

/** Refuses samples that have more values than signals were stated: VILLASnode aborts on them, and what they are nobody said. */
class CountedDecoder implements SampleDecoder {
  readonly #decoder: SampleDecoder;
  readonly #name: string;
  readonly #most: number;

  constructor(decoder: SampleDecoder, name: string, most: number) {
    this.#decoder = decoder;
    this.#name = name;
    this.#most = most;
  }

  get offset(): number {
    return this.#decoder.offset;
  }

  get line(): number {
    return this.#decoder.line;
  }

  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
  }

  next(): Sample | null {
    return this.#checked(this.#decoder.next());
  }

  end(): Sample | null {
    return this.#checked(this.#decoder.end());
  }

  #checked(sample: Sample | null): Sample | null {
    if (sample === null || sample.values.length <= this.#most) return sample;
    const most = `expected at most ${counted(this.#most, "value")}, as many as there are signals`;
    throw streamFault(this.#name, this, `${most}, got ${sample.values.length}`);
  }
}

function checkSignals(
  notation: string,
  { kinds }: Carried,
  stated: readonly Signal[] | undefined,
  misfit: FormatForms["misfit"],
): void {
  const signals = stated ?? floatSignals(1);
  const other = signals.find(({ type }) => !kinds.includes(type));
  const why = other === undefined
    ? misfit?.(signals)
    : (stated
      ? `signal "${other.name}" is ${other.type === "integer" ? "an" : "a"} ${other.type}`
      : "values are floats unless --signals says otherwise") +
      `, and the format has ${kinds.join(" and ")} only`;
  if (why === undefined) return;
  throw new UsageError(`Cannot use format ${notation}: ${why}; protobuf carries all kinds`);
}
