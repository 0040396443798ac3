/**
 * A module in JavaScript and the files that it imports, so that it can be loaded again. Modules are kept in memory by their URL: a
 * changed one gets another URL, and so does each that imports it; the others stay as they are.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { differs, stampOf } from "./source_files.ts";

/** The end of a URL of ours. */
const VERSION = /[?&]labwire=(\d+)$/;

interface ModuleNode {
  version: number;
  stamp: string;
  /** The URLs of those that import it. */
  readonly importers: Set<string>;
}

/** To which graph a version belongs: each is used once. */
const owners: ModuleGraph[] = [];
let watching: boolean | undefined;

/** A module and what it imports. */
export class ModuleGraph {
  /** By URL, without version. */
  readonly #nodes = new Map<string, ModuleNode>();
  /** What a failed attempt was to load. */
  readonly #pending = new Set<string>();
  readonly #main: string;

  /** @param path The module's own file, as it really is. */
  constructor(path: string) {
    this.#main = pathToFileURL(path).href;
    this.#add(this.#main);
  }

  /** What to add to the module's URL, as in `labwire=3`. */
  get version(): string {
    return `labwire=${this.#nodes.get(this.#main)!.version}`;
  }

  /**
   * Sees to it that imports are followed.
   *
   * @returns Whether the runtime lets that be seen; elsewhere only the module itself is watched. Deno does from 2.9 on.
   */
  async watch(): Promise<boolean> {
    if (watching !== undefined) return watching;
    const { registerHooks } = await import("node:module") as unknown as Hooks;
    watching = registerHooks !== undefined;
    registerHooks?.({ resolve });
    return watching;
  }

  /** Whether one of the files has changed. */
  changed(): boolean {
    for (const [url, { stamp }] of this.#nodes) {
      if (differs(fileURLToPath(url), stamp)) return true;
    }
    return false;
  }

  /** Gives what has changed, and what imports that, another version. */
  renew(): void {
    for (const [url, node] of this.#nodes) {
      const path = fileURLToPath(url);
      if (!differs(path, node.stamp)) continue;
      node.stamp = stampOf(path);
      this.#mark(url);
    }
    for (const url of this.#pending) this.#nodes.get(url)!.version = this.#next();
  }

  /** Takes what {@linkcode ModuleGraph.renew} has marked for loaded. */
  accept(): void {
    this.#pending.clear();
  }

  #mark(url: string): void {
    if (this.#pending.has(url)) return;
    this.#pending.add(url);
    for (const importer of this.#nodes.get(url)!.importers) this.#mark(importer);
  }

  #add(url: string): ModuleNode {
    const node = {
      version: this.#next(),
      stamp: stampOf(fileURLToPath(url)),
      importers: new Set<string>(),
    };
    this.#nodes.set(url, node);
    return node;
  }

  #next(): number {
    return owners.push(this) - 1;
  }

  /**
   * Notes an import.
   *
   * @param importer The URL of a module of this graph.
   * @param url What it imports.
   * @returns The URL of that with its version.
   */
  resolved(importer: string, url: string): string {
    const node = this.#nodes.get(url) ?? this.#add(url);
    node.importers.add(importer);
    return `${url}${url.includes("?") ? "&" : "?"}labwire=${node.version}`;
  }
}

interface Resolved {
  readonly url: string;
}

interface Hooks {
  readonly registerHooks?: (hooks: { resolve: typeof resolve }) => void;
}

/** Gives what a module of a graph imports from a file its version. */
function resolve(
  specifier: string,
  context: { readonly parentURL?: string },
  next: (specifier: string, context: unknown) => Resolved,
): Resolved {
  const found = next(specifier, context);
  const { parentURL = "" } = context;
  const version = VERSION.exec(parentURL);
  if (!version || !/^file:(?!.*\/node_modules\/)/.test(found.url)) return found;
  const graph = owners[Number(version[1])];
  const url = graph?.resolved(parentURL.slice(0, version.index), found.url);
  return url === undefined ? found : { ...found, url };
}
