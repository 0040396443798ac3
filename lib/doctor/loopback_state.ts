import { refusalOf } from "./refusal.ts";
import type { System } from "./system.ts";

/** The command that shows the loopback interface, and the one that switches it on. */
const commands: Partial<Record<System["os"], { show: readonly string[]; remedy: string }>> = {
  linux: { show: ["ip", "link", "show", "lo"], remedy: "sudo ip link set lo up" },
  darwin: { show: ["ifconfig", "lo0"], remedy: "sudo ifconfig lo0 up" },
};

/**
 * Finds out whether the loopback interface is switched off, once datagrams to 127.0.0.1 have failed.
 *
 * @param system The computer.
 * @param refused What the system threw when such a datagram was sent, if it did.
 */
export async function isLoopbackDown(system: System, refused: unknown): Promise<boolean> {
  if (refused !== undefined && refusalOf(refused) === "unreachable") return true;
  const [program, ...args] = commands[system.os]?.show ?? [];
  // Both programs write the interface's flags in angle brackets.
  const flags = program && /<([A-Z_,]*)>/.exec(await system.run(program, args) ?? "")?.[1];
  return flags !== undefined && !flags.split(",").includes("UP");
}

/** How the loopback interface is switched on. */
export function loopbackRemedy(os: System["os"]): string {
  return commands[os]?.remedy ?? "switch the loopback interface on, or restart the computer";
}
