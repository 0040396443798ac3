/** The documents that are tried out, by their names. */

const root = new URL("../../", import.meta.url);
const guides = new URL("lib/guides/", root);

/** A document. */
export interface Document {
  /** What it is called. */
  readonly name: string;
  /** Where it is. */
  readonly url: URL;
  /** Its Markdown. */
  readonly text: string;
}

/** Every guide. */
export const documents: readonly Document[] = Array.from(Deno.readDirSync(guides))
  .map(({ name }) => ({ name: `guide ${name.replace(".md", "")}`, url: new URL(name, guides) }))
  .sort((a, b) => a.name < b.name ? -1 : 1)
  .map((document) => ({ ...document, text: Deno.readTextFileSync(document.url) }));
