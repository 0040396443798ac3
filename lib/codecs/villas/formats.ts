/**
 * The table of VILLASnode's formats. A new one is a file of its own, and a line here.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { suggestions } from "../../text/nearest.ts";
import type { Format } from "./format.ts";
import { villasHuman } from "./human.ts";
import { villasJson } from "./json.ts";
import { villasProtobuf } from "./protobuf.ts";

/** All formats, each under the name that VILLASnode has for it. */
export const villasFormats: Readonly<Record<string, Format>> = Object.fromEntries(
  [villasProtobuf, villasHuman, villasJson].map((format) => [format.name, format]),
);

/**
 * Looks up a format.
 *
 * @param name VILLASnode's name for it.
 * @throws {UsageError} If there is none of that name.
 */
export function villasFormat(name: string): Format {
  if (Object.hasOwn(villasFormats, name)) return villasFormats[name]!;
  const names = Object.keys(villasFormats);
  const [near] = suggestions(name, names);
  throw new UsageError(
    `Cannot use format "${name}": expected ${names.join(", ")}` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
  );
}
