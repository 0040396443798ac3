import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConnectError, UsageError } from "../../lib/errors.ts";
import {
  type Endpoint,
  formatAddress,
  isIPv4,
  isIPv6,
  parseAddress,
  parseEndpoint,
  resolveHost,
  unmapped,
} from "../../lib/net/address.ts";

Deno.test("parseAddress() reads every form of an address", () => {
  const forms: [string, string, number][] = [
    ["127.0.0.1:12000", "127.0.0.1", 12000],
    [":12000", "0.0.0.0", 12000],
    ["*:0", "0.0.0.0", 0],
    ["[::1]:65535", "::1", 65535],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
    ["localhost:1", "localhost", 1],
    ["lab-pc_3.example.org:12000", "lab-pc_3.example.org", 12000],
  ];
  for (const [text, hostname, port] of forms) assertEquals(parseAddress(text), { hostname, port });
  assertEquals(parseAddress(":1", { host: "127.0.0.1" }).hostname, "127.0.0.1");
});

Deno.test("parseAddress() rejects everything else, showing the text and the form wanted", () => {
  const wrong = [
    "",
    "12001",
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
