import { assertEquals, assertRejects } from "@std/assert";
import { CodecError } from "../../../lib/errors.ts";
import { lineFraming } from "../../../lib/net/framing/line.ts";
import { type ByteSource, readMessages } from "../../../lib/net/framing/read_messages.ts";
import { textSource } from "./byte_source.ts";

async function texts(messages: AsyncIterable<Uint8Array>): Promise<string[]> {
  const found: string[] = [];
  for await (const message of messages) found.push(new TextDecoder().decode(message));
  return found;
}

Deno.test("readMessages() throws at a bad message where nobody is told of it", async () => {
  const messages = readMessages(textSource(["ok\ntoo long\n"]), lineFraming({ maxBytes: 3 }));
  assertEquals(new TextDecoder().decode((await messages.next()).value!), "ok");
  await assertRejects(() => messages.next(), CodecError, "longer than 3 bytes");
});

Deno.test("readMessages() drops half a line when the stream did not end in order", async () => {
  for (const readEnd of ["stopped", "lost"] as const) {
    const source: ByteSource = { ...textSource(["whole\nha"]), readEnd };
    assertEquals(await texts(readMessages(source, lineFraming())), ["whole"]);
  }
});

Deno.test("readMessages() waits for onBad before it goes on", async () => {
  const order: string[] = [];
  const onBad = async () => {
    order.push("bad");
    await Promise.resolve();
    order.push("told");
  };
  const source = textSource(["12345\nab\n"]);
  for await (const _ of readMessages(source, lineFraming({ maxBytes: 4 }), { onBad })) {
    order.push("next");
  }
  assertEquals(order, ["bad", "told", "next"]);
});
