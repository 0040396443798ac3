/**
 * The options that say how samples are written: `--format` and `--signals`, the same in every villas command.
 *
 * @module
 */

import { value } from "../../cli/options.ts";
import type { VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat, villasFormats } from "../../codecs/villas/formats.ts";
import { parseSignals } from "../../codecs/villas/signals.ts";

/**
 * An option that takes a format in VILLASnode's words.
 *
 * @param help What the format is for, such as `How messages are written`.
 */
export function formatOption(help: string) {
  return value(
    {
      help: `${help}: ${
        Object.keys(villasFormats).join(", ")
      }; settings by VILLASnode's names behind commas, as in raw,bits=64,endianess=big or csv,separator=;`,
    },
    "FORMAT",
    (text): VillasFormat => villasFormat(text),
  );
}

/** The option `--signals`. */
export const signalsOption = value(
  {
    help:
      "The signals as VILLASnode's configuration has them: 5f1i is five floats and an integer, b a boolean, c a complex number; " +
      "or with names, types and units, as in voltage:float:V,on:boolean",
  },
  "SIGNALS",
  parseSignals,
);
