import { compileStruct } from "../../lib/codecs/struct/struct.ts";
import { echoAction } from "../../lib/struct/actions.ts";
import { Line } from "../../lib/struct/line.ts";
import { assertEquals } from "@std/assert";

Deno.test("echoAction() sends back the very bytes that came, also those that are written in several ways", async () => {
  const format = "<?xf4s";
  const action = echoAction(compileStruct<string>(format));
  await using server = Line.listen<string>({ format, port: 0, action });
  // A boolean of 2, a pad byte, and NaN with a payload.
  const record = Uint8Array.fromHex("02ff0100a07f61006200");
  using connection = await Deno.connect({ port: server.addr.port });
  const writer = connection.writable.getWriter();
  await writer.write(record);
  const back = new Uint8Array(record.length);
  for (let at = 0; at < back.length;) at += (await connection.read(back.subarray(at)))!;
  assertEquals(back.toHex(), record.toHex());
});
