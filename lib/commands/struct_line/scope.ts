import type { Context } from "../../cli/context.ts";
import type { Value } from "../../codecs/villas/sample.ts";
import { StructJson } from "../../codecs/struct/json.ts";
import type { AnyStruct } from "../../codecs/struct/struct.ts";
import { isScopeWanted, openScope, type ScopeValues } from "../scope/scope_options.ts";
import type { RecordsRecording } from "./record.ts";

/** The codes of integers. */
const INTEGERS = "bBhHiIlLqQnN";

/**
 * Shows the numbers of the records that arrive while they do, if that is wanted: each field is a signal, those of bytes stay empty.
 *
 * @param context The world around the command.
 * @param struct The format of the records.
 * @param values The options' values.
 * @returns What takes the records; undefined if nothing is to be shown.
 * @throws {UsageError} If the address cannot be bound.
 */
export async function openRecordScope(
  context: Context,
  struct: AnyStruct,
  values: ScopeValues & { readonly fields?: readonly string[] },
): Promise<RecordsRecording | undefined> {
  if (!isScopeWanted(values)) return undefined;
  const { names } = new StructJson(struct, { fields: values.fields });
  const codes = struct.layout.items.flatMap(({ letter, count }) =>
    Array<string>(count).fill(letter)
  );
  const scope = await openScope(context, values, {
    title: "struct-line",
    lanes: [{ name: "received" }],
    signals: codes.map((_, i) => ({ name: names?.[i] ?? `field${i}` })),
  });
  return {
    write: (record) => {
      const shown = Array.from(record, (value, i) => shownValue(value as Field, codes[i] ?? "?"));
      scope.add(0, [{ type: "data", values: shown }]);
    },
    close: scope.close,
  };
}

type Field = Value | Uint8Array;

/** What is drawn of a field: integers as such where a sample can have them. */
function shownValue(value: Field, code: string): Value {
  if (value instanceof Uint8Array) return null;
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? value : Number(value);
  return typeof value === "number" && INTEGERS.includes(code) ? BigInt(value) : value;
}
