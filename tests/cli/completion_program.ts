/** A program with commands of every form there can be, for shells to complete. */

import { defineCommand, type Registry } from "../../lib/cli/command.ts";
import { systemEnvironment } from "../../lib/cli/environment.ts";
import { choice, file, flag, text } from "../../lib/cli/options.ts";
import { run } from "../../lib/cli/run.ts";
import { completionsCommand } from "../../lib/commands/completions.ts";

const examples = [] as const;
const nothing = () => Promise.resolve();

const commands = [
  defineCommand({
    name: "plain",
    summary: "it's [plain]: no options",
    options: {},
    examples,
    run: nothing,
  }),
  defineCommand({
    name: "line",
    summary: "a command with a choice",
    positionals: [{ name: "FORMAT", help: "a format", choices: ["alpha", "beta"] }],
    options: { deepOption: flag({ help: "a 'flag'" }) },
    examples,
    run: nothing,
  }),
  defineCommand({
    name: "pair pack",
    summary: "pack",
    positionals: [{ name: "TEXT", help: "any" }, {
      name: "FILE",
      help: "files",
      isFile: true,
      variadic: true,
    }],
    options: {
      mode: choice(["fast", "safe"], { help: "how: quick [or] not" }),
      input: file({ help: "what" }),
      note: text({ help: "anything" }),
    },
    examples,
    run: nothing,
  }),
  defineCommand({ name: "pair unpack", summary: "unpack", options: {}, examples, run: nothing }),
  defineCommand({
    name: "ask",
    summary: "a command whose values are known to somebody else",
    positionals: [
      {
        name: "COMMAND",
        help: "one of the server's",
        complete: (words) =>
          Promise.resolve([
            "get volt",
            "get:volt",
            "$set",
            `behind-${words.join("-")}`,
            "a\nb",
            "",
          ]),
      },
      { name: "BROKEN", help: "cannot be asked for", complete: () => Promise.reject("no server") },
      { name: "SLOW", help: "takes too long", complete: () => new Promise(() => {}) },
    ],
    options: {
      unit: text({ help: "of what is asked", complete: () => Promise.resolve(["V", "mV"]) }),
    },
    examples,
    run: nothing,
  }),
  completionsCommand,
];

/** The commands by name. */
export const registry: Registry = Object.fromEntries(
  commands.map((command) => [command.name, () => Promise.resolve(command)]),
);

if (import.meta.main) Deno.exit(await run(Deno.args, systemEnvironment(Deno.exit), registry));
