import { choice, type Option, type Parsed, type ValueSpec } from "./options.ts";

/** The forms in which commands print data. A name means the same in every command that has it. */
const FORMS = {
  json: "a JSON record per line",
  text: "text for a person, as the original program prints it",
  "villas.human": "a line per sample in VILLASnode's notation",
  csv: "comma-separated values",
  bytes: "bytes as Python writes them, a line for each piece",
  hex: "hexadecimal digits, a line for each piece",
  hexdump: "a table of offsets, hexadecimal digits and characters",
  raw: "the bytes unchanged, for a file or a pipe",
  none: "nothing",
} as const;

/** The name of a form in which a command prints data. */
export type OutputForm = keyof typeof FORMS;

/**
 * Declares `--output`, the one option that says in which form a command prints data.
 *
 * @param forms The forms that the command has, the default first where it is not declared otherwise.
 * @param spec The default, and what is printed, as in `What arrives`.
 */
export function outputOption<
  const C extends readonly OutputForm[],
  S extends ValueSpec<C[number]>,
>(forms: C, spec: S): Option<Parsed<C[number], S>> {
  const meanings = forms.map((form) => `${form}: ${FORMS[form]}`).join("; ");
  return choice<C, S>(forms, { placeholder: "FORM", ...spec, help: `${spec.help} (${meanings})` });
}
