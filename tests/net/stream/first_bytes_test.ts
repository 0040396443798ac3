import { assert, assertEquals } from "@std/assert";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import { FirstBytes } from "../../../lib/net/stream/first_bytes.ts";
import { FirstBytesGate } from "../../../lib/net/stream/first_bytes_gate.ts";
import { readRecords } from "../../../lib/net/framing/read_records.ts";
import {
  listenStream,
  type ListenStreamOptions,
  type StreamListener,
  type StreamProblem,
} from "../../../lib/net/stream/listener.ts";
import { makeCertificate } from "../../interop/certificate.ts";
import { needs, startPeer } from "../../interop/peer.ts";
import { ManualClock } from "../../time/manual_clock.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const text = (chunk: Uint8Array | null) => chunk && String.fromCharCode(...chunk);

/** First bytes and what they are; none is decided before its last byte. */
const DECIDED: [string, "http" | "tls" | "stun" | "other"][] = [
  ["GET / HTTP/1.", "http"],
  ["POST /a?b=%7B%22c%22%3A1%7D HTTP/1.", "http"],
  ["OPTIONS * HTTP/1.", "http"],
  ["CONNECT 127.0.0.1:65432 HTTP/1.", "http"],
  ["PROPFIND /x HTTP/1.", "http"],
  ["m-search * HTTP/1.", "http"],
  ["PRI * HTTP/2.", "http"],
  ["GET http://127.0.0.1/ HTTP/1.", "http"],
  ["GET /\xfc HTTP/1.", "http"],
  ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls"],
  ["\x16\x03\x00\x00\x00\x01\x00\x00\x00\x03\x00", "tls"],
  ["\x16\x03\x04\xff\xff\x01\x00\xff\xff\x03\x04", "tls"],
  ["{", "other"],
  [" ", "other"],
  ["\0\x01\0\x08\x21\x12\xa4\x42", "stun"],
  ["\0\x03\x01\x2c\x21\x12\xa4\x42", "stun"],
  ["\0\x64\0\x01\0\x50\x21\x12\xa4\x42", "stun"],
  ["\x01\0\0\x01\0\xec\x21\x12\xa4\x42", "stun"],
  ["\0\0\0\0", "other"],
  ["\x01\x01", "other"],
  ["\0\x64\0\x01\0\x50\x21\x13", "other"],
  ["\0\x02", "other"],
  ["\0\x01\0\x09", "other"],
  ["\0\x01\0\x08\0", "other"],
  ["\0\x03\0\x08\x21\x12\xa4\x43", "other"],
  ["GET \0", "other"],
  ["GET \n", "other"],
  ["GET  ", "other"],
  ["GET\n", "other"],
  ["GET1", "other"],
  ["GET /\x7f", "other"],
  ["GET / \n", "other"],
  ["GET / /", "other"],
  ["GET / HTTP/x", "other"],
  ["GET / HTTP/1\r", "other"],
  ["*IDN?".slice(0, 1), "other"],
  ["MEASURE:", "other"],
  ["VOLT 3\n", "other"],
  ["ABCDEFGHIJKLMNOPQRSTU", "other"],
  ["\x16\x04", "other"],
  ["\x16\x03\x01\x02\x00\x02", "other"],
  ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x05", "other"],
];

Deno.test("FirstBytes tells a request line, TLS and STUN from all else, however they are cut", () => {
  for (const [start, verdict] of DECIDED) {
    const whole = new FirstBytes();
    assertEquals(whole.push(bytes(start + "and more")), verdict, JSON.stringify(start));
    const cut = new FirstBytes();
    for (const byte of bytes(start.slice(0, -1))) {
      assertEquals(cut.push(Uint8Array.of(byte)), "undecided", JSON.stringify(start));
    }
    assertEquals(cut.push(bytes(start.slice(-1))), verdict, JSON.stringify(start));
    assertEquals(cut.push(bytes("GET / HTTP/1.1\r\n")), verdict);
  }
});

Deno.test("FirstBytes has bytes held back only where a browser's request can begin so", () => {
  const held = [
    "G",
    "GE",
    "GET",
    "GET /x",
    "GET /x HT",
    "POST ",
    "PRI *",
    "\x16",
    "\x16\x03\x01",
    "\0",
    "\0\x03",
  ];
  const passed = [
    "",
    "X",
    "hello",
    "ABC def",
    "GETS",
    "get",
    "GET /x HTTP/1.1",
    "{",
    "GET /x\n",
    "\0\x02",
    "\x01\x01",
  ];
  for (const [list, suspicious] of [[held, true], [passed, false]] as const) {
    for (const start of list) {
      const first = new FirstBytes();
      first.push(bytes(start));
      assertEquals(first.suspicious, suspicious, JSON.stringify(start));
    }
  }
});

/** A gate before bytes that come in pieces of a size. */
function gateBefore(source: Uint8Array, size: number) {
  let at = 0;
  const refused: string[] = [];
  const gate = new FirstBytesGate((buffer) => {
    const piece = source.subarray(at, at += Math.min(size, buffer.length));
    buffer.set(piece);
    return Promise.resolve(piece.length || null);
  }, (protocol) => refused.push(protocol));
  const readAll = async () => {
    const buffer = new Uint8Array(1000);
    const read: number[] = [];
    for (let n; (n = await gate.read(buffer)) !== null;) read.push(...buffer.subarray(0, n));
    return Uint8Array.from(read);
  };
  return { gate, refused, readAll };
}

Deno.test("FirstBytesGate hands on everything but a request, in pieces of any size", async () => {
  for (const [start, verdict] of DECIDED) {
    for (const size of [1, 2, 3, 7, 4096]) {
      const source = bytes(start + "x".repeat(5000));
      const { gate, refused, readAll } = gateBefore(source, size);
      const read = await readAll();
      if (verdict === "other") assertEquals([read, refused], [source, []]);
      else {
        assertEquals(refused, [verdict]);
        // What no browser sends without having asked is not held back, but refused all the same.
        const heldBack = !/^(m-search|PROPFIND) /.test(start) || size === 4096;
        assert(heldBack ? read.length === 0 : read.length < start.length, start);
      }
      assert(gate.open || verdict !== "other");
    }
  }
});

Deno.test("FirstBytesGate takes a request line that does not end for one, byte by byte", async () => {
  const { refused, readAll } = gateBefore(bytes("POST /" + "A".repeat(1 << 17)), 1);
  const start = performance.now();
  assertEquals([await readAll(), refused], [new Uint8Array(), ["http"]]);
  // 65,536 reads with their timers; held together again each time they would take many times as long.
  assert(performance.now() - start < 5000);
});

/** A listener whose connections are echoed. */
function listenEcho(options: Partial<ListenStreamOptions> = {}) {
  const problems: StreamProblem[] = [];
  const read: string[] = [];
  const listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    onConnection: async (connection) => {
      for await (const chunk of connection) {
        read.push(text(chunk)!);
        await connection.write(chunk);
      }
    },
    onProblem: (problem) => void problems.push(problem),
    ...options,
  });
  return { listener, problems, read };
}

/** Sends pieces, each in a packet of its own, and returns what comes back, to the end of the connection. */
async function send({ addr }: StreamListener, pieces: string[]): Promise<string> {
  const conn = await Deno.connect(addr);
  conn.setNoDelay();
  let answer = "";
  const reading = (async () => {
    const buffer = new Uint8Array(1000);
    for (let n; (n = await conn.read(buffer).catch(() => null)) !== null;) {
      answer += text(buffer.subarray(0, n));
    }
  })();
  try {
    for (const piece of pieces) {
      await conn.write(bytes(piece));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  } catch {
    // refused already
  }
  await reading;
  conn.close();
  return answer;
}

Deno.test("listenStream() closes an HTTP request before anything of it is read, and tells of the first", async () => {
  const { listener, problems, read } = listenEcho();
  await using _ = listener;
  const request = 'POST /x HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n{"command_id":"fire"}\n';
  assertEquals(await send(listener, [request]), "");
  assertEquals(await send(listener, [...request]), "");
  assertEquals(await send(listener, ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]), "");
  assertEquals(read, []);
  assertEquals(listener.stats.refusedAsHttp, 3);
  assertEquals(problems.map(({ kind }) => kind), ["http"]);
  assert(
    /^Refused an HTTP request from 127\.0\.0\.1:\d+: a web page may have sent it; further ones/
      .test(problems[0]!.message),
  );
});

Deno.test("listenStream() closes STUN requests before anything of them is read, and tells of the first", async () => {
  const { listener, problems, read } = listenEcho();
  await using _ = listener;
  const request = "\0\x03\0\x08\x21\x12\xa4\x42" + "transaction!" + "\0\x19\0\x04\x11\0\0\0";
  const framed = "\0\x1c\0\x01" + request.slice(2);
  for (const sent of [request, framed]) {
    assertEquals(await send(listener, [sent]), "");
    assertEquals(await send(listener, [...sent]), "");
  }
  assertEquals(read, []);
  assertEquals(listener.stats.refusedAsStun, 4);
  assertEquals(problems.map(({ kind }) => kind), ["stun"]);
  assert(
    /^Refused a STUN request \(WebRTC\) from 127\.0\.0\.1:\d+: a web page may have sent it; further/
      .test(problems[0]!.message),
  );
});

Deno.test("listenStream() hands on at once what turns out to be no request", async () => {
  // No time passes here, so nothing may be held back until some has.
  const { listener } = listenEcho({ clock: new ManualClock() });
  await using _ = listener;
  const record = "GET \x01\x02\x03\x04";
  const binary = "\0\x01\0\x04\x01\0\0\0";
  for (
    const pieces of [[record], [...record], [binary], [...binary], ["GET /x HTTP\n"], ["hello"], [
      "*IDN?",
    ]]
  ) {
    await using connection = await connectStream({ port: listener.addr.port });
    for (const piece of pieces) await connection.write(bytes(piece));
    let answer = "";
    while (answer.length < pieces.join("").length) answer += text(await connection.read());
    assertEquals(answer, pieces.join(""));
  }
  assertEquals(listener.stats.refusedAsHttp, 0);
});

Deno.test("listenStream() hands on what could have become a request when nothing follows, and watches on", async () => {
  const clock = new ManualClock();
  const { listener, read } = listenEcho({ clock });
  await using _ = listener;
  await using connection = await connectStream({ port: listener.addr.port });
  const silence = clock.nextWake();
  await connection.write(bytes("GET "));
  await silence;
  clock.pass(0.5);
  assertEquals(text(await connection.read()), "GET ");
  await connection.write(bytes("/ HTTP/1.1\r\n"));
  assertEquals(await connection.read(), null);
  assertEquals([read, listener.stats.refusedAsHttp], [["GET "], 1]);

  await using ended = await connectStream({ port: listener.addr.port });
  await ended.write(bytes("POST"));
  await ended.closeWrite();
  assertEquals(text(await ended.read()), "POST"); // without waiting for silence
  assertEquals(await ended.read(), null);
});

Deno.test("a request is not read in blocks of records either, nor is it a record that was cut", async () => {
  const records: string[] = [];
  const ends: string[] = [];
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    onConnection: async (connection) => {
      for await (const block of readRecords(connection, 2)) records.push(text(block)!);
      ends.push(`${connection.readEnd} ${connection.closeReason}`);
    },
  });
  assertEquals(await send(listener, [..."HEAD /abc HTTP/1.1\r\n"]), "");
  assertEquals([records, ends], [[], ["stopped refused"]]);
});

Deno.test("StreamConnection.firstBytes() tells a request from who waits to be spoken to", async () => {
  const seen: boolean[] = [];
  await using listener = listenStream({
    port: 0,
    host: "127.0.0.1",
    onConnection: async (connection) => {
      const isFine = await connection.firstBytes(0.05);
      seen.push(isFine);
      if (!isFine) return;
      await connection.write(bytes("welcome "));
      for await (const chunk of connection) await connection.write(chunk);
    },
  });
  assertEquals(await send(listener, ["GET / HTTP/1.1\r\n\r\n"]), "");
  await using silent = await connectStream({ port: listener.addr.port });
  assertEquals(text(await silent.read()), "welcome ");
  await silent.write(bytes("GET it"));
  assertEquals(text(await silent.read()), "GET it");
  await using speaking = await connectStream({ port: listener.addr.port });
  await speaking.write(bytes("hello"));
  let answer = "";
  while (answer.length < 13) answer += text(await speaking.read());
  assertEquals(answer, "welcome hello");
  assertEquals(seen, [false, true, true]);
});

Deno.test("listenStream() lets requests in with allowHttp", async () => {
  const { listener, problems } = listenEcho({ allowHttp: true });
  await using _ = listener;
  await using connection = await connectStream({ port: listener.addr.port });
  await connection.write(bytes("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(text(await connection.read()), "GET / HTTP/1.1\r\n\r\n");
  assertEquals([listener.stats.refusedAsHttp, problems], [0, []]);
});

const { ignore, note } = needs("openssl");
Deno.test(`listenStream() refuses a request over TLS, and TLS without it${note}`, {
  ignore,
}, async () => {
  await using tls = await makeCertificate();
  const secure = listenEcho({ tls });
  const plain = listenEcho();
  await using _ = secure.listener;
  await using __ = plain.listener;
  await using browser = await connectStream({ port: secure.listener.addr.port, ca: tls.cert });
  await browser.write(bytes("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(await browser.read(), null);
  assertEquals([secure.listener.stats.refusedAsHttp, secure.read], [1, []]);

  await using openssl = startPeer("openssl", [
    ...["s_client", "-connect", `127.0.0.1:${plain.listener.addr.port}`, "-quiet"],
  ]);
  await openssl.result();
  assertEquals([plain.listener.stats.refusedAsTls, plain.read], [1, []]);
  assertEquals(plain.problems.map(({ kind }) => kind), ["tls"]);
});
