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

/** The README. */
export const readme: Document = read("README", new URL("README.md", root));

/** The README and every guide. */
export const documents: readonly Document[] = [
  readme,
  ...Array.from(Deno.readDirSync(guides))
    .map(({ name }) => read(`guide ${name.replace(".md", "")}`, new URL(name, guides)))
    .sort((a, b) => a.name < b.name ? -1 : 1),
];

function read(name: string, url: URL): Document {
  return { name, url, text: Deno.readTextFileSync(url) };
}
