/** A permission that labwire needs. */
export interface NeededPermission {
  /** What Deno calls it. */
  readonly descriptor: Deno.PermissionDescriptor;
  /** The flag that grants it. */
  readonly flag: string;
  /** What labwire does with it. */
  readonly reason: string;
}

/** All permissions that labwire needs; the executable has these and no others. */
export const neededPermissions: readonly NeededPermission[] = [
  {
    descriptor: { name: "net" },
    flag: "--allow-net",
    reason: "sockets; the user says which hosts and ports, so none can be named beforehand",
  },
  {
    descriptor: { name: "read" },
    flag: "--allow-read",
    reason: "handlers, messages, configuration, certificates, unix sockets",
  },
  {
    descriptor: { name: "write" },
    flag: "--allow-write",
    reason: "unix sockets, which are files: made at the start, removed at the end",
  },
  {
    descriptor: { name: "run" },
    flag: "--allow-run",
    reason: "the programs given with --exec; for doctor the system's own, such as ss or netstat",
  },
  {
    descriptor: { name: "env", variable: "NO_COLOR" },
    flag: "--allow-env=NO_COLOR",
    reason: "whether the user wants colour",
  },
  {
    descriptor: { name: "sys", kind: "networkInterfaces" },
    flag: "--allow-sys=networkInterfaces",
    reason: "the addresses of this computer, for doctor",
  },
];
