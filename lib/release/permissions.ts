/** A permission of the executable, and why labwire needs it. */
export interface ReleasePermission {
  /** The flag of `deno compile`. */
  readonly flag: string;
  /** What labwire does with it. */
  readonly reason: string;
}

/** All that the executable may do; anything else fails without a question to the user. */
export const permissions: readonly ReleasePermission[] = [
  {
    flag: "--allow-net",
    reason: "sockets: the hosts and ports are what the user asks for, so none can be named here",
  },
  {
    flag: "--allow-read",
    reason: "handlers, configuration files, certificates, unix sockets; for doctor /proc",
  },
  {
    flag: "--allow-write",
    reason: "unix sockets are files: made on start, removed on end",
  },
  {
    flag: "--allow-run",
    reason: "the programs given with --exec",
  },
  {
    flag: "--allow-env=NO_COLOR,PATH,PATHEXT",
    reason: "whether the user wants colour; where the programs given with --exec are",
  },
  {
    flag: "--allow-sys=networkInterfaces",
    reason: "the addresses of this computer, for doctor",
  },
];
