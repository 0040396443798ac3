import type { Command, Registry } from "../cli/command.ts";

/** All commands, in the order of the help. */
export const registry: Registry = {
  "lab19": async () => (await import("./lab19.ts")).lab19,
  "villas-echo": async () => (await import("./villas_echo.ts")).villasEcho,
  "villas-signal": async () => (await import("./villas_signal.ts")).villasSignal,
  "json-server": async () => (await import("./json_server.ts")).jsonServer,
  "json-client": async () => (await import("./json_client.ts")).jsonClient,
  "struct-line server": async () => (await import("./struct_line_server.ts")).structLineServer,
  "struct-line client": async () => (await import("./struct_line_client.ts")).structLineClient,
  "struct-line pack": async () => (await import("./struct_line_pack.ts")).structLinePack,
  "struct-line unpack": async () => (await import("./struct_line_unpack.ts")).structLineUnpack,
  "struct-line size": async () => (await import("./struct_line_size.ts")).structLineSize,
  "socket-server": async () => (await import("./socket_server.ts")).socketServer,
  "socket-client": async () => (await import("./socket_client.ts")).socketClient,
  "doctor": async () => (await import("./doctor.ts")).doctorCommand(all),
  "guide": async () => (await import("./guide.ts")).guide,
  "completions": async () => (await import("./completions.ts")).completionsCommand,
};

/** Loads all commands. */
export function all(): Promise<Command[]> {
  return Promise.all(Object.values(registry).map((load) => load()));
}
