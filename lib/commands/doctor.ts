import { type Command, defineCommand } from "../cli/command.ts";
import type { Context } from "../cli/context.ts";
import { address, flag, value } from "../cli/options.ts";
import type { Output } from "../cli/output.ts";
import { outputOption } from "../cli/output_option.ts";
import { UsageError } from "../errors.ts";
import { startClockResponder } from "../doctor/clock_responder.ts";
import type { DefaultPort } from "../doctor/check_ports.ts";
import { examine } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import { announce, portFileOption } from "./serving/announce.ts";
import {
  type Endpoint,
  formatAddress,
  type HostPort,
  parseAddress,
  unmapped,
} from "../net/address/address.ts";

/** The port of `doctor --serve`. */
const PORT = 12002;
/** Columns of a finding's status and check. */
const WIDTHS = [9, 20] as const;
/** The colour of each status. */
const COLOURS = { ok: "green", note: "yellow", problem: "red" } as const;

/**
 * Makes `labwire doctor`.
 *
 * @param all Loads all commands.
 */
export function doctorCommand(all: () => Promise<readonly Command[]>): Command {
  return defineCommand({
    name: "doctor",
    summary: "find out why nothing arrives: addresses, ports, loopback, buffers, firewall, clocks",
    details: [
      "Each line says ok, note or problem, and below a problem how to fix it. The exit code is 1 if there is a problem. " +
      "Nothing is changed, and nothing is sent to other computers except to --peer.",
      "For two computers, run doctor --serve on one and doctor --peer on the other: it shows whether datagrams get through " +
      "in both directions, and how far the clocks are apart. Where they speak IPv6 only, the one serves with " +
      `--listen '[::]:${PORT}'.`,
    ],
    options: {
      peer: value(
        { help: `Another computer's doctor --serve; port ${PORT} by default` },
        "HOST[:PORT]",
        parsePeer,
      ),
      serve: flag({ help: "Answer the doctor of other computers until Ctrl-C" }),
      listen: address({
        default: `0.0.0.0:${PORT}`,
        help: "Where --serve listens; '[::]:12002' for IPv6",
      }),
      output: outputOption(["text", "json"], {
        default: "text",
        help: "How findings are printed, and with --serve who asks",
      }, {
        text: "lines for a person",
        json: "a record of each finding (check, status, message, remedy) or request (time, peer)",
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
      if (serve) return await answer(context, listen, output, portFile);
      const { out, say, signal } = context;
      let healthy = true;
      const onCheck = (check: string) => say.live(`Checking ${check} …`);
      for await (const finding of examine({ ports: defaultPorts(await all()), peer, onCheck })) {
        if (output === "json") out.json(JSON.stringify(finding));
        else printFinding(out, finding);
        await out.flush(); // so that it stands above what is checked next
        healthy &&= finding.status !== "problem";
        if (signal.aborted) break;
      }
      return healthy ? 0 : 1;
    },
  });
}

/**
 * Collects the ports that commands bind by default.
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

/**
 * Prints a finding as one line, and its remedy as another.
 *
 * @param out Where to.
 * @param finding The finding.
 */
export function printFinding(out: Output, { check, status, message, remedy }: Finding): void {
  const [indent, column] = WIDTHS;
  const gap = " ".repeat(indent - status.length);
  out.labelled(status, COLOURS[status], gap + check.padEnd(column) + message);
  if (remedy !== undefined) out.line(`${" ".repeat(indent)}fix: ${remedy}`);
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

/** Serves until Ctrl-C. */
async function answer(
  { out, say, signal }: Context,
  listen: Endpoint,
  output: "text" | "json",
  portFile: string | undefined,
): Promise<void> {
  if ("path" in listen) {
    throw new UsageError(`Cannot listen on "${listen.path}": expected "HOST:PORT"`);
  }
  const askers = new Set<string>();
  await using responder = await startClockResponder({
    listen,
    signal,
    onRequest: ({ hostname: mapped, port }) => {
      const hostname = unmapped(mapped);
      if (!askers.has(hostname)) say.info(`${hostname} asks`);
      if (output === "json" && !out.full) {
        out.json(JSON.stringify({ time: new Date(), peer: formatAddress({ hostname, port }) }));
      } else if (output === "json") {
        say.throttled("full", "Left out a record: standard output is not read");
      }
      askers.add(hostname);
    },
  });
  using _announced = announce(say, { addrs: [responder.addr], portFile });
  await responder.finished;
}
