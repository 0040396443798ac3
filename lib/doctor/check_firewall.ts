import type { DefaultPort } from "./check_ports.ts";
import type { Finding } from "./finding.ts";
import { type System, thisSystem } from "./system.ts";

/** How to find out whether a firewall is on, and how to open it for labwire. */
interface Firewall {
  /** The name that a person knows it by. */
  readonly name: string;
  /** The command that shows its state. */
  readonly command: readonly string[];
  /** What the command writes when it is on. */
  readonly on: RegExp;
  /** What it writes when it is off. */
  readonly off: RegExp;
  /** How to open ports in it. */
  readonly open: (ports: readonly DefaultPort[]) => string;
}

const POLICY =
  "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy";

/** One rule for each transport. */
function rules(
  ports: readonly DefaultPort[],
  write: (transport: string, ports: string[]) => string,
): string {
  return (["udp", "tcp"] as const).map((transport) => ({
    transport,
    numbers: ports.filter((port) => port.transport === transport).map(({ port }) => String(port)),
  })).filter(({ numbers }) => numbers.length > 0)
    .map(({ transport, numbers }) => write(transport, numbers)).join("; ");
}

const firewalls: Partial<Record<System["os"], readonly Firewall[]>> = {
  windows: [{
    name: "Windows Defender Firewall",
    command: ["reg", "query", POLICY, "/s", "/v", "EnableFirewall"],
    on: /EnableFirewall\s+REG_DWORD\s+0x1/,
    off: /EnableFirewall\s+REG_DWORD\s+0x0/,
    open: (ports) =>
      `in PowerShell as administrator: ` +
      rules(ports, (transport, numbers) =>
        `New-NetFirewallRule -DisplayName labwire -Direction Inbound -Action Allow -Protocol ${transport} ` +
        `-LocalPort ${numbers.join(",")}`),
  }],
  darwin: [{
    name: "the macOS firewall",
    command: ["/usr/libexec/ApplicationFirewall/socketfilterfw", "--getglobalstate"],
    on: /State = [12]/,
    off: /State = 0/,
    open: () =>
      "System Settings, Network, Firewall, Options: allow incoming connections for labwire",
  }],
  linux: [
    {
      name: "firewalld",
      command: ["systemctl", "is-active", "firewalld"],
      on: /^active/,
      off: /^(inactive|unknown|failed)/,
      open: (ports) =>
        `sudo firewall-cmd ${
          rules(ports, (transport, numbers) =>
            numbers.map((number) =>
              `--add-port=${number}/${transport}`
            ).join(" ")).replaceAll("; ", " ")
        }`,
    },
    {
      name: "ufw",
      command: ["systemctl", "is-active", "ufw"],
      on: /^active/,
      off: /^(inactive|unknown|failed)/,
      open: (ports) =>
        rules(
          ports,
          (transport, numbers) =>
            `sudo ufw allow proto ${transport} to any port ${numbers.join(",")}`,
        ),
    },
    {
      name: "nftables",
      command: ["systemctl", "is-active", "nftables"],
      on: /^active/,
      off: /^(inactive|unknown|failed)/,
      open: () => "sudo nft list ruleset shows its rules",
    },
  ],
};

/**
 * Looks for a firewall that could block what comes from other computers.
 *
 * @param ports The ports that should be open.
 * @param system The computer.
 */
export async function checkFirewall(
  ports: readonly DefaultPort[],
  system: System = thisSystem,
): Promise<Finding> {
  const check = "firewall";
  let isOff = false;
  for (const { name, command: [program, ...args], on, off, open } of firewalls[system.os] ?? []) {
    const state = await system.run(program!, args) ?? "";
    if (on.test(state)) {
      return {
        check,
        status: "note",
        message: `${name} is on, and may block what other computers send; --peer tests the way`,
        remedy: open(ports),
      };
    }
    isOff ||= off.test(state);
  }
  return isOff
    ? { check, status: "ok", message: "the system's firewall is off" }
    : { check, status: "note", message: "no firewall was found; --peer tests the way" };
}
