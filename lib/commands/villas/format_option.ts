/**
 * The options that say how samples are written: `--format` and `--signals`, the same in every villas command.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { type Option, value } from "../../cli/options.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat, villasFormats } from "../../codecs/villas/formats.ts";
import { parseSignals, type Signal } from "../../codecs/villas/signals.ts";

const NAMES = Object.keys(villasFormats);

/**
 * An option that takes a format in VILLASnode's words.
 *
 * @param help What the format is for, such as `How messages are written`.
 */
export function formatOption(help: string): Option<VillasFormat | undefined> {
  return value<VillasFormat, { help: string; complete: () => Promise<string[]> }>(
    {
      help: `${help}: ${
        NAMES.join(", ")
      }; settings follow after commas, under VILLASnode's names, as in raw,bits=64,endianess=big or csv,separator=;`,
      complete: () => Promise.resolve(NAMES),
    },
    "FORMAT",
    (text) => villasFormat(text),
  );
}

/** The option `--format` of a command that speaks with VILLASnode's socket. */
export const socketFormat = formatOption(
  "Format of the messages, protobuf unless given (a socket node of VILLASnode without a format speaks villas.binary)",
);

/**
 * The option `--signals`.
 *
 * @param help What the signals are for, and what is taken where they are not given.
 */
export function signalsFor(help: string): Option<Signal[] | undefined> {
  return value<Signal[], { help: string }>(
    {
      help:
        `${help}; as VILLASnode's configuration has them: 5f1i is five floats and an integer, b a boolean, ` +
        "c a complex number; or with names, types and units, as in voltage:float:V,on:boolean",
    },
    "SIGNALS",
    parseSignals,
  );
}

/** The option `--signals` of a command that reads samples. */
export const signalsOption = signalsFor(
  "The signals; floats unless given, where the format does not say",
);

/** Said where a message does not tell how many values a sample has, and nobody else did. */
const UNCOUNTED = "Each message is taken for one sample of floats";

/**
 * Warns of a format whose messages do not tell how many values a sample has, where the signals were not stated either.
 *
 * @param say Where to.
 * @param format The format, with the signals where they were stated.
 * @param danger What happens if it is wrong, as a part of a sentence.
 */
export function warnOfUncounted(
  say: Context["say"],
  format: Pick<Partial<VillasFormat>, "carried" | "signals"> | undefined,
  danger: string,
): void {
  if (format?.carried?.counted !== false || format.signals) return;
  say.warn(
    `${UNCOUNTED}; ${danger}, as with out.vectorize above 1: state the signals, as in --signals 5f1i`,
  );
}
