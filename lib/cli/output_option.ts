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

/** What is said of each form where a command's own meaning is narrower than the form's. */
type Meanings<C extends readonly string[]> = { readonly [F in C[number]]?: string };

/** The name of a form in which a command prints data. */
export type OutputForm = keyof typeof FORMS;

/**
 * Declares `--output`, the one option that says in which form a command prints data.
 *
 * @param forms The forms that the command has, the default first where it is not declared otherwise.
 * @param spec The default, and what is printed, as in `What arrives`.
 * @param meanings What a form looks like in this command, where more can be said than is true of all.
 */
export function outputOption<
  const C extends readonly OutputForm[],
  S extends ValueSpec<C[number]>,
>(forms: C, spec: S, meanings: Meanings<C> = {}): Option<Parsed<C[number], S>> {
  const known: { readonly [F in OutputForm]?: string } = meanings;
  const list = forms.map((form) => `${form}: ${known[form] ?? FORMS[form]}`).join("; ");
  return choice<C, S>(forms, { placeholder: "FORM", ...spec, help: `${spec.help} (${list})` });
}
