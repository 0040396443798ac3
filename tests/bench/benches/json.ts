/** `json-server` beside the Python template's server, and beside what Deno itself can do. */

import { PYTHON } from "../../interop/python.ts";
import type { Bench, Contestant, Settings } from "../bench.ts";
import { cProgram, folder, here, labwireForms, needsCompiler, run, spawn } from "../programs.ts";

const TEMPLATE = "the Python template";
const BARE = "bare Deno: accept, read, write, close";
const KEEPING = "bare Deno that closes when the client has";
const THREADED = "Python, socketserver with threads";
const KEPT = "--exec-persistent";
const UNITS = { rate: "answers/s" };

/** How clients connect: once, or for each message. */
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
          // What runs for days is measured once the engine has optimised it.
          const seconds = quick ? 0.5 : warmUp ? 4 : 2;
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

function bare(settings: Settings, clients: number): Contestant[] {
  const command = [Deno.execPath(), "run", "-A", "--quiet", here("peers/bare_json.ts")];
  const says: ["stdout", RegExp] = ["stdout", /^(\d+)\n/];
  return [
    server(BARE, command, says, settings, clients, "connect"),
    server(KEEPING, [...command, "keep"], says, settings, clients, "connect"),
  ];
}

function labwire(settings: Settings, clients: number, mode: Mode): Contestant[] {
  const handler = `${folder}/nothing.js`;
  Deno.writeTextFileSync(handler, "export function interact() {}\n");
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
    goals: [
      { figure: "rate", least: 0.95, times: BARE },
      { figure: "rate", least: 0.95, times: KEEPING },
    ],
    needs: needsCompiler,
    contestants: (settings) => [
      template(settings, clients),
      ...bare(settings, clients),
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

/** A function in Python, beside a threaded server that calls the same one, and a program that is kept running. */
function python(clients: number, least: number): Bench {
  return {
    name: `json-python-${clients}`,
    title: `JSON, connections kept open, a function in Python, ${
      clients === 1 ? "1 client" : `${clients} clients`
    }`,
    units: UNITS,
    goals: [
      { figure: "rate", least, times: THREADED },
      { figure: "rate", least: 1, times: KEPT },
    ],
    needs: needsCompiler,
    contestants(settings) {
      const [handler, program] = [`${folder}/volts.py`, `${folder}/kept.py`];
      Deno.writeTextFileSync(
        handler,
        "_volts = 12.5\ndef test_command(param1, param2, param3, param4): return _volts\n",
      );
      Deno.writeTextFileSync(
        program,
        "import json, sys\nfor line in sys.stdin: json.loads(line); print(12.5, flush=True)\n",
      );
      const says: ["stderr", RegExp] = ["stderr", /Listening on [\d.]+:(\d+)/];
      const serve = (name: string, command: readonly string[], args: string[]) => {
        const whole = [...command, "json-server", "--port", "0", "--output", "none", ...args];
        return server(name, whole, says, settings, clients, "keep");
      };
      const threaded = [PYTHON, here("peers/python_json.py")];
      return [
        server(THREADED, threaded, ["stdout", /^(\d+)\n/], settings, clients, "keep"),
        serve(KEPT, labwireForms()[0]!.command, ["--exec-persistent", `${PYTHON} ${program}`]),
        ...labwireForms().map(({ name, command }) =>
          serve(name, command, ["--python", PYTHON, "--handler", handler])
        ),
      ];
    },
  };
}

/** One client of a function in Python. */
export const jsonPython1 = python(1, 0.5);
/** Eight clients of a function in Python. */
export const jsonPython8 = python(8, 0.9);
