import type { Command, Registry } from "../cli/command.ts";

/** All commands, in the order of the help. */
export const registry: Registry = {
  "lab19": async () => (await import("./villas/lab19.ts")).lab19,
  "villas-echo": async () => (await import("./villas/echo.ts")).villasEcho,
  "villas-signal": async () => (await import("./villas/signal.ts")).villasSignal,
  "villas-replay": async () => (await import("./villas/replay.ts")).villasReplay,
  "villas-convert": async () => (await import("./villas/convert.ts")).villasConvert,
  "villas-pipe": async () => (await import("./villas/pipe.ts")).villasPipe,
  "villas-scope": async () => (await import("./villas/scope.ts")).villasScope,
  "json-server": async () => (await import("./json/server.ts")).jsonServer,
  "json-client": async () => (await import("./json/client.ts")).jsonClient,
  "struct-line server": async () => (await import("./struct_line/server.ts")).structLineServer,
  "struct-line client": async () => (await import("./struct_line/client.ts")).structLineClient,
  "struct-line pack": async () => (await import("./struct_line/pack.ts")).structLinePack,
  "struct-line unpack": async () => (await import("./struct_line/unpack.ts")).structLineUnpack,
  "struct-line size": async () => (await import("./struct_line/size.ts")).structLineSize,
  "socket-server": async () => (await import("./socket/server.ts")).socketServer,
  "socket-client": async () => (await import("./socket/client.ts")).socketClient,
  "client-py": async () => (await import("./client_py.ts")).clientPy,
  "doctor": async () => (await import("./doctor.ts")).doctorCommand(all),
  "guide": async () => (await import("./guide.ts")).guide,
  "completions": async () => (await import("./completions.ts")).completionsCommand,
};

/** Loads all commands. */
export function all(): Promise<Command[]> {
  return Promise.all(Object.values(registry).map((load) => load()));
}
