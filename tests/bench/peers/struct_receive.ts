/** Receives COUNT records of `!I30sd` with the library, by an action or by iterating, and ends. */

import { Line } from "../../../mod.ts";

const [way, count] = [Deno.args[0], Number(Deno.args[1])];
let received = 0;
const action = way === "action" ? () => void (++received === count && line.close()) : undefined;
const line: Line<"!I30sd"> = Line.listen({ format: "!I30sd", host: "127.0.0.1", port: 0, action });
console.error(`Listening on 127.0.0.1:${line.addr.port}`);
if (way === "action") await line.finished;
else for await (const _ of line) if (++received === count) break;
await line.close();
