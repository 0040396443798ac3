import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ConnectError, UsageError } from "../../../lib/errors.ts";
import {
  connectFailure,
  explainLoss,
  mostTelling,
} from "../../../lib/net/stream/connect_failure.ts";
import { connectStream, type ConnectStreamOptions } from "../../../lib/net/stream/connect.ts";
import { within } from "../../../lib/time/deadline.ts";
import { listenStream } from "../../../lib/net/stream/listener.ts";
import { freePort } from "../free_port.ts";

Deno.test("connectStream() says that nobody listens", async () => {
  const port = freePort();
  await assertRejects(
    () => connectStream({ host: "127.0.0.1", port }),
    ConnectError,
    `Cannot connect to "127.0.0.1:${port}": connection refused`,
  );
  await assertRejects(
    () => connectStream({ port }),
    ConnectError,
    `Cannot connect to "localhost:${port}": connection refused`,
  );
});

Deno.test("connectStream() says that there is no such host", async () => {
  await assertRejects(
    () => connectStream({ host: "nothing.invalid", port: 1, timeout: 60 }),
    ConnectError,
    '"nothing.invalid": no such name',
  );
});

Deno.test("connectStream() gives up when TLS does not come about in time", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr as Deno.NetAddr;
  const accepted = silent.accept();
  await assertRejects(
    () => connectStream({ host: "127.0.0.1", port, tls: true, timeout: 0.1 }),
    ConnectError,
    `Cannot connect to "127.0.0.1:${port}": no answer in 0.1 s`,
  );
  (await accepted).close();
});

Deno.test("connectStream() says that the server does not speak TLS", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      await connection.write(new TextEncoder().encode("220 mail.example ready\r\n"));
      await connection.end();
    },
  });
  await assertRejects(
    () => connectStream({ port: listener.addr.port, tls: true, timeout: 60 }),
    ConnectError,
    "the server does not speak TLS",
  );
});

Deno.test("connectStream() says that an echo does not speak TLS", async () => {
  await using listener = listenStream({
    port: 0,
    allowHttp: true,
    onConnection: async (connection) => {
      for await (const chunk of connection) await connection.write(chunk);
    },
  });
  await assertRejects(
    () => connectStream({ port: listener.addr.port, tls: true, timeout: 60 }),
    ConnectError,
    "the server does not speak TLS",
  );
});

Deno.test("connectStream() says that a server which ends the handshake may not speak TLS", async () => {
  await using listener = listenStream({
    port: 0,
    onConnection: async (connection) => {
      for await (const chunk of connection) await connection.write(chunk);
    },
  });
  await assertRejects(
    () => connectStream({ port: listener.addr.port, tls: true, timeout: 60 }),
    ConnectError,
    "the server ended the TLS handshake; perhaps it does not speak TLS",
  );
});

Deno.test("connectStream() tries as often as it is told, and says so each time", async () => {
  const port = freePort();
  const said: string[] = [];
  const options: ConnectStreamOptions = {
    host: "127.0.0.1",
    port,
    attempts: 3,
    retryDelay: 7,
    sleep: (seconds) => Promise.resolve(void said.push(`sleep ${seconds}`)),
    onAttemptFailed: (attempt, attempts, error) => {
      assertInstanceOf(error, ConnectError);
      said.push(`${attempt} of ${attempts}`);
    },
  };
  await assertRejects(() => connectStream(options), ConnectError);
  assertEquals(said, ["1 of 3", "sleep 7", "2 of 3", "sleep 7", "3 of 3"]);
});

Deno.test("connectStream() tries once where an option is wrong", async () => {
  const attempts: number[] = [];
  const options = {
    attempts: Infinity,
    onAttemptFailed: (attempt: number) => attempts.push(attempt),
  };
  for (const port of [-1, 65536, NaN]) {
    await assertRejects(
      () => connectStream({ host: "127.0.0.1", port, ...options }),
      UsageError,
      `Cannot connect to "127.0.0.1:${port}": a port is a whole number from 0 to 65535`,
    );
  }
  const identity = { cert: "x", key: "y" };
  await assertRejects(() => connectStream({ port: 1, identity, ...options }), UsageError);
  assertEquals(attempts, [1, 1, 1, 1]);
});

Deno.test("connectStream() connects at a later attempt", async () => {
  const port = freePort();
  let listener: Deno.Listener | undefined;
  const connection = await connectStream({
    host: "127.0.0.1",
    port,
    attempts: 2,
    sleep: () => Promise.resolve(void (listener = Deno.listen({ hostname: "127.0.0.1", port }))),
  });
  assertEquals(connection.remoteAddr, { hostname: "127.0.0.1", port });
  await connection.close();
  listener?.close();
});

Deno.test("connectStream() reaches a server on either loopback address as localhost", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    let listener;
    try {
      listener = listenStream({ host, port: 0 });
    } catch {
      continue; // this computer does not have it
    }
    const connection = await connectStream({ port: listener.addr.port });
    assertEquals(connection.remoteAddr.hostname, host);
    await connection.close();
    await listener.close();
  }
});

Deno.test("connectStream() stops when its signal is aborted", async () => {
  const controller = new AbortController();
  const options = {
    host: "127.0.0.1",
    port: freePort(),
    attempts: Infinity,
    retryDelay: 1000,
    signal: controller.signal,
    onAttemptFailed: () => queueMicrotask(() => controller.abort(new Error("stopped"))),
  };
  await assertRejects(() => connectStream(options), Error, "stopped");
  await assertRejects(() => connectStream(options), Error, "stopped");
});

Deno.test("connectFailure() tells the kinds of failure apart", () => {
  const coded = (code: string) => Object.assign(new Error("os error"), { code });
  const say = (error: unknown) =>
    (connectFailure("host:1", error, "host") as Error).message
      .replace('Cannot connect to "host:1": ', "");
  const said = [
    ...["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ECONNRESET", "EPERM"].map(
      coded,
    ),
    new Error("invalid peer certificate: UnknownIssuer"),
    new Error('invalid peer certificate: certificate not valid for name "host"'),
    new Error("invalid peer certificate: Expired"),
    new Error("something else"),
  ].map(say);
  assertEquals(new Set(said).size, said.length);
  assertEquals(said.at(-1), "something else");
  assert(!said.slice(0, -1).some((reason) => reason.includes("os error")));
  assertStringIncludes(said[0]!, "or for its own computer only (--host 0.0.0.0 opens it)");
});

Deno.test("explainLoss() says that a certificate is wanted, and leaves other errors as they are", () => {
  for (
    const alert of ["CertificateRequired", "BadCertificate", "UnknownCA", "CertificateExpired"]
  ) {
    const cause = new Deno.errors.InvalidData(`received fatal alert: ${alert}`);
    const error = explainLoss(cause);
    assertInstanceOf(error, ConnectError);
    assertEquals(error.message, "the other side asks for a TLS certificate that it trusts");
    assertEquals(error.cause, cause);
  }
  const reset = new Deno.errors.ConnectionReset("Connection reset by peer");
  assertEquals(explainLoss(reset), reset);
  const other = new Deno.errors.InvalidData("received fatal alert: InternalError");
  assertEquals(explainLoss(other), other);
});

Deno.test("mostTelling() prefers a refusal to an address that is not there", () => {
  const refused = Object.assign(new Error(), { code: "ECONNREFUSED" });
  const missing = Object.assign(new Error(), { code: "EADDRNOTAVAIL" });
  assertEquals(mostTelling([missing, refused]), refused);
  assertEquals(mostTelling([refused, missing]), refused);
  assertEquals(mostTelling([new Error("?"), missing]), missing);
});

Deno.test("connectStream() settles when it is aborted in the very moment in which it connects", async () => {
  await using listener = listenStream({ port: 0 });
  const stop = new AbortController();
  const { connect } = Deno;
  Deno.connect = (async ({ hostname, port }: Deno.ConnectOptions) => {
    const conn = await connect({ hostname, port });
    stop.abort(new Error("too late for the system"));
    return conn;
  }) as typeof Deno.connect;
  try {
    const connecting = connectStream({ port: listener.addr.port, signal: stop.signal });
    const error = await within(assertRejects(() => connecting, Error, "too late"), 60);
    assertInstanceOf(error, Error, "never settled");
  } finally {
    Deno.connect = connect;
  }
});
