/** `json-server` beside the Python template's server, and beside what Deno itself can do. */

import { PYTHON } from "../../interop/python.ts";
import type { Bench, Contestant, Settings } from "../bench.ts";
import { cProgram, folder, here, labwireForms, needsCompiler, run, spawn } from "../programs.ts";

const TEMPLATE = "the Python template";
const BARE = "bare Deno: accept, read, write, close";
const UNITS = { rate: "answers/s" };

/** How clients connect: anew for each message, or once. */
type Mode = "connect" | "keep";

/** A server that says its port in the first group of a pattern. */
function server(
  name: string,
  command: readonly string[],
  says: ["stdout" | "stderr", RegExp],
  { quick }: Settings,
  clients: number,
  mode: Mode,
): Contestant {
  return {
    name,
    async start() {
      const child = spawn(command);
      const [, port] = await child.until(...says);
      return {
        async measure(warmUp) {
          const seconds = quick || warmUp ? 0.5 : 2;
          const args = [port!, String(clients), String(seconds), mode];
          const told = JSON.parse(await run([cProgram("json_load"), ...args]));
          if (told.errors > 0) throw new Error(`${name}: ${told.errors} errors`);
          return { rate: told.answers / told.seconds };
        },
        [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
      };
    },
  };
}

function template(settings: Settings, clients: number): Contestant {
  const command = [PYTHON, "-u", here("../interop/template_server.py"), "--quiet"];
  return server(TEMPLATE, command, ["stdout", /^(\d+)\n/], settings, clients, "connect");
}

function bare(settings: Settings, clients: number): Contestant {
  const command = [Deno.execPath(), "run", "-A", "--quiet", here("peers/bare_json.ts")];
  return server(BARE, command, ["stdout", /^(\d+)\n/], settings, clients, "connect");
}

/** A handler in a file of this name. */
function labwire(
  settings: Settings,
  clients: number,
  mode: Mode,
  name = "nothing.js",
  source = "export function interact() {}\n",
): Contestant[] {
  const handler = `${folder}/${name}`;
  Deno.writeTextFileSync(handler, source);
  const args = ["json-server", "--port", "0", "--handler", handler, "--output", "none"];
  const says: ["stderr", RegExp] = ["stderr", /Listening on [\d.]+:(\d+)/];
  return labwireForms().map(({ name, command }) =>
    server(name, [...command, ...args], says, settings, clients, mode)
  );
}

function perMessage(clients: number): Bench {
  return {
    name: `json-${clients}`,
    title: `JSON, a connection per message, ${clients === 1 ? "1 client" : `${clients} clients`}`,
    units: UNITS,
    goals: [{ figure: "rate", least: 0.95, times: BARE }],
    needs: needsCompiler,
    contestants: (settings) => [
      template(settings, clients),
      bare(settings, clients),
      ...labwire(settings, clients, "connect"),
    ],
  };
}

/** One client, a connection per message. */
export const json1 = perMessage(1);
/** Eight clients, a connection per message. */
export const json8 = perMessage(8);

/** Eight clients that keep their connections, which the template's server does not know. */
export const jsonKept: Bench = {
  name: "json-kept",
  title: "JSON, connections kept open, 8 clients (the template: a connection per message)",
  units: UNITS,
  goals: [{ figure: "rate", least: 3, times: TEMPLATE }],
  needs: needsCompiler,
  contestants: (settings) => [template(settings, 8), ...labwire(settings, 8, "keep")],
};

const SOCKETSERVER = "Python, threaded socketserver";

/** A function in Python that returns a number, on connections that are kept open. */
function pythonFunction(clients: number, least: number): Bench {
  return {
    name: `json-python-${clients}`,
    title: `JSON, a function in Python, kept open, ${
      clients === 1 ? "1 client" : `${clients} clients`
    }`,
    units: UNITS,
    goals: [{ figure: "rate", least, times: SOCKETSERVER }],
    needs: needsCompiler,
    contestants: (settings) => [
      server(
        SOCKETSERVER,
        [PYTHON, here("peers/socketserver_json.py")],
        ["stdout", /^(\d+)\n/],
        settings,
        clients,
        "keep",
      ),
      ...labwire(
        settings,
        clients,
        "keep",
        "number.py",
        "def interact(message):\n    return 12.5\n",
      ),
    ],
  };
}

/** Functions in Python. */
export const jsonPython: readonly Bench[] = [pythonFunction(1, 0.5), pythonFunction(8, 0.9)];
