/** The platforms that labwire is released for, as `deno compile` names them. */
export const targets: readonly string[] = [
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
];

/**
 * Names an executable.
 *
 * @param version The version of labwire.
 * @param target The platform.
 * @returns A file name.
 */
export function executableName(version: string, target: string): string {
  return `labwire-${version}-${target}${target.includes("windows") ? ".exe" : ""}`;
}
