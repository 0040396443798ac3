import { messageOf, UsageError } from "../errors.ts";
import { pathOf, placeOf } from "./place.ts";

/** File endings of modules that both `deno run` and the executable load. */
const JAVASCRIPT = /\.m?js$/i;
/** Those that only `deno run` loads. */
const FOR_DENO = /\.(cjs|[cm]?tsx?|jsx)$/i;
/** What a handler may be. */
const KINDS = Deno.build.standalone
  ? "expected a file that ends in .py, .js or .mjs"
  : "expected a file that ends in .py, .js, .mjs or .ts";

/**
 * Loads a user's module.
 *
 * @param file Its path, as given on the command line.
 * @param version Tells this version of the file from earlier ones, which are kept in memory.
 * @returns What it exports.
 * @throws {UsageError} If there is no such file, it is no module, or it does not load; the message says where it fails.
 */
export async function loadModule(
  file: string,
  version?: string,
): Promise<Record<string, unknown>> {
  const fault = (why: string, cause?: unknown) =>
    new UsageError(`Cannot load handler "${file}": ${why}`, { cause });
  let url: string;
  try {
    const { pathToFileURL } = await import("node:url");
    const path = await Deno.realPath(file);
    if ((await Deno.stat(path)).isDirectory) {
      throw fault(`it is a directory, ${KINDS}`);
    }
    url = pathToFileURL(path).href;
    checkEnding(file, fault);
    new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw fault(unreadable(file, cause), cause);
  }
  try {
    // Spelled so that tools which analyse imports see that only a local file can be loaded.
    const path = url.slice("file://".length);
    return await import(`file://${path}${version === undefined ? "" : `?${version}`}`);
  } catch (cause) {
    throw fault(whyNotLoaded(cause), cause);
  }
}

function checkEnding(file: string, fault: (why: string) => UsageError): void {
  if (JAVASCRIPT.test(file)) return;
  if (!FOR_DENO.test(file)) throw fault(KINDS);
  if (!Deno.build.standalone) return;
  throw fault(
    /\.cjs$/i.test(file)
      ? "the compiled program runs modules with import and export only; expected a file that ends in .js or .mjs"
      : "the compiled program runs JavaScript only; rename it to .js, without type annotations",
  );
}

/** Why a file cannot be read. */
function unreadable(file: string, cause: unknown): string {
  if (cause instanceof TypeError) return "it is no text in UTF-8";
  if (!(cause instanceof Deno.errors.NotFound) && !/^[a-z]{2,}:/i.test(file)) {
    return cause instanceof Deno.errors.PermissionDenied
      ? "this user may not read it"
      : messageOf(cause);
  }
  return /^[a-z]{2,}:/i.test(file)
    ? "expected the path of a file on this computer, neither a package nor a URL"
    : "no such file";
}

/** What keeps a module from loading, in a line: the first of the message, without colours, and where. */
function whyNotLoaded(cause: unknown): string {
  // deno-lint-ignore no-control-regex
  const text = messageOf(cause).replace(/\x1b\[[0-9;]*m/g, "");
  const [first = ""] = text.replace(/^(Uncaught )?SyntaxError: /, "").split("\n");
  const at = /(?:^|\s)at (file:\/\/\S+?):(\d+:\d+)\s*$/.exec(text);
  const place = at ? `${pathOf(at[1]!)}:${at[2]}` : placeOf(cause);
  const why = explain(first.replace(/ at file:\/\/\S+$/, "").replace(/\.$/, ""));
  return place === undefined ? why : `${why} (${place})`;
}

/** Explains the runtime's message to someone who does not know Deno. */
function explain(message: string): string {
  const bare = /^(?:Relative import path|Import) "([^"]+)" not /.exec(message) ??
    /^Could not find constraint '([^']+)'/.exec(message);
  const missing = /^Module not found:? "?([^"\s]+)"?$/.exec(message)?.[1];
  const specifier = bare?.[1] ?? missing;
  if (specifier?.startsWith("file://")) return `cannot find module "${pathOf(specifier)}"`;
  if (specifier !== undefined) {
    const way = Deno.build.standalone
      ? "the compiled program loads files only, such as"
      : "expected npm:, jsr: or a file, such as";
    return `cannot load module "${specifier}": ${way} "./module.js"`;
  }
  if (/^(require|module|exports) is not defined/.test(message)) {
    return `${message}: a handler is a module with import and export`;
  }
  return message.replace(/file:\/\/[^\s"']+/g, pathOf);
}
