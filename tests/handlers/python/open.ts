/** Opens modules in Python for tests. */

import type { HandlerProblem } from "../../../lib/handlers/handler.ts";
import {
  openPython,
  type PythonModule,
  type PythonOptions,
} from "../../../lib/handlers/python/module.ts";
import type { HandlerUse } from "../../../lib/handlers/module_handler.ts";
import { PYTHON } from "../../interop/python.ts";

/** A module in a folder of its own. */
export interface Opened extends AsyncDisposable {
  readonly module: PythonModule;
  /** Its file. */
  readonly path: string;
  /** Problems so far. */
  readonly problems: HandlerProblem[];
  /** What it has printed so far. */
  printed(): string;
  /** Resolves when it has printed this. */
  until(text: string): Promise<void>;
  /** Resolves with the next problem of a kind. */
  problem(kind: HandlerProblem["kind"]): Promise<HandlerProblem>;
  /** Calls a command. */
  call(name: string, args?: Record<string, unknown>): Promise<string | undefined>;
}

/** Opens a module with this source. */
export async function open(
  source: string,
  options: PythonOptions = {},
  use: HandlerUse = { kind: "commands" },
): Promise<Opened> {
  const folder = await Deno.makeTempDir({ prefix: "labwire-test-" });
  const path = `${folder}/supply.py`;
  await Deno.writeTextFile(path, source);
  const problems: HandlerProblem[] = [];
  let printed = "";
  const waiting = new Set<() => void>();
  const wake = () => waiting.forEach((look) => look());
  const until = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const again = () => {
        const found = look();
        if (found === undefined) return;
        waiting.delete(again);
        resolve(found);
      };
      waiting.add(again);
      again();
    });
  const events = {
    onProblem(problem: HandlerProblem) {
      problems.push(problem);
      wake();
    },
    onStderr(bytes: Uint8Array) {
      printed += new TextDecoder().decode(bytes);
      wake();
    },
  };
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    const module = await openPython(path, use, { python: PYTHON, ...options }, events);
    return {
      module,
      path,
      problems,
      printed: () => printed,
      until: (text) => until(() => printed.includes(text) || undefined).then(() => {}),
      problem: (kind) => until(() => problems.find((problem) => problem.kind === kind)),
      async call(name, args = {}) {
        const bytes = new TextEncoder().encode(JSON.stringify({ command_id: name, ...args }));
        const commands = module.exports.commands as Record<string, (...args: unknown[]) => unknown>;
        const result = await commands[name]!(undefined, { bytes }) as { text: string } | undefined;
        return result?.text;
      },
      async [Symbol.asyncDispose]() {
        await module.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
