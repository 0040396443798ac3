import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectError, UsageError } from "../../../lib/errors.ts";
import {
  type Endpoint,
  formatAddress,
  isIPv4,
  isIPv6,
  parseAddress,
  parseEndpoint,
  parseHost,
  resolveHost,
  unmapped,
} from "../../../lib/net/address/address.ts";
import { parseCidrList } from "../../../lib/net/address/allow_list.ts";

Deno.test("parseAddress() reads every form of an address", () => {
  const forms: [string, string, number][] = [
    ["127.0.0.1:12000", "127.0.0.1", 12000],
    [":12000", "0.0.0.0", 12000],
    ["12000", "0.0.0.0", 12000],
    ["*:0", "0.0.0.0", 0],
    ["[::1]:65535", "::1", 65535],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
    ["localhost:1", "localhost", 1],
    ["lab-pc_3.example.org:12000", "lab-pc_3.example.org", 12000],
  ];
  for (const [text, hostname, port] of forms) assertEquals(parseAddress(text), { hostname, port });
  assertEquals(parseAddress(":1", { host: "127.0.0.1" }).hostname, "127.0.0.1");
});

Deno.test("parseAddress() takes each part that is missing from the defaults", () => {
  const forms: [string, string, number][] = [
    ["192.168.0.10", "192.168.0.10", 12000],
    ["lab-pc", "lab-pc", 12000],
    ["3com.example.org", "3com.example.org", 12000],
    ["localhost", "localhost", 12000],
    ["*", "0.0.0.0", 12000],
    [":7", "127.0.0.1", 7],
    ["7", "127.0.0.1", 7],
    ["0", "127.0.0.1", 0],
    ["::1", "::1", 12000],
    ["::", "::", 12000],
    ["fd00::1:1200", "fd00::1:1200", 12000],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1", 12000],
    ["fe80::1%eth0", "fe80::1%eth0", 12000],
    ["[::1]", "::1", 12000],
    ["[fe80::1%eth0]", "fe80::1%eth0", 12000],
    ["[::1]:7", "::1", 7],
    ["lab-pc:7", "lab-pc", 7],
  ];
  const defaults = { host: "127.0.0.1", port: 12000 };
  for (const [text, hostname, port] of forms) {
    assertEquals(parseAddress(text, defaults), { hostname, port });
    assertEquals(parseEndpoint(text, defaults), { hostname, port });
  }
  for (
    const text of [
      "",
      "12001x",
      "123456",
      "70000",
      "a b",
      "a:",
      ":",
      "[]",
      "[a]",
      "::1:12000",
      "fe80::1%a:1",
      "1.2",
    ]
  ) {
    assertThrows(
      () => parseAddress(text, defaults),
      UsageError,
      `Cannot parse address "${text}": expected`,
    );
  }
  assertThrows(
    () => parseAddress("12001x", defaults),
    UsageError,
    'expected "HOST:PORT", "HOST", ":PORT" or "[IPV6]:PORT"',
  );
});

Deno.test("parseHost() takes hosts in every form, and no ports", () => {
  const forms = [
    ["lab-pc", "lab-pc"],
    ["192.168.0.10", "192.168.0.10"],
    ["::1", "::1"],
    ["[::1]", "::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["*", "0.0.0.0"],
    ["labor-müller", "labor-müller"],
  ] as const;
  for (const [text, host] of forms) assertEquals(parseHost(text), host);
  for (const text of ["lab-pc:80", "[::1]:80", "192.168.0.10:80"]) {
    assertThrows(() => parseHost(text), UsageError, "expected a host without a port");
  }
  for (const text of ["", "a b", "http://a", "a/b", "[x]", "::g", "a:b"]) {
    assertThrows(() => parseHost(text), UsageError, "expected a host");
  }
});

Deno.test("parseAddress() rejects everything else, showing the text and the form wanted", () => {
  const wrong = [
    "",
    "123456",
    "12001x",
    "host",
    "host:",
    "host:port",
    "host:-1",
    "host:1.5",
    "host:65536",
    "host:999999",
    "::1:12000",
    "[::1]",
    "[host]:1",
    "[::g]:1",
    "[]:1",
    "ho st:1",
    "-host:1",
    "1.2.3.256:1",
    "1.2.3:1",
    "http://host:1",
    "host:1\n",
    "host:１２",
  ];
  for (const text of wrong) {
    const error = assertThrows(
      () => parseAddress(text),
      UsageError,
      `Cannot parse address "${text}": expected`,
    );
    assert(!error.message.endsWith("."));
  }
});

Deno.test("parseEndpoint() tells paths from network addresses", () => {
  assertEquals(parseEndpoint("/run/x.sock"), { path: "/run/x.sock" });
  assertEquals(parseEndpoint("unix:x.sock"), { path: "x.sock" });
  assertEquals(parseEndpoint("a:1"), { hostname: "a", port: 1 });
});

Deno.test("formatAddress() writes what parseEndpoint() reads", () => {
  const endpoints: Endpoint[] = [{ hostname: "::1", port: 1 }, { hostname: "a", port: 2 }, {
    path: "/x",
  }];
  for (const endpoint of endpoints) assertEquals(parseEndpoint(formatAddress(endpoint)), endpoint);
});

Deno.test("an IPv4 address with zeros before its numbers is refused: some read them as octal", () => {
  for (const text of ["192.168.000.010", "010.0.0.1", "127.0.0.01"]) {
    assert(!isIPv4(text), text);
    assertThrows(() => parseHost(text), UsageError, "without zeros before its numbers");
    assertThrows(() => parseAddress(`${text}:7`), UsageError, "without zeros before its numbers");
    assertThrows(() => parseCidrList(text), UsageError, `Cannot parse network "${text}"`);
  }
});

Deno.test("isIPv4() and isIPv6() know addresses", () => {
  assert(isIPv4("0.0.0.0") && isIPv4("255.255.255.255"));
  assert(!isIPv4("256.0.0.1") && !isIPv4("1.2.3") && !isIPv4("::1"));
  assert(isIPv6("::") && isIPv6("::ffff:1.2.3.4") && isIPv6("fe80::1%2"));
  assert(!isIPv6("1.2.3.4") && !isIPv6(":::") && !isIPv6("g::"));
  assertEquals(unmapped("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(unmapped("::1"), "::1");
});

Deno.test("resolveHost() knows the hosts file, and says when there is no such name", async () => {
  const found = await resolveHost("localhost");
  assert(found.includes("127.0.0.1") || found.includes("::1"));
  assertEquals(await resolveHost("192.0.2.1"), ["192.0.2.1"]);
  await assertRejects(
    () => resolveHost("nobody.invalid"),
    ConnectError,
    'Cannot resolve host "nobody.invalid"',
  );
});
