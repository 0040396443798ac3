/**
 * The table of VILLASnode's formats. A new one is a file of its own, and a line here.
 *
 * @module
 */

import { UsageError } from "../../errors.ts";
import { suggestions } from "../../text/nearest.ts";
import { villasBinary, villasWeb } from "./binary.ts";
import { villasCsv, villasTsv } from "./column.ts";
import type { VillasFormat } from "./format.ts";
import type { FormatRow, GivenSettings } from "./format_row.ts";
import { villasHuman } from "./human.ts";
import { villasIotagentUl } from "./iotagent_ul.ts";
import { villasJson } from "./json.ts";
import { villasJsonEdgeflex } from "./json/edgeflex.ts";
import { villasJsonKafka } from "./json/kafka.ts";
import { villasJsonReserve } from "./json/reserve.ts";
import { villasOpalAsyncip } from "./opal_asyncip.ts";
import { protobufRow } from "./protobuf/row.ts";
import { villasGtnet, villasRaw } from "./raw.ts";
import { type SignalsLike, signalsOf } from "./signals.ts";
import { villasValue } from "./value.ts";

/** All formats. */
const rows: readonly FormatRow[] = [
  protobufRow,
  villasHuman,
  villasBinary,
  villasWeb,
  villasJson,
  villasJsonKafka,
  villasJsonReserve,
  villasJsonEdgeflex,
  villasCsv,
  villasTsv,
  villasValue,
  villasRaw,
  villasGtnet,
  villasOpalAsyncip,
  villasIotagentUl,
];

/** All formats with VILLASnode's default settings, each under the name that VILLASnode has for it. */
export const villasFormats: Readonly<Record<string, VillasFormat>> = Object.fromEntries(
  rows.map((row) => [row.name, row.make({}, undefined)]),
);

/** A format with its settings, as a group of VILLASnode's configuration has them. */
export interface FormatGroup extends GivenSettings {
  /** VILLASnode's name for the format. */
  readonly type: string;
}

/** What is known beside the format. */
export interface FormatOptions {
  /**
   * The signals: in one of the notations of {@linkcode parseSignals}, or one type or signal for each. Default: what the format or the look
   * of the values tells, and floats where nothing does.
   */
  readonly signals?: SignalsLike;
}

/**
 * Looks up a format.
 *
 * @param notation VILLASnode's name for it, with settings after commas (`raw,bits=64,endianess=big`), or a group of settings with the
 * name as its `type`, also as JSON. The settings are VILLASnode's; in a text, `\t` stands for a tab.
 * @param options What else is known.
 * @throws {UsageError} If there is none of that name, it has no such setting, or the setting no such value.
 *
 * @example Doubles as a simulator sends them
 * ```ts
 * import { villasFormat } from "@labwire/labwire/codecs/villas";
 * import { assertEquals } from "@std/assert";
 *
 * const format = villasFormat("csv,separator=;", { signals: "2f1i" });
 * assertEquals(
 *   new TextDecoder().decode(format.encode([{ type: "data", sequence: 1n, origin: { sec: 1, nsec: 5 }, values: [1.5, 2, 3n] }])),
 *   "1;000000005;1;1.50000000000000000;2.00000000000000000;3\n",
 * );
 * ```
 */
export function villasFormat(
  notation: string | FormatGroup,
  options: FormatOptions = {},
): VillasFormat {
  const { type, ...settings } = typeof notation === "string" ? groupOf(notation) : notation;
  const row = rows.find(({ name }) => name === type);
  if (row === undefined) throw unknownFormat(String(type));
  return row.make(settings, options.signals === undefined ? undefined : signalsOf(options.signals));
}

function groupOf(notation: string): FormatGroup {
  if (notation.trimStart().startsWith("{")) return groupOfJson(notation);
  const [type = "", ...parts] = notation.split(",");
  const settings: Record<string, string> = {};
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 1) {
      throw new UsageError(
        `Cannot use format "${notation}": expected NAME,SETTING=VALUE,…, such as raw,bits=64,endianess=big`,
      );
    }
    settings[part.slice(0, equals).trim()] = part.slice(equals + 1);
  }
  return { ...settings, type: type.trim() };
}

function groupOfJson(notation: string): FormatGroup {
  try {
    const group = JSON.parse(notation);
    if (typeof group.type === "string") return group;
  } catch {
    // told below
  }
  throw new UsageError(
    `Cannot use format ${notation}: expected a JSON object with a type, such as {"type": "raw", "bits": 64}`,
  );
}

function unknownFormat(type: string): UsageError {
  const names = rows.map(({ name }) => name);
  const [near] = suggestions(type, names);
  return new UsageError(
    `Cannot use format "${type}": expected ${names.join(", ")}` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
  );
}
