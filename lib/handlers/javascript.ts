import { ConnectError, messageOf, UsageError } from "../errors.ts";
import { orAborted, within } from "../time/deadline.ts";
import { Limit } from "../time/limit.ts";
import { describeCommands } from "./describe.ts";
import { loadModule } from "./load_module.ts";
import { ModuleGraph } from "./module_graph.ts";
import type {
  CommandDescription,
  HandlerEvents,
  HandlerUse,
  ModuleHandler,
  ModuleValues,
} from "./module_handler.ts";
import { withPlace } from "./place.ts";
import { guardProcess } from "./guard_process.ts";

/** Seconds that a module's `close()` may take. */
const CLOSE_LIMIT = 5;

type Exports = Readonly<Record<string, unknown>>;

/**
 * Opens a user's module in JavaScript, and calls its `setup(options)`.
 *
 * @param file Its path, as given on the command line.
 * @param use What its functions get.
 * @param values How to open it.
 * @param events What to call; what the module writes to the console goes to `onStderr`.
 * @returns The module, to be disposed of.
 * @throws {UsageError} If it cannot be loaded, or its `setup()` fails.
 */
export async function openJavaScript(
  file: string,
  use: HandlerUse,
  given: ModuleValues,
  events: HandlerEvents,
): Promise<ModuleHandler> {
  const { onStderr, signal } = events;
  // JSON messages have a limit of their own, from when they arrive.
  const values = use.kind === "commands" ? { ...given, handlerTimeout: undefined } : given;
  const guarded = onStderr ? await guardProcess(onStderr) : undefined;
  try {
    const graph = values.reload ? await graphOf(file, events) : undefined;
    const loading = loadModule(file, graph?.version);
    const exports = await (signal ? orAborted(loading, signal) : loading);
    if (values.handlerArg?.length && typeof exports.setup !== "function") {
      throw new UsageError(
        `Cannot use --handler-arg with handler "${file}": expected "export function setup(options) { … }"`,
      );
    }
    await setUp(file, exports, values, events);
    return new JavaScriptModule(file, values, events, exports, graph, guarded);
  } catch (error) {
    guarded?.[Symbol.dispose]();
    throw error;
  }
}

/** The module and what it imports; undefined where there is no such file, which loading it will tell. */
async function graphOf(
  file: string,
  { onProblem }: HandlerEvents,
): Promise<ModuleGraph | undefined> {
  try {
    const graph = new ModuleGraph(await Deno.realPath(file));
    if (!await graph.watch()) {
      const message =
        `Cannot watch what handler "${file}" imports, which Deno ${Deno.version.deno} does not tell: only the file itself is loaded again`;
      onProblem?.({ kind: "reload", message });
    }
    return graph;
  } catch {
    return undefined;
  }
}

async function setUp(
  file: string,
  { setup }: Exports,
  { handlerArg = [] }: ModuleValues,
  { signal }: HandlerEvents,
): Promise<void> {
  if (typeof setup !== "function") return;
  try {
    const done = Promise.resolve(setup(Object.fromEntries(handlerArg)));
    await (signal ? orAborted(done, signal) : done);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const why = withPlace(messageOf(cause), cause);
    throw new UsageError(`Cannot set up handler "${file}": ${why}`, { cause });
  }
}

/** A module in JavaScript, which runs in this process. */
class JavaScriptModule implements ModuleHandler {
  readonly kind = "module";
  readonly language = "javascript";
  readonly file: string;
  readonly depth: number;
  readonly counters = { restarts: 0 };
  exports: Exports;
  readonly #values: ModuleValues;
  readonly #events: HandlerEvents;
  readonly #guarded: Disposable | undefined;
  readonly #calls: Calls;
  /** What the module exports itself: where it is loaded again, others get functions that are counted. */
  #own: Exports;
  /** What is watched, where the module is loaded again. */
  readonly #graph: ModuleGraph | undefined;
  #reloading: Promise<void> | undefined;
  #isStopped = false;
  #closed: Promise<void> | undefined;

  constructor(
    file: string,
    values: ModuleValues,
    events: HandlerEvents,
    exports: Exports,
    graph: ModuleGraph | undefined,
    guarded: Disposable | undefined,
  ) {
    this.file = file;
    this.depth = values.concurrency ?? 1;
    this.#values = values;
    this.#events = events;
    this.#guarded = guarded;
    this.#graph = graph;
    this.#own = exports;
    this.#calls = new Calls(values.handlerTimeout);
    const { reload, handlerTimeout } = values;
    this.exports = reload || handlerTimeout !== undefined ? this.#calls.of(exports) : exports;
  }

  /** See {@linkcode ModuleHandler.refresh}. */
  refresh(): Promise<void> | undefined {
    const graph = this.#graph;
    if (!graph || this.#closed) return undefined;
    if (this.#reloading) return this.#reloading;
    if (!graph.changed()) return undefined;
    // Forgotten right before those go on that wait for it, so that no call overtakes them.
    const over = () => void (this.#reloading = undefined);
    this.#reloading = this.#reload(graph);
    this.#reloading.then(over, over);
    return this.#reloading;
  }

  async #reload(graph: ModuleGraph): Promise<void> {
    const say = (message: string, kind: "reload" | "reloaded" = "reload") =>
      this.#events.onProblem?.({ kind, message });
    let next: Exports;
    graph.renew();
    try {
      next = await loadModule(this.file, graph.version);
      graph.accept();
    } catch (error) {
      return say(`${messageOf(error)}; the one loaded before goes on`);
    }
    await this.#calls.ended();
    if (this.#isStopped) return;
    await this.#closeOwn();
    this.#own = next;
    if (!this.#isStopped) this.exports = this.#calls.of(next);
    try {
      await setUp(this.file, next, this.#values, this.#events);
      say(`Handler "${this.file}" has changed and was loaded again`, "reloaded");
    } catch (error) {
      say(messageOf(error));
    }
  }

  describe(): Promise<CommandDescription[]> {
    return describeCommands(this.#own.commands, this.file);
  }

  release(): void {}

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const refuse = () => {
      throw new ConnectError(`Handler "${this.file}" was stopped before this was handled`);
    };
    const exports = Object.entries(this.exports);
    this.exports = Object.fromEntries(
      exports.map(([name, value]) => [name, typeof value === "function" ? refuse : value]),
    );
  }

  close(): Promise<void> {
    this.stop();
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    await this.#reloading;
    await this.#closeOwn();
    this.#guarded?.[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Runs the module's `close()`, as long as that may take. */
  async #closeOwn(): Promise<void> {
    const { close } = this.#own;
    if (typeof close !== "function") return;
    const tell = (what: string) =>
      this.#events.onProblem?.({
        kind: "close",
        message: `close() of handler "${this.file}" ${what}`,
      });
    try {
      const done = Promise.resolve(close()).then(() => true);
      if (await within(done, CLOSE_LIMIT)) return;
      tell(`has not ended after ${CLOSE_LIMIT} s, and is left behind`);
    } catch (error) {
      tell(`failed: ${withPlace(messageOf(error), error)}`);
    }
  }
}

// deno-lint-ignore no-explicit-any
type AnyFunction = (...args: any[]) => unknown;

/** Counts the calls that are under way, so that a module is replaced between them, and limits how long they are waited for. */
class Calls {
  readonly #limit: number | undefined;
  #open = 0;
  #none: PromiseWithResolvers<void> | undefined;

  /** @param limit Seconds that a call may take, if there is a limit. */
  constructor(limit: number | undefined) {
    this.#limit = limit;
  }

  /** Resolves when no call is under way. */
  ended(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return (this.#none ??= Promise.withResolvers()).promise;
  }

  /** The same exports with functions that are counted; those of objects too, such as `commands`. */
  of(exports: Exports): Exports {
    return Object.fromEntries(
      Object.entries(exports).map(([name, value]) => [name, this.#of(value)]),
    );
  }

  #of(value: unknown): unknown {
    if (typeof value === "function") return this.#wrap(value as AnyFunction);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const members = Object.entries(value).map(([name, member]) => [
      name,
      typeof member === "function" ? this.#wrap((member as AnyFunction).bind(value)) : member,
    ]);
    return Object.fromEntries(members);
  }

  #wrap(call: AnyFunction): AnyFunction {
    const wrapped: AnyFunction = (...args) => {
      this.#open++;
      let result: unknown;
      try {
        result = call(...args);
      } catch (error) {
        this.#end();
        throw error;
      }
      if (result instanceof Promise) return this.#inTime(result.finally(() => this.#end()));
      this.#end();
      return result;
    };
    return Object.assign(wrapped, call);
  }

  async #inTime<T>(result: Promise<T>): Promise<T> {
    const seconds = this.#limit;
    if (seconds === undefined) return await result;
    const late = `The handler took longer than ${seconds} s; what it is doing goes on`;
    using limit = new Limit(seconds, new ConnectError(late));
    return await limit.wait(result);
  }

  #end(): void {
    if (--this.#open > 0) return;
    this.#none?.resolve();
    this.#none = undefined;
  }
}
