import { type Command, defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { address, choice, flag, value } from "../cli/options.ts";
import { UsageError } from "../errors.ts";
import { startClockResponder } from "../doctor/clock_responder.ts";
import type { DefaultPort } from "../doctor/check_ports.ts";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { announce, portFileOption } from "./announce.ts";
import { type Endpoint, type HostPort, parseAddress, unmapped } from "../net/address.ts";

/** The port of `doctor --serve`. */
const PORT = 12002;
/** Columns of a finding's status and check. */
const WIDTHS = [9, 20] as const;

/**
 * Makes `labwire doctor`.
 *
 * @param all Loads all commands.
 */
export function doctorCommand(all: () => Promise<readonly Command[]>): Command {
  return defineCommand({
    name: "doctor",
    summary: "find out why nothing works: addresses, ports, loopback, buffers, firewall, clocks",
    details: [
      "Each line says ok, note or problem, and below a problem how to mend it. The exit code is 1 if there is a problem. " +
      "Nothing is changed, and nothing is sent to other computers except to --peer.",
      "For two computers, run doctor --serve on one and doctor --peer on the other: it tells whether datagrams get through " +
      "in both directions, and how far the clocks are apart. Where they speak IPv6 only, the one serves with " +
      `--listen '[::]:${PORT}'.`,
    ],
    options: {
      peer: value(
        { help: `Another computer's doctor --serve; port ${PORT} unless said otherwise` },
        "HOST[:PORT]",
        parsePeer,
      ),
      serve: flag({ help: "Answer the doctor of other computers until Ctrl-C" }),
      listen: address({
        default: `0.0.0.0:${PORT}`,
        help: "Where --serve listens; '[::]:12002' for IPv6",
      }),
      output: choice(["text", "json"], {
        default: "text",
        help:
          "Lines for a person, or a JSON record of each finding: check, status, message, remedy",
      }),
      ...portFileOption,
    },
    binds: { option: "listen", transports: ["udp"] },
    examples: [
      { text: "Check this computer", command: "labwire doctor" },
      { text: "On one of two computers", command: "labwire doctor --serve" },
      { text: "On the other one", command: "labwire doctor --peer 192.168.0.10" },
    ],
    async run(context, { peer, serve, listen, output, portFile }) {
      if (serve && peer) {
        throw new UsageError("Cannot use --serve and --peer together: expected one of them");
      }
      if (!serve && context.given.has("listen")) {
        throw new UsageError("Cannot use --listen alone: expected --serve with it");
      }
      if (!serve && context.given.has("portFile")) {
        throw new UsageError("Cannot use --port-file alone: expected --serve with it");
      }
      if (serve) return await answer(context, listen, portFile);
      const { out, signal } = context;
      let healthy = true;
      for await (const finding of examine({ ports: defaultPorts(await all()), peer })) {
        if (output === "json") out.json(JSON.stringify(finding));
        else out.text(formatFinding(finding));
        healthy &&= finding.status !== "problem";
        if (signal.aborted) break;
      }
      return healthy ? 0 : 1;
    },
  });
}

/**
 * Collects the ports that commands bind unless told otherwise.
 *
 * @param commands The commands.
 * @returns Each port once at each address, with all commands that bind it there.
 */
export function defaultPorts(commands: readonly Command[]): DefaultPort[] {
  const ports = new Map<string, DefaultPort>();
  for (const { name, binds, options } of commands) {
    if (!binds) continue;
    const text = options[binds.option]?.defaultText ?? "";
    const { hostname, port } = text.includes(":")
      ? parseAddress(text)
      : { hostname: options.host?.defaultText ?? "0.0.0.0", port: Number(text) };
    for (const transport of binds.transports) {
      const key = `${transport} ${hostname} ${port}`;
      const others = ports.get(key)?.commands ?? [];
      ports.set(key, { transport, hostname, port, commands: [...others, name] });
    }
  }
  return [...ports.values()];
}

/** Writes a finding as one line, and its remedy as another. */
export function formatFinding({ check, status, message, remedy }: Finding): string {
  const line = status.padEnd(WIDTHS[0]) + check.padEnd(WIDTHS[1]) + message;
  return remedy === undefined ? line : `${line}\n${" ".repeat(WIDTHS[0])}to mend it: ${remedy}`;
}

/**
 * Reads the other computer's address, which needs no port: so an IPv6 address may come without brackets.
 *
 * @param text What a user wrote.
 * @throws {UsageError} If it is no address of another computer.
 */
export function parsePeer(text: string): HostPort {
  const fault = (wanted: string) =>
    new UsageError(`Cannot parse address "${text}": expected ${wanted}`);
  let peer: HostPort = { hostname: "", port: PORT };
  try {
    if (text !== "") peer = parseAddress(text, { host: "", port: PORT });
  } catch {
    throw fault('"HOST", "HOST:PORT" or "[IPV6]:PORT"');
  }
  if (peer.hostname === "" || text.startsWith("*")) {
    throw fault("the other computer's name or address");
  }
  if (peer.port === 0) throw fault("a port from 1 to 65535");
  return peer;
}

/** Serves until the end is wished. */
async function answer(
  { say, signal }: Context,
  listen: Endpoint,
  portFile: string | undefined,
): Promise<void> {
  if ("path" in listen) {
    throw new UsageError(`Cannot listen on "${listen.path}": expected "HOST:PORT"`);
  }
  const askers = new Set<string>();
  await using responder = await startClockResponder({
    listen,
    signal,
    onRequest: (from) => {
      const hostname = unmapped(from.hostname);
      if (!askers.has(hostname)) say.info(`${hostname} asks`);
      askers.add(hostname);
    },
  });
  using _announced = announce(say, { addrs: [responder.addr], portFile });
  await responder.finished;
}
