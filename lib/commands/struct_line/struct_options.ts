/**
 * The options of all commands for structs.
 *
 * @module
 */

import { choice, flag, list } from "../../cli/options.ts";
import { compileStruct, type Struct, type StructOptions } from "../../codecs/struct/struct.ts";
import type { StructValue } from "../../codecs/struct/types.ts";
import { CodecError, UsageError } from "../../errors.ts";

/** The options for the meaning of a format. */
export const platformOption = {
  platform: choice(["linux", "darwin", "windows"], {
    help: "Whose native sizes the mode @ means; this computer's unless given",
  }),
} as const;

/** The option that truncates byte strings. */
export const truncateOption = {
  truncate: flag({
    help: "Cut texts that are longer than their field, as Python does, instead of refusing them",
  }),
} as const;

/** The option that names fields. */
export const fieldsOption = {
  fields: list({
    help:
      "Names of the fields: records are objects then, not arrays; NAME*4 is an array of 4 values, NAME* of as many as " +
      "the format repeats",
  }),
} as const;

/** The option for byte strings. */
export const bytesOption = {
  bytes: choice(["auto", "text", "hex", "base64"], {
    default: "auto",
    help: "How byte strings are shown; auto is as text where they are UTF-8, else in hex",
  }),
} as const;

/** A compiled format whose fields are not known before the program runs. */
export type AnyStruct = Struct<string, StructValue[]>;

/**
 * Compiles a format of the command line.
 *
 * @param format The format.
 * @param options Whose native sizes, whether to truncate byte strings, and the names of the fields.
 * @returns Packs and unpacks the records.
 * @throws {UsageError} If the format is wrong, or the names do not fit it.
 */
export function structOf(
  format: string,
  options: Pick<StructOptions, "platform" | "truncate" | "fields"> = {},
): AnyStruct {
  try {
    return compileStruct(format, options);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
