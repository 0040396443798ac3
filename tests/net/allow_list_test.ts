import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { UsageError } from "../../lib/errors.ts";
import { parseCidrList } from "../../lib/net/allow_list.ts";
import { PYTHON, pythonLines } from "../interop/python.ts";

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
