import { assert, assertEquals, assertFalse, assertRejects, assertThrows } from "@std/assert";
import { UsageError } from "../../../lib/errors.ts";
import { AllowList, parseCidrList } from "../../../lib/net/address/allow_list.ts";
import { connectStream } from "../../../lib/net/stream/connect.ts";
import { listenStream } from "../../../lib/net/stream/listener.ts";
import { listenDatagrams } from "../../../lib/socket/listen_datagrams.ts";
import { PYTHON, pythonLines } from "../../interop/python.ts";

Deno.test("parseCidrList() takes addresses and networks of both kinds", () => {
  const list = parseCidrList("127.0.0.1, 192.0.2.0/24,2001:db8::/33,::1");
  for (const address of ["127.0.0.1", "192.0.2.0", "192.0.2.255", "2001:db8::5", "::1"]) {
    assert(list.matches(address), address);
  }
  for (const address of ["127.0.0.2", "192.0.3.0", "2001:db8:8000::", "::2", "0.0.0.1", "name"]) {
    assertFalse(list.matches(address), address);
  }
});

Deno.test("AllowList.matches() takes an IPv4 address in IPv6 form for what it is", () => {
  assert(parseCidrList("127.0.0.0/8").matches("::ffff:127.0.0.1"));
  assertFalse(parseCidrList("::/0").matches("::ffff:127.0.0.1"));
});

Deno.test("parseCidrList() takes IPv4 networks in their IPv6 form for what they are", () => {
  const list = parseCidrList("::ffff:192.168.0.0/112, ::ffff:10.0.0.1, ::FFFF:a09:0/120");
  for (const address of ["192.168.7.1", "::ffff:192.168.0.9", "10.0.0.1", "10.9.0.200"]) {
    assert(list.matches(address), address);
  }
  for (const address of ["192.169.0.1", "10.0.0.2", "10.9.1.0", "::c0a8:1"]) {
    assertFalse(list.matches(address), address);
  }
  assert(parseCidrList("::ffff:0:0/96").matches("203.0.113.9"));
  assertFalse(parseCidrList("::ffff:0:0/95").matches("203.0.113.9"));
});

Deno.test("AllowList.matches() takes a link-local address with an interface at that one only", () => {
  const own = (name: string, scopeid: number, address: string) => ({ name, scopeid, address });
  const list = new AllowList(
    [
      { bytes: Uint8Array.of(0xfe, 0x80, ...Array(13).fill(0), 1), bits: 128, zone: "eth0" },
      { bytes: Uint8Array.of(0xfe, 0x80, ...Array(14).fill(0)), bits: 64, zone: "3" },
    ],
    () => [
      own("eth0", 2, "fe80::a"),
      own("eth1", 3, "fe80::b"),
      own("eth0.7", 4, "fe80::c"),
      own("eth0", 2, "fe80::c"),
      own("eth0", 2, "fd00::a"),
    ],
  );
  assert(list.hasZones);
  assert(list.matches("fe80::1", "fe80::a"));
  assert(list.matches("fe80::1", "fe80::b"));
  assert(list.matches("fe80::2", "fe80::b"));
  assert(list.matches("fe80::2", "fe80::b%eth1"));
  assert(list.matches("fe80::1", "fe80::c%eth0"));
  assert(list.matches("fe80::1", "fe80::c%2"));
  // At another interface, at one of two that have the address, or at one that cannot be told.
  for (const local of ["fe80::c", "fe80::c%4", "fe80::d", "fd00::a", "::", undefined]) {
    assertFalse(list.matches("fe80::1", local), local);
  }
  assertFalse(list.matches("fe80::2", "fe80::a"));
  assertFalse(parseCidrList("fe80::1").hasZones);
});

const linkLocal = Deno.networkInterfaces().find(({ address }) => /^fe80:/.test(address));
Deno.test({
  name: "listenStream() lets a link-local address in through the interface that is allowed only" +
    (linkLocal ? "" : " (needs an interface with a link-local address)"),
  ignore: !linkLocal,
  async fn() {
    const { name, scopeid, address } = linkLocal!;
    const ask = async (allow: string) => {
      await using listener = listenStream({
        host: "::",
        port: 0,
        allow: parseCidrList(allow),
        onConnection: async (connection) => void await connection.write(new Uint8Array(1)),
      });
      const { port } = listener.addr;
      await using client = await connectStream({ host: `${address}%${name}`, port });
      return await client.read() !== null;
    };
    assert(await ask(`${address}%${name}`));
    assert(await ask(`${address}%${scopeid}`));
    assert(await ask(`fe80::%${name}/10`));
    assert(await ask(address));
    assertFalse(await ask(`${address}%other`));
    assertFalse(await ask(`fe80::%99/10`));
  },
});

Deno.test("listenDatagrams() says that it cannot tell interfaces where it listens on all of them", async () => {
  await assertRejects(
    () => listenDatagrams({ host: "::", port: 0, allow: parseCidrList("fe80::1%eth0") }),
    UsageError,
    'Cannot tell through which interface datagrams come to "::": expected a link-local address',
  );
});

Deno.test("AllowList.matches() with 0 bits takes every address of the kind", () => {
  assert(parseCidrList("0.0.0.0/0").matches("203.0.113.9"));
  assert(parseCidrList("::/0").matches("fe80::1%eth0"));
  assertFalse(parseCidrList("0.0.0.0/0").matches("::1"));
});

Deno.test("parseCidrList() refuses what is no network", () => {
  const bad = [
    "localhost",
    "1.2.3",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/-1",
    "::1/129",
    "1.2.3.4/8/9",
    "2001:db8::1%eth0",
    "192.0.2.1%eth0",
  ];
  for (const text of [...bad, "", "1.2.3.4,"]) {
    assertThrows(() => parseCidrList(text), UsageError, "Cannot parse network");
  }
  assertThrows(() => parseCidrList([]), UsageError, "Cannot parse allow list");
});

Deno.test(`AllowList.matches() agrees with ${PYTHON}'s ipaddress`, async () => {
  const hex = (n: number) => Math.floor(Math.random() * n);
  const cases = Array.from({ length: 400 }, (_, i) => {
    // Addresses that have much in common, so that both answers occur.
    const make = () =>
      i % 2
        ? `10.${hex(2)}.${hex(4) * 64}.${hex(256)}`
        : `2001:db8:${hex(2)}::${hex(4).toString(16)}:${hex(9)}`;
    return `${make()}/${hex(i % 2 ? 33 : 129)} ${make()}`;
  });
  const script = `
import sys, ipaddress
for line in sys.stdin:
    network, address = line.split()
    print(ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False))`;
  const expected = await pythonLines(["-c", script], cases);
  const found = cases.map((text) => {
    const [network, address] = text.split(" ");
    return parseCidrList(network!).matches(address!) ? "True" : "False";
  });
  assertEquals(found, expected);
});
