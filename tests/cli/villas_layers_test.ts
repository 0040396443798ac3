/** What carries the messages of villas-echo and villas-signal, with peers that were not written here. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startPython } from "../interop/peer.ts";
import { freePort } from "../net/free_port.ts";
import { labwire, startServer } from "./run.ts";

Deno.test("villas-echo --layer tcp-server answers lines of Python, and says who comes and goes", async () => {
  await using echo = startServer([
    ...["villas-echo", "--layer", "tcp-server", "--listen", "127.0.0.1:0"],
    ...["--format", "villas.human", "--output", "villas.human"],
  ]);
  const [, port] = await echo.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\nReady/);
  await using python = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"1795198430.000000005(1)\\t0.25000000000000000\\n1795198430.5(2)")
s.sendall(b"\\t0.50000000000000000\\n")
s.shutdown(socket.SHUT_WR)
print(b"".join(iter(lambda: s.recv(99), b"")).decode(), end="")
`,
    port!,
  );
  assertEquals(
    (await python.result()).stdout,
    "1795198430.000000005(1)\t0.25000000000000000\n1795198430.5(2)\t0.50000000000000000\n",
  );
  await echo.until(
    "stderr",
    /Connected with 127\.0\.0\.1:\d+\nDisconnected from 127\.0\.0\.1:\d+\n/,
  );
  assertEquals(echo.stdout.split("\n").length, 3);
  if (Deno.build.os === "windows") return;
  echo.interrupt();
  const { code, stderr } = await echo.result();
  assertEquals(code, 0);
  assertMatch(stderr, /\n2 messages, 2 samples, /);
});

Deno.test("villas-echo --layer tcp-client connects again, as VILLASnode comes and goes", async () => {
  const port = freePort();
  await using echo = startServer([
    ...["villas-echo", "--layer", "tcp-client", "--remote", `127.0.0.1:${port}`],
    ...["--format", "villas.human", "--output", "none"],
  ]);
  await echo.until(
    "stderr",
    /Connecting to 127\.0\.0\.1:\d+\n[^]*connection refused; trying again/,
  );
  await using python = startPython(
    `
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
for n in range(2):
    s, _ = listener.accept()
    s.sendall(b"1.5(%d)\\t1.0\\n" % n)
    print(s.recv(99).decode(), end="")
    s.close()
`,
    port,
  );
  assertEquals((await python.result()).stdout, "1.5(0)\t1.0\n1.5(1)\t1.0\n");
  await echo.until("stderr", /Disconnected from [\d.:]+; connecting again\n/);
});

Deno.test("villas-signal --layer tcp-server waits for its client, and checks what comes back", async () => {
  await using signal = startServer([
    ...["villas-signal", "counter", "--layer", "tcp-server", "--listen", "127.0.0.1:0"],
    ...["--limit", "20", "--rate", "500", "--check", "--output", "none", "--wait", "10"],
  ]);
  const [, port] = await signal.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\n/);
  await using python = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while chunk := s.recv(99): s.sendall(chunk)
`,
    port!,
  );
  const { code, stderr } = await signal.result();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "20 sent, 20 returned, 0 lost, 0 changed");
  await python.result();
});

Deno.test("a tcp-server that everybody can reach is warned of, and --allow closes it", async () => {
  const args = ["villas-echo", "--layer", "tcp-server", "--listen", "0.0.0.0:0"];
  const open = await labwire([...args, "--duration", "0.05"]);
  assertStringIncludes(open.stderr, "Everybody who can reach 0.0.0.0 can connect: restrict");
  await using closed = startServer([...args, "--allow", "192.0.2.0/24"]);
  const [, port] = await closed.until("stderr", /Listening on 0\.0\.0\.0:(\d+)\n/);
  await using python = startPython(
    `
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(s.recv(9))
`,
    port!,
  );
  assertEquals((await python.result()).stdout, "b''\n");
  await closed.until("stderr", /Refused 127\.0\.0\.1:\d+: not in the allow list/);
  assertEquals(/Everybody/.test(closed.stderr), false);
});

Deno.test("villas-signal sends to a group, and villas-echo in it answers", async (test) => {
  const GROUP = "239.255.77.3";
  const probe = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  const hasWay = await probe.joinMulticastV4(GROUP, "0.0.0.0").then(() => true, () => false);
  probe.close();
  await test.step({
    name: hasWay ? "on this computer, with --multicast-loop" : "ignored: no way to a group",
    ignore: !hasWay,
    async fn() {
      const [echoPort, signalPort] = [freePort("udp"), freePort("udp")];
      await using echo = startServer([
        ...["villas-echo", "--listen", `:${echoPort}`, "--multicast", GROUP, "--output", "none"],
        ...["--any-source", "--reply-to", "sender"],
      ]);
      await echo.until("stderr", /in group 239\.255\.77\.3\nReady/);
      const { code, stderr } = await labwire([
        ...["villas-signal", "counter", "--to", `${GROUP}:${echoPort}`],
        ...["--listen", `:${signalPort}`, "--multicast", GROUP, "--multicast-loop"],
        ...["--multicast-ttl", "0", "--limit", "5", "--rate", "100", "--check"],
        ...["--output", "none", "--wait", "5"],
      ]);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "5 sent, 5 returned, 0 lost, 0 changed");
    },
  });
});
