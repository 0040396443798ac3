/** What `localhost` means: both, where the computer has both. */
export const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];

/** Whether a host name is `localhost`. */
export function isLocalhost(host: string): boolean {
  return /^localhost\.?$/i.test(host);
}

/** Whether an IP address or host name is this computer's own, out of reach for others. */
export function isLoopback(host: string): boolean {
  return isLocalhost(host) || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}
