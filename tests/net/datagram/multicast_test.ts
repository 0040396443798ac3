import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { checkMulticast } from "../../../lib/net/datagram/multicast.ts";
import { bindDatagram, isMulticast, UsageError } from "../../../mod.ts";
import { startPython } from "../../interop/peer.ts";

/** Whether this computer has a way to a group, which one without a network has not. */
const HAS_WAY = await canJoin();

async function canJoin(): Promise<boolean> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  try {
    await socket.joinMulticastV4("239.255.77.1", "0.0.0.0");
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

const GROUP = "239.255.77.2";
const note = HAS_WAY ? "" : " (ignored: no network interface for multicast)";

for (
  const [address, expected] of [
    ["224.0.0.0", true],
    ["239.255.255.255", true],
    ["223.255.255.255", false],
    ["240.0.0.0", false],
    ["ff02::1", true],
    ["fe80::1", false],
    ["localhost", false],
  ] as const
) {
  Deno.test(`isMulticast(${address}) is ${expected}`, () => {
    assertEquals(isMulticast(address), expected);
  });
}

Deno.test({
  name: `sockets receive what Python sends to their group${note}`,
  ignore: !HAS_WAY,
  async fn() {
    const multicast = { group: GROUP };
    await using first = await bindDatagram({ listen: { hostname: "0.0.0.0", port: 0 }, multicast });
    await using second = await bindDatagram({ listen: first.addr, multicast });
    await using sender = startPython(
      `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
s.sendto(b"group", (sys.argv[1], int(sys.argv[2])))
`,
      GROUP,
      (first.addr as Deno.NetAddr).port,
    );
    for (const socket of [first, second]) {
      assertEquals(new TextDecoder().decode((await socket.receive())!.bytes), "group");
    }
    await sender.result();
  },
});

Deno.test({
  name: `a group hears its own computer only with loop, and both may have the same port${note}`,
  ignore: !HAS_WAY,
  async fn() {
    await using listener = startPython(
      `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(sys.argv[1]) + bytes(4))
print(s.getsockname()[1])
print(s.recv(99).decode())
`,
      GROUP,
    );
    const port = Number((await listener.until("stdout", /(\d+)\n/))[1]);
    const bytes = (text: string) => new TextEncoder().encode(text);
    const to = { hostname: GROUP, port };
    const listen = { hostname: "0.0.0.0", port: 0 };
    await using silent = await bindDatagram({ listen, multicast: { group: GROUP } });
    await silent.send(bytes("not looped"), to);
    await using loud = await bindDatagram({
      listen: silent.addr,
      multicast: { group: GROUP, loop: true, ttl: 0 },
    });
    await loud.send(bytes("looped"), to);
    assertEquals((await listener.result()).stdout, `${port}\nlooped\n`);
  },
});

Deno.test({
  name: `the interface of a group is found by its name and by its address${note}`,
  ignore: !HAS_WAY,
  async fn() {
    const own = Deno.networkInterfaces().find(({ family, address }) =>
      family === "IPv4" && address !== "127.0.0.1"
    )!;
    for (const name of [own.name, own.address]) {
      await using _socket = await bindDatagram({
        listen: { hostname: "0.0.0.0", port: 0 },
        multicast: { group: GROUP, interface: name },
      });
    }
  },
});

for (
  const [what, multicast, message] of [
    ["no group", { group: "192.168.0.1" }, 'Cannot join "192.168.0.1": expected a multicast group'],
    ["no TTL", { group: GROUP, ttl: 256 }, "Cannot send multicast with TTL 256"],
    ["no interface", { group: GROUP, interface: "nix0" }, 'on interface "nix0": expected an IPv4'],
    ["IPv6 on an IPv4 socket", { group: "ff02::123" }, "Cannot join multicast group"],
  ] as const
) {
  Deno.test(`a socket does not join ${what}`, async () => {
    const listen = { hostname: "0.0.0.0", port: 0 };
    await assertRejects(() => bindDatagram({ listen, multicast }), UsageError, message);
  });
}

Deno.test("a unix socket does not join a group", async () => {
  await assertRejects(
    () => bindDatagram({ listen: { path: "nowhere.sock" }, multicast: { group: GROUP } }),
    UsageError,
    `Cannot join multicast group "${GROUP}" with a unix socket: use UDP`,
  );
});

const LINUX = Deno.build.os === "linux";

Deno.test({
  name: "what is sent to a group leaves by its interface, on Linux",
  ignore: !LINUX,
  async fn() {
    await using listener = startPython(
      `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(sys.argv[1]) + socket.inet_aton("127.0.0.1"))
print(s.getsockname()[1])
data, sender = s.recvfrom(99)
print(data.decode(), sender[0])
`,
      GROUP,
    );
    const port = Number((await listener.until("stdout", /(\d+)\n/))[1]);
    await using socket = await bindDatagram({
      listen: { hostname: "0.0.0.0", port: 0 },
      multicast: { group: GROUP, interface: "127.0.0.1", loop: true },
    });
    await socket.send(new TextEncoder().encode("here"), { hostname: GROUP, port });
    assertEquals((await listener.result()).stdout, `${port}\nhere 127.0.0.1\n`);
  },
});

const HAS_IPV6 = LINUX &&
  Deno.networkInterfaces().some(({ name, address }) => name === "lo" && address === "::1");

/** What the system knows of an option of the sockets of IPv6 that this process has. */
function optionsOfSockets(option: number): number[] {
  const library = Deno.dlopen("libc.so.6", {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  });
  const [value, length] = [new Int32Array(1), new Uint32Array(1)];
  const values: number[] = [];
  for (let fd = 3; fd < 256; fd++) {
    length[0] = 4;
    if (library.symbols.getsockopt(fd, 41, option, value, length) === 0) values.push(value[0]!);
  }
  library.close();
  return values;
}

Deno.test({
  name:
    "datagrams to an IPv6 group leave by its interface, and may pass as many routers as is said, on Linux",
  ignore: !HAS_IPV6,
  async fn() {
    const [HOPS, INTERFACE] = [18, 17];
    for (const [ttl, hops] of [[undefined, 255], [77, 77]] as const) {
      await using _socket = await bindDatagram({
        listen: { hostname: "::", port: 0 },
        multicast: { group: "ff02::1234", interface: "1", ttl }, // the loopback is always number 1
      });
      assert(optionsOfSockets(HOPS).includes(hops));
      assert(optionsOfSockets(INTERFACE).includes(1));
    }
  },
});

Deno.test({
  name: "each of several sockets in one group has its own way to it, on Linux",
  ignore: !HAS_IPV6,
  async fn() {
    const [HOPS, INTERFACE] = [18, 17];
    const bind = (port: number, ttl: number) =>
      bindDatagram({
        listen: { hostname: "::", port },
        multicast: { group: "ff02::1234", interface: "1", ttl },
      });
    await using first = await bind(0, 61);
    const { port } = first.addr as Deno.NetAddr;
    const others = await Promise.all([62, 63, 64].map((ttl) => bind(port, ttl)));
    const hops = optionsOfSockets(HOPS).filter((ttl) => ttl > 60 && ttl < 65);
    const ways = optionsOfSockets(INTERFACE).filter((index) => index === 1);
    for (const socket of others) await socket.close();
    assertEquals(hops.toSorted(), [61, 62, 63, 64]);
    assert(ways.length >= 4, `${ways.length} of 4`);
  },
});

Deno.test("the number of routers of an IPv6 group, or the interface, is refused where it cannot be set", () => {
  checkMulticast({ group: "ff02::1234", ttl: 3 }, undefined);
  assertThrows(
    () => checkMulticast({ group: "ff02::1234", ttl: 3 }, "only Linux has the system calls for it"),
    UsageError,
    'IPv6 group "ff02::1234" may pass: only Linux has the system calls for it; leave it out',
  );
  checkMulticast({ group: GROUP, interface: "lo" }, "it is not there");
  assertThrows(
    () => checkMulticast({ group: GROUP, interface: "lo" }, undefined, "it is not there"),
    UsageError,
    `Cannot send to multicast group "${GROUP}" by interface "lo": it is not there; leave it out`,
  );
});
