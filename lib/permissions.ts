/** A permission that labwire needs. */
export interface NeededPermission {
  /** What Deno calls it, one for each part. */
  readonly descriptors: readonly Deno.PermissionDescriptor[];
  /** The flag that grants it. */
  readonly flag: string;
  /** What labwire does with it. */
  readonly reason: string;
  /** What is different where it is not granted; without this, labwire does not work. */
  readonly otherwise?: string;
}

/** All permissions that labwire needs; the executable has these and no others. */
export const neededPermissions: readonly NeededPermission[] = [
  {
    descriptors: [{ name: "net" }],
    flag: "--allow-net",
    reason: "sockets; the user chooses hosts and ports, so they cannot be listed here",
  },
  {
    descriptors: [{ name: "read" }],
    flag: "--allow-read",
    reason: "handlers, messages, recordings, certificates, unix sockets",
  },
  {
    descriptors: [{ name: "write" }],
    flag: "--allow-write",
    reason:
      "recordings; unix sockets and --port-file, removed at the end; the file that client-py is asked for",
  },
  {
    descriptors: [{ name: "run" }],
    flag: "--allow-run",
    reason:
      "the programs given with --exec, and Python for handlers in it; for doctor the system's own, such as ss or netstat; for --open what opens the browser",
  },
  {
    descriptors: [{ name: "ffi" }],
    flag: "--allow-ffi",
    reason: "Linux's system calls for many datagrams at once, which Deno does not have",
    otherwise: "UDP takes one datagram at a time",
  },
  {
    descriptors: ["NO_COLOR", "PATH", "PATHEXT", "VIRTUAL_ENV"].map((variable) => ({
      name: "env",
      variable,
    })),
    flag: "--allow-env=NO_COLOR,PATH,PATHEXT,VIRTUAL_ENV",
    reason: "whether the user wants colour; where the programs given with --exec, and Python, are",
  },
  {
    descriptors: [{ name: "sys", kind: "networkInterfaces" }],
    flag: "--allow-sys=networkInterfaces",
    reason: "the addresses of this computer: for doctor, --allow, and to know its own datagrams",
  },
];
