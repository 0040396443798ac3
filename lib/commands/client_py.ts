import { defineCommand } from "../cli/command.ts";
import { messageOf, UsageError } from "../errors.ts";

/** Where the client for Python begins, by which its file is recognised. */
const MARK = "Written by `labwire client-py`";

/** `labwire client-py`. */
export const clientPy = defineCommand({
  name: "client-py",
  summary: "write a client for Python: one file, for scripts and notebooks",
  details: [
    "The file is a module without dependencies for Python 3.8 and later, to be kept beside your program: Equipment calls " +
    "the commands of a JSON server as methods, Line exchanges records of Python's struct, and samples() reads what villas-echo " +
    "prints. `labwire guide python` shows them.",
    "With FILE, the client is written there. Use that in Windows PowerShell 5, whose > writes UTF-16, which Python cannot " +
    "read.",
  ],
  positionals: [{ name: "FILE", help: "Where to write it; stdout unless given", isFile: true }],
  options: {},
  examples: [
    { text: "On Linux, macOS and in cmd", command: "labwire client-py > labwire_client.py" },
    { text: "Anywhere", command: "labwire client-py labwire_client.py" },
  ],
  async run({ out, say }, _options, [path]) {
    const client = await import("./labwire_client.py", { with: { type: "text" } });
    const text = (client as unknown as { readonly default: string }).default;
    if (path === undefined) return out.bytes(new TextEncoder().encode(text));
    await write(path, text);
    say.info(`Wrote ${path}.`);
  },
});

/** Writes the client into a file, which may hold an older one and nothing else. */
async function write(path: string, text: string): Promise<void> {
  const fault = (why: string, cause?: unknown) =>
    new UsageError(`Cannot write client "${path}": ${why}`, { cause });
  try {
    if (await isSomethingElse(path)) {
      throw fault("it is there and holds something else; name another file, or remove it");
    }
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw fault(
      cause instanceof Deno.errors.NotFound ? "no such directory" : messageOf(cause),
      cause,
    );
  }
}

async function isSomethingElse(path: string): Promise<boolean> {
  try {
    const text = await Deno.readTextFile(path);
    return text.trim() !== "" && !text.includes(MARK);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
