/** Web pages in a real browser, and the servers that they try to command. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { browser, inBrowser } from "../interop/browser.ts";
import { makeCertificate } from "../interop/certificate.ts";
import { needs } from "../interop/peer.ts";
import { type Child, type Result, start } from "../cli/run.ts";

/** What a page can send to ports without being asked, with a command in its body, or in its path; returns what the page saw of it. */
const ATTACK = `
  const settled = (promise) => promise.then(() => "answered", () => "failed");
  const attack = async (url) => {
    const post = { method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" } };
    const command = '{"command_id": "fire"}\\n';
    const seen = [
      await settled(fetch(url, { ...post, body: command })),
      await settled(fetch(url + "A".repeat(300000), { ...post, body: command })),
      await settled(fetch(url + "?" + encodeURIComponent(command), { mode: "no-cors" })),
      await settled(fetch(url, { method: "PUT", body: command })),
      await settled(new Promise((resolve, reject) => {
        const socket = new WebSocket(url.replace("http", "ws"));
        socket.onopen = () => resolve(socket.send(command));
        socket.onerror = reject;
      })),
    ];
    const beacon = new Promise((resolve) => {
      const isOurs = (entry) => entry.initiatorType === "beacon" && entry.name === url;
      new PerformanceObserver((list) => list.getEntries().some(isOurs) && resolve())
        .observe({ type: "resource" });
    });
    navigator.sendBeacon(url, command);
    await beacon;
    const form = document.createElement("form");
    const frame = document.createElement("iframe");
    const field = document.createElement("textarea");
    frame.name = url;
    Object.assign(form, { method: "post", action: url, enctype: "text/plain", target: url });
    Object.assign(field, { name: "\\n" + command, value: "x" });
    form.append(field);
    document.body.append(frame, form);
    await new Promise((resolve) => {
      frame.onload = resolve;
      form.submit();
    });
    return seen;
  };
  return await Promise.all(values.urls.map(attack));
`;

/**
 * How many requests that is to each server at least; the PUT is asked for by OPTIONS, which is the one that is sent. The browser tries some
 * of them twice.
 */
const REQUESTS = 7;

/** The servers, each with something that a page must not bring about. */
const SERVERS = [
  ["json-server", "--output", "json"],
  ["struct-line", "server", "--format", "4s", "--output", "json"],
  ["socket-server", "--reply-else", "OK"],
];

/** Starts the servers and returns their addresses, and what ends them. */
async function serve(scheme: "http" | "https", more: readonly string[] = []) {
  const programs: Child[] = SERVERS.map((command) =>
    start([...command, "--host", "127.0.0.1", "--port", "0", ...more])
  );
  const urls = await Promise.all(programs.map(async (program) => {
    const [, port] = await program.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready/);
    return `${scheme}://127.0.0.1:${port}/`;
  }));
  return {
    programs,
    urls,
    stop: (): Promise<Result[]> =>
      Promise.all(programs.map((program) => {
        program.interrupt();
        return program.result();
      })),
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()));
    },
  };
}

/** Lets a page loose on the servers, and returns what they printed in the end. */
async function attack(scheme: "http" | "https", more: readonly string[] = []): Promise<Result[]> {
  await using servers = await serve(scheme, more);
  await inBrowser(ATTACK, { urls: servers.urls });
  return await servers.stop();
}

/** How many requests a server says that it has refused. */
function refusedRequests(stderr: string): number {
  return Number(/\b(\d+) HTTP requests refused\n/.exec(stderr)?.[1]);
}

const { ignore, note } = browser;

Deno.test(`a web page commands no server${note}`, { ignore }, async () => {
  for (const { code, stdout, stderr } of await attack("http")) {
    assertEquals([code, stdout], [0, ""], stderr);
    assert(refusedRequests(stderr) >= REQUESTS, stderr);
    const told = stderr.match(/warning: Refused an HTTP request from 127\.0\.0\.1:\d+: .*\n/g);
    assertEquals(told?.length, 1);
    assertMatch(told![0], /: a web page may have sent it; .*; --allow-http lets them in\n/);
  }
});

const tlsNeeds = needs("openssl");
Deno.test(
  `nor over TLS${note}${tlsNeeds.note}`,
  { ignore: ignore || tlsNeeds.ignore },
  async () => {
    await using tls = await makeCertificate();
    const options = ["--tls-cert", tls.certFile, "--tls-key", tls.keyFile];
    for (const { code, stdout, stderr } of await attack("https", options)) {
      assertEquals([code, stdout], [0, ""], stderr);
      assert(refusedRequests(stderr) >= REQUESTS, stderr);
    }
  },
);

Deno.test(`nor by trying TLS where there is none${note}`, { ignore }, async () => {
  for (const { code, stdout, stderr } of await attack("https")) {
    assertEquals([code, stdout], [0, ""], stderr);
    assertMatch(
      stderr,
      /warning: Refused TLS from 127\.0\.0\.1:\d+: this server does not use TLS/,
    );
    assertMatch(stderr, /\b\d+ refused\n/);
  }
});

/** Names an address as TURN server and as the peer's, for which WebRTC sends STUN requests, plain and with their length before them. */
const WEBRTC = `
  await Promise.all(values.urls.map(async (url) => {
    const { port } = new URL(url);
    const urls = "turn:127.0.0.1:" + port + "?transport=tcp";
    const here = new RTCPeerConnection({ iceServers: [{ urls, username: "u", credential: "p" }] });
    here.createDataChannel("x");
    const offer = await here.createOffer();
    await here.setLocalDescription(offer);
    const there = new RTCPeerConnection();
    await there.setRemoteDescription(offer);
    await here.setRemoteDescription(await there.createAnswer());
    const candidate = "candidate:1 1 tcp 1518280447 127.0.0.1 " + port + " typ host tcptype passive";
    await here.addIceCandidate({ candidate, sdpMLineIndex: 0 });
  }));
`;

Deno.test(`nor through WebRTC${note}`, { ignore }, async () => {
  await using servers = await serve("http");
  await inBrowser(WEBRTC, { urls: servers.urls }, async () => {
    await Promise.all(
      servers.programs.map((program) =>
        program.until("stderr", /Refused a STUN request .*; --allow-http lets them in\n/)
      ),
    );
    // The second way begins when the first has been refused or not.
    await new Promise((resolve) => setTimeout(resolve, 3000));
  });
  for (const { code, stdout, stderr } of await servers.stop()) {
    assertEquals([code, stdout], [0, ""], stderr);
    assert(Number(/\b(\d+) refused\n/.exec(stderr)?.[1]) >= 2, stderr);
  }
});

Deno.test(`with --allow-http it does${note}`, { ignore }, async () => {
  await using servers = await serve("http", ["--allow-http"]);
  const send =
    `for (const url of values.urls) navigator.sendBeacon(url, '{"command_id": "fire"}\\n')`;
  await inBrowser(send, { urls: servers.urls }, () =>
    Promise.all([
      servers.programs[0]!.until("stdout", /"data":\{"command_id":"fire"\}/),
      servers.programs[1]!.until("stdout", /^\["POST"\]\n/),
      servers.programs[2]!.until("stdout", /POST \/ HTTP\/1\.1/),
    ]));
  for (const { code } of await servers.stop()) assertEquals(code, 0);
});
