import type { PortHolder } from "./port_holder.ts";
import type { System } from "./system.ts";

/**
 * Whether a program is labwire, running one of some commands.
 *
 * @param holder The program.
 * @param commands The commands.
 * @param system The computer; it is asked for the program's command line.
 */
export async function isOwnProgram(
  { pid, name = "" }: PortHolder,
  commands: readonly string[],
  system: System,
): Promise<boolean> {
  const line = (await commandLine(pid, system))?.trim();
  // Where the system does not show the command line, the name has to suffice.
  if (!line) return /^labwire/i.test(name);
  return commands.some((command) => runs(line, command));
}

/** Whether a command line is labwire's with this command: the executable, or its main module under Deno. */
function runs(line: string, command: string): boolean {
  const words = command.replace(/[^\w ]/g, "\\$&").replaceAll(" ", "\\s+");
  return new RegExp(
    `(^|["\\s/\\\\])(labwire[^\\s/\\\\]*|main\\.ts|labwire\\S*/main)"?(\\s+-\\S+)*\\s+${words}(\\s|$)`,
    "i",
  ).test(line);
}

function commandLine(pid: number, system: System): Promise<string | undefined> {
  if (system.os !== "windows") return system.run("ps", ["-ww", "-o", "args=", "-p", String(pid)]);
  const query = `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`;
  return system.run("powershell", ["-NoProfile", "-NonInteractive", "-Command", query]);
}
