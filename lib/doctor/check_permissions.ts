import type { Finding } from "./finding.ts";
import { neededPermissions } from "../permissions.ts";

/**
 * Checks what Deno lets this program do.
 *
 * @param isGranted Says whether a permission is granted; asks Deno by default.
 * @param hasDatagrams Whether Deno has its datagram interface.
 */
export function checkPermissions(
  isGranted: (descriptor: Deno.PermissionDescriptor) => boolean = (descriptor) =>
    Deno.permissions.querySync(descriptor).state === "granted",
  hasDatagrams: boolean = typeof Deno.listenDatagram === "function",
): Finding {
  const missing = neededPermissions.filter(({ descriptors }) => !descriptors.every(isGranted));
  const flags = missing.filter(({ otherwise }) => otherwise === undefined).map(({ flag }) => flag);
  if (!hasDatagrams) flags.push("--unstable-net");
  if (flags.length > 0) {
    return {
      check: "permissions",
      status: "problem",
      message: `not granted: ${flags.join(" ")}`,
      remedy: "add these flags to the command that starts Deno, or use the executable",
    };
  }
  const names = neededPermissions.filter((permission) => !missing.includes(permission))
    .map(({ flag }) => flag.slice("--allow-".length));
  const more = isGranted({ name: "env" }) ? ", and more than labwire needs" : "";
  const less = missing.map(({ flag, otherwise }) => `; without ${flag} ${otherwise}`).join("");
  const message = `granted: ${names.join(", ")}${more}${less}`;
  return { check: "permissions", status: "ok", message };
}
