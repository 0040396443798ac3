/**
 * Whether a process runs, after a moment for the system to take a killed one away. Not for Windows.
 *
 * @param pid The process id.
 */
export async function isAlive(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    const { code, stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", `${pid}`] })
      .output();
    if (code !== 0 || new TextDecoder().decode(stdout).startsWith("Z")) return false;
  }
  return true;
}
