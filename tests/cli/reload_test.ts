/** --reload, with every server that takes a handler: what has changed answers the next message. */

import { assertEquals } from "@std/assert";
import { villasProtobuf } from "../../lib/codecs/villas/protobuf.ts";
import { type HostPort, parseAddress } from "../../lib/net/address/address.ts";
import { bindDatagram } from "../../lib/net/datagram/datagram.ts";
import { needs } from "../interop/peer.ts";
import { PYTHON } from "../interop/python.ts";
import { folder } from "./json_serve.ts";
import { start } from "./run.ts";

/** A server, handlers that answer with a number, and how the answer is got. */
interface Server {
  readonly name: string;
  readonly args: readonly string[];
  readonly js: (n: number) => string;
  readonly py: (n: number) => string;
  ask(to: HostPort): Promise<number>;
}

async function askStream(to: HostPort, message: Uint8Array): Promise<Uint8Array> {
  using connection = await Deno.connect(to);
  await connection.write(message);
  const answer = new Uint8Array(100);
  return answer.subarray(0, (await connection.read(answer))!);
}

async function askLine(to: HostPort, line: string): Promise<string> {
  return new TextDecoder().decode(await askStream(to, new TextEncoder().encode(line + "\n")));
}

const port = ["--host", "127.0.0.1", "--port", "0"];
const servers: readonly Server[] = [
  {
    name: "answers of json-server's interact()",
    args: ["json-server", ...port],
    js: (n) => `export const interact = () => ${n};`,
    py: (n) => `def interact(message): return ${n}`,
    ask: async (to) => JSON.parse(await askLine(to, "{}")).result,
  },
  {
    name: "answers of json-server's commands",
    args: ["json-server", ...port],
    js: (n) => `export const commands = { ${"read".padEnd(n)}: () => ${n} };`,
    py: (n) => `def read(): return ${n}`,
    ask: async (to) => JSON.parse(await askLine(to, '{"command_id":"read"}')).result,
  },
  {
    name: "answers of struct-line",
    args: ["struct-line", "server", ...port, "--format", "!I"],
    js: (n) => `export default () => [${n}];`,
    py: (n) => `def handle(record, peer): return [${n}]`,
    ask: async (to) => new DataView((await askStream(to, new Uint8Array(4))).buffer).getUint32(0),
  },
  {
    name: "answers of socket-server",
    args: ["socket-server", ...port, "--line"],
    js: (n) => `export const handle = () => "${n}";`,
    py: (n) => `def handle(data, peer): return "${n}"`,
    ask: async (to) => Number(await askLine(to, "?")),
  },
  {
    name: "answers of villas-echo",
    args: ["villas-echo", "--listen", "127.0.0.1:0", "--any-source", "--reply-to", "sender"],
    js: (n) => `export default (sample) => ({ ...sample, values: [${n}.5] });`,
    py: (n) => `def handle(sample):\n  sample.values = [${n}.5]\n  return sample`,
    async ask(to) {
      await using socket = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
      await socket.send(villasProtobuf.encode([{ type: "data", values: [0.5] }]), to);
      const [sample] = villasProtobuf.decode((await socket.receive())!.bytes);
      return Math.floor(sample!.values[0] as number);
    },
  },
];

const python = needs(PYTHON);
for (const server of servers) {
  for (const [language, ignore] of [["js", false], ["py", python.ignore]] as const) {
    const note = ignore ? python.note : "";
    Deno.test(`--reload: ${server.name} are those of a changed handler in ${language}${note}`, {
      ignore,
    }, async () => {
      const file = `handler.${language}`;
      await using files = await folder({ [file]: server[language](7) + "\n" });
      const handler = ["--handler", `${files.path}/${file}`, "--python", PYTHON, "--reload"];
      await using program = start([...server.args, ...handler]);
      const [, address] = await program.until("stderr", /Listening on ([^\s,]+)/);
      const to = parseAddress(address!);
      assertEquals(await server.ask(to), 7);
      for (const n of [22, 333]) {
        await Deno.writeTextFile(`${files.path}/${file}`, server[language](n) + "\n");
        assertEquals(await server.ask(to), n);
      }
      await program.until("stderr", /has changed and was loaded again/);
    });
  }
}
