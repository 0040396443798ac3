import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectError } from "../../lib/errors.ts";
import type { StreamConnection } from "../../lib/net/stream/connection.ts";
import { listenStream } from "../../lib/net/stream/listener.ts";
import { ByteClient, connectBytes } from "../../lib/socket/byte_client.ts";
import { stoppedConnection } from "./stopped.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (chunk: Uint8Array) => new TextDecoder().decode(chunk);

/** Runs a server and a client that is connected to it. */
async function withServer(
  serve: (connection: StreamConnection) => Promise<void>,
  ask: (client: ByteClient) => Promise<void>,
): Promise<void> {
  await using listener = listenStream({ port: 0, grace: 0, onConnection: serve });
  await using client = await connectBytes({ port: listener.addr.port, timeout: 60 });
  await ask(client);
}

/** Waits for a moment that is longer than a network takes and shorter than what counts as silence. */
const moment = () => new Promise((resolve) => setTimeout(resolve, 20));

Deno.test("ByteClient.exchange() takes an answer in several packets as one", async () => {
  await withServer(async (connection) => {
    for (let i = 0; await connection.read() !== null; i++) {
      for (const part of ["first ", "second ", `third ${i}`]) {
        await connection.write(bytes(part));
        await moment();
      }
    }
  }, async (client) => {
    assertEquals(text(await client.exchange(bytes("go"), { quiet: 1 })), "first second third 0");
    assertEquals(text(await client.exchange(bytes("go"), { quiet: 1 })), "first second third 1");
  });
});

Deno.test("ByteClient.exchange() takes what has come while the program was stopped", async () => {
  await using client = new ByteClient(stoppedConnection(), "stopped");
  assertEquals(text(await client.exchange(bytes("go"), { quiet: 0.05 })), "first second");
});

Deno.test("ByteClient.exchange() takes the server's end for the end of the answer", async () => {
  await withServer(async (connection) => {
    await connection.read();
    await connection.write(new Uint8Array(100_000));
  }, async (client) => {
    const answer = await client.exchange(bytes("go"), { quiet: 60 });
    assertEquals(answer.length, 100_000);
  });
});

Deno.test("ByteClient.exchange() sends and receives at the same time", async () => {
  const size = 16 << 20;
  await withServer(async (connection) => {
    for await (const chunk of connection) await connection.write(chunk);
  }, async (client) => {
    const message = new Uint8Array(size).map((_, i) => i >> 3);
    const answer = await client.exchange(message, { count: size, timeout: 60 });
    assert(answer.every((byte, i) => byte === message[i]));
    assertEquals(answer.length, size);
  });
});

Deno.test("ByteClient.receive() leaves what is beyond the count for the next answer", async () => {
  await withServer(
    async (connection) => void await connection.write(bytes("abcdefgh")),
    async (client) => {
      const receive = async (count: number) => {
        let all = "";
        for await (const piece of client.receive({ count, timeout: 60 })) all += text(piece);
        return all;
      };
      assertEquals([await receive(3), await receive(1), await receive(4)], ["abc", "d", "efgh"]);
      await assertRejects(() => receive(1), ConnectError, "No answer from");
    },
  );
});

Deno.test("ByteClient.receive() with wait takes whatever comes in that time", async () => {
  await withServer(async (connection) => {
    for (const part of ["a", "b", "c"]) {
      await connection.write(bytes(part));
      await moment();
    }
    await connection.read();
  }, async (client) => {
    let all = "";
    for await (const piece of client.receive({ wait: 0.5, quiet: 0 })) all += text(piece);
    assertEquals(all, "abc");
  });
});

Deno.test("ByteClient.exchange() has a message of its own for silence, an end and a break", async () => {
  await withServer(async (connection) => void await connection.read(), async (client) => {
    const { port } = client.remoteAddr;
    await assertRejects(
      () => client.exchange(bytes("x")),
      ConnectError,
      `No answer from "localhost:${port}" before the server closed the connection`,
    );
  });
  await withServer(async (connection) => {
    while (await connection.read() !== null);
  }, async (client) => {
    const { port } = client.remoteAddr;
    await assertRejects(
      () => client.exchange(bytes("x"), { timeout: 0.1 }),
      ConnectError,
      `No answer from "localhost:${port}" in 0.1 s`,
    );
    // What comes later is the beginning of the next answer.
    await client.closeWrite();
    await assertRejects(() => client.exchange(bytes("y")), ConnectError, "closed the connection");
  });
});

Deno.test("ByteClient.exchange() says how much of an answer is missing", async () => {
  await withServer(async (connection) => {
    await connection.write(bytes("12345"));
    await connection.read();
  }, async (client) => {
    await assertRejects(
      () => client.exchange(bytes("x"), { count: 8 }),
      ConnectError,
      "Only 5 of 8 bytes",
    );
  });
});

Deno.test("ByteClient.exchange() gives up a server that takes nothing", async () => {
  const release = Promise.withResolvers<void>();
  await withServer(() => release.promise, async (client) => {
    const message = new Uint8Array(64 << 20);
    await assertRejects(
      () => client.exchange(message, { timeout: 0.3 }),
      ConnectError,
      "No answer from",
    );
    release.resolve();
  });
});

Deno.test("ByteClient.send() says that the connection is gone", async () => {
  await withServer(() => Promise.resolve(), async (client) => {
    await client.close();
    await assertRejects(() => client.send(bytes("x")), ConnectError, "Cannot send to");
  });
});
