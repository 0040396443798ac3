/**
 * What a server says about its commands, for `json-client --list`, `json-client NAME --help` and the shell.
 *
 * @module
 */

import type { Context } from "../../cli/context.ts";
import { CodecError, ConnectError, messageOf, RemoteError, UsageError } from "../../errors.ts";
import { type JsonSendOptions, sendJson } from "../../json/client.ts";
import {
  DEFAULT_HOST,
  DEFAULT_PORT,
  type DescribedCommand,
  LIST_COMMANDS,
} from "../../json/protocol.ts";
import { formatAddress } from "../../net/address/address.ts";
import { nearest } from "../../text/nearest.ts";
import { quoted } from "../../text/wording.ts";

/** A server's commands. */
export interface CommandList {
  /** What it says about them. */
  readonly commands: readonly DescribedCommand[];
  /** Its answer, as received. */
  readonly text: string;
}

/**
 * Asks a server for its commands.
 *
 * @param options Where it is.
 * @returns What it says about them.
 * @throws {ConnectError} If there is no answer.
 * @throws {RemoteError} If the server does not list them.
 * @throws {CodecError} If the answer cannot be read.
 */
export async function listCommands(options: JsonSendOptions): Promise<CommandList> {
  const result = await sendJson({ command_id: LIST_COMMANDS }, options);
  const { host = DEFAULT_HOST, port = DEFAULT_PORT } = options;
  const what = `Cannot list the commands of ${formatAddress({ hostname: host, port })}`;
  const hint =
    `json-server does it with a --handler that has a function for each command; others may define a command ${LIST_COMMANDS}`;
  switch (result.outcome) {
    case "no-answer":
      throw new ConnectError(`${what}: ${messageOf(result.error)}`, { cause: result.error });
    case "bad-answer":
      throw new CodecError(`${what}: ${messageOf(result.error)}`, { cause: result.error });
    case "fail":
      throw new RemoteError(`${what}: the server answered ${quoted(result.error)}; ${hint}`);
  }
  const commands = describedCommands(result.result);
  if (commands) return { commands, text: result.text };
  throw new RemoteError(`${what}: the answer has no list of them; ${hint}`);
}

/** Reads a list of commands; undefined if it is none. Signature and doc may be missing: a name alone is worth something. */
function describedCommands(list: unknown): DescribedCommand[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const commands: DescribedCommand[] = [];
  for (const item of list) {
    const { name, signature, doc } = typeof item === "string" ? { name: item } : item ?? {};
    if (typeof name !== "string") return undefined;
    commands.push({
      name,
      signature: typeof signature === "string" ? signature : name,
      doc: typeof doc === "string" ? doc : "",
    });
  }
  return commands;
}

/**
 * Shows commands: how each is called, and below that what it does.
 *
 * @param out Where to.
 * @param commands The commands.
 */
export function showCommands(out: Context["out"], commands: readonly DescribedCommand[]): void {
  for (const { signature, doc } of commands) {
    out.line(signature);
    if (doc === "") continue;
    for (const line of doc.split(/\r?\n/)) out.line(line === "" ? "" : `    ${line}`);
  }
}

/**
 * Finds a command among those of a server.
 *
 * @param list The commands.
 * @param name Which.
 * @returns The command.
 * @throws {UsageError} If it is not among them.
 */
export function commandNamed({ commands }: CommandList, name: string): DescribedCommand {
  const found = commands.find((command) => command.name === name);
  if (found) return found;
  const names = commands.map((command) => command.name);
  const near = nearest(name, names);
  throw new UsageError(
    `Cannot find command ${quoted(name)}: expected one of ${names.join(", ")}` +
      (near === undefined ? "" : `; did you mean "${near}"?`),
  );
}
