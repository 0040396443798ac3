import type { HostPort } from "../net/address/address.ts";
import type { DatagramSocket } from "../net/datagram/datagram.ts";

/** What the checks ask of the computer; a test answers in its place. */
export interface System {
  /** The operating system. */
  readonly os: typeof Deno.build.os;
  /**
   * Runs one of the system's own programs.
   *
   * @param program Its name.
   * @param args Its arguments.
   * @returns What it writes to standard output, however it ends; undefined where there is no such program.
   */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
  /**
   * Sends a datagram.
   *
   * @param from The socket that sends it.
   * @param bytes Its payload.
   * @param to Where to.
   * @returns How many bytes the system took. Rejects if the system refuses.
   */
  send(from: DatagramSocket, bytes: Uint8Array, to: HostPort): Promise<number>;
}

/** This computer. */
export const thisSystem: System = {
  os: Deno.build.os,
  async run(program, args) {
    try {
      const command = new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" });
      return new TextDecoder().decode((await command.output()).stdout);
    } catch {
      return undefined;
    }
  },
  send: (from, bytes, to) => from.send(bytes, to),
};
