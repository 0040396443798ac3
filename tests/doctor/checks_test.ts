import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkAddresses } from "../../lib/doctor/check_addresses.ts";
import { checkFirewall } from "../../lib/doctor/check_firewall.ts";
import {
  checkLargestDatagram,
  checkTcp,
  checkUdp,
  tryUdp,
} from "../../lib/doctor/check_loopback.ts";
import { checkPermissions } from "../../lib/doctor/check_permissions.ts";
import { isLoopbackDown } from "../../lib/doctor/loopback_state.ts";
import { batchObstacle } from "../../lib/net/datagram/libc.ts";
import { failure } from "../../lib/doctor/refusal.ts";
import { type System, thisSystem } from "../../lib/doctor/system.ts";
import { checkReceiveBuffer, measureReceiveBuffer } from "../../lib/doctor/check_receive_buffer.ts";

const lo = { name: "lo", address: "127.0.0.1" };

Deno.test("checkAddresses() lists what others can reach", () => {
  const found = checkAddresses([
    lo,
    { name: "lo", address: "::1" },
    { name: "eth0", address: "192.168.1.5" },
    { name: "eth0", address: "fe80::1" },
    { name: "eth0", address: "2001:db8::5" },
  ]);
  assertEquals(found.status, "ok");
  assertEquals(found.message, "192.168.1.5 (eth0), 2001:db8::5 (eth0)");
});

Deno.test("checkAddresses() tells no address from one that nobody gave", () => {
  const none = checkAddresses([lo, { name: "eth0", address: "fe80::1" }]);
  assertEquals(none.status, "problem");
  assertMatch(none.message, /no address/);
  const own = checkAddresses([lo, { name: "eth0", address: "169.254.10.20" }]);
  assertEquals(own.status, "problem");
  assertMatch(own.message, /eth0 chose 169\.254\.10\.20 itself/);
  assert(own.remedy);
});

Deno.test("checkPermissions() names the flags that are missing", () => {
  const all =
    "granted: net, read, write, run, ffi, env=NO_COLOR,PATH,PATHEXT,VIRTUAL_ENV, sys=networkInterfaces";
  const isNamed = (descriptor: Deno.PermissionDescriptor) =>
    descriptor.name !== "env" || descriptor.variable !== undefined;
  for (
    const [isGranted, message] of [
      [isNamed, all],
      [() => true, `${all}, and more than labwire needs`],
      [
        (descriptor: Deno.PermissionDescriptor) => isNamed(descriptor) && descriptor.name !== "ffi",
        `${all.replace(" ffi,", "")}; without --allow-ffi UDP takes one datagram at a time`,
      ],
    ] as const
  ) {
    const expected = { check: "permissions", status: "ok", message } as const;
    assertEquals(checkPermissions(isGranted, true), expected);
  }
  const missing = checkPermissions(({ name }) => name !== "env" && name !== "run", false);
  assertEquals(missing.status, "problem");
  assertEquals(
    missing.message,
    "not granted: --allow-run --allow-env=NO_COLOR,PATH,PATHEXT,VIRTUAL_ENV --unstable-net",
  );
});

/** What Deno throws where a local firewall forbids sending, and where there is no way. */
const forbidden = Object.assign(
  new Deno.errors.PermissionDenied("Operation not permitted (os error 1)"),
  { code: "EPERM" },
);
const unreachable = Object.assign(
  new Deno.errors.NetworkUnreachable("Network is unreachable (os error 101)"),
  { code: "ENETUNREACH" },
);

Deno.test("tryUdp() sends datagrams to and fro on IPv4", async () => {
  const found = checkUdp("127.0.0.1", await tryUdp("127.0.0.1"));
  assertEquals([found.check, found.status], ["UDP 127.0.0.1", "ok"]);
  assertMatch(found.message, /^10 of 10 came back, in \d+ µs$/);
});

Deno.test("tryUdp() notices datagrams that are swallowed", async () => {
  let sent = 0;
  const trial = await tryUdp("127.0.0.1", {
    send: (from, bytes, to) => ++sent <= 4 ? from.send(bytes, to) : Promise.resolve(0),
  });
  const found = checkUdp("127.0.0.1", trial);
  assertEquals(found.status, "problem");
  assertMatch(found.message, /^only 2 of 10 /);
  assertMatch(found.remedy!, /firewall/);
});

Deno.test("tryUdp() tells what the system refuses, on the way there and on the way back", async () => {
  for (const refusedFrom of [1, 2]) {
    let sent = 0;
    const trial = await tryUdp("127.0.0.1", {
      send: (from, bytes, to) =>
        ++sent < refusedFrom ? from.send(bytes, to) : Promise.reject(forbidden),
    });
    assertEquals(trial.arrived, 0);
    const found = checkUdp("127.0.0.1", trial, "linux");
    assertEquals(found.status, "problem");
    assertEquals(
      found.message,
      "the system refuses to send to 127.0.0.1: Operation not permitted (os error 1)",
    );
    assertMatch(found.remedy!, /firewall .* on this computer forbids sending.* iptables-save"/);
  }
});

Deno.test("checkUdp() names the loopback interface that is down, and how to switch it on", () => {
  const trial = { arrived: 0, fastest: Infinity, refused: unreachable };
  const found = checkUdp("127.0.0.1", trial, "linux", true);
  assertMatch(found.message, /^the loopback interface is down/);
  assertEquals(found.remedy, "sudo ip link set lo up");
  assertMatch(checkUdp("192.0.2.1", trial, "linux").remedy!, /no way to this address/);
});

Deno.test("isLoopbackDown() believes a refusal, else asks the system", async () => {
  const ip = (flags: string) =>
    fakeSystem("linux", { "ip link show lo": `1: lo: <${flags}> mtu 65536 qdisc noqueue` });
  assertEquals(await isLoopbackDown(ip("LOOPBACK,UP,LOWER_UP"), undefined), false);
  assertEquals(await isLoopbackDown(ip("LOOPBACK"), undefined), true);
  assertEquals(await isLoopbackDown(ip("LOOPBACK,UP"), unreachable), true);
  assertEquals(await isLoopbackDown(ip("LOOPBACK,UP"), forbidden), false);
  assertEquals(await isLoopbackDown(fakeSystem("linux", {}), undefined), false);
  const mac = { "ifconfig lo0": "lo0: flags=8049<UP,LOOPBACK,RUNNING> mtu 16384" };
  assertEquals(await isLoopbackDown(fakeSystem("darwin", mac), undefined), false);
});

Deno.test("failure() makes a finding of anything that a check throws", () => {
  const { status, message, remedy } = failure("ports", new TypeError("x is no y"), "linux");
  assertEquals([status, message], ["problem", "this could not be checked: x is no y"]);
  assert(remedy);
});

Deno.test("checkTcp() connects, and reports why it cannot", async () => {
  const found = await checkTcp("127.0.0.1");
  assertEquals([found.check, found.status], ["TCP 127.0.0.1", "ok"]);
  const nowhere = await checkTcp("192.0.2.77"); // of no computer
  assertEquals(nowhere.status, "problem");
  assertMatch(nowhere.message, /192\.0\.2\.77/);
});

Deno.test("checkLargestDatagram() sends 65,507 bytes", async () => {
  const found = await checkLargestDatagram();
  assertEquals(found.status, Deno.build.os === "darwin" ? found.status : "ok", found.message);
});

Deno.test("measureReceiveBuffer() counts what the system keeps", async () => {
  assertEquals((await measureReceiveBuffer(16)).kept, 16);
  const { kept, granted } = await measureReceiveBuffer(4096);
  assertEquals(granted !== undefined, batchObstacle() === undefined);
  assert(kept >= 16 && kept <= 4096, String(kept));
});

Deno.test("checkReceiveBuffer() wants room for a tenth of a second", () => {
  assertEquals(checkReceiveBuffer({ kept: 100 }, 4096).status, "ok");
  assertMatch(checkReceiveBuffer({ kept: 4096 }, 4096).message, /^keeps at least 4096 /);
  const small = checkReceiveBuffer({ kept: 99 }, 4096, { os: "linux" });
  assertEquals(small.status, "problem");
  assertMatch(small.remedy!, /net\.core\.rmem_default/);
  assert(checkReceiveBuffer({ kept: 3 }, 4096, { os: "windows" }).remedy);
});

Deno.test("checkReceiveBuffer() tells what Linux granted, and how to have it grant more", () => {
  const [all, some] = [4194304, 212992].map((granted) =>
    checkReceiveBuffer({ kept: 277, granted }, 4096, { os: "linux" })
  );
  assertMatch(all!.message, /in the 4194304 bytes that were asked for$/);
  assertMatch(some!.message, /grants 212992 of 4194304 bytes; .*net\.core\.rmem_max=4194304" lets/);
  const small = checkReceiveBuffer({ kept: 9, granted: 2304 }, 4096, { os: "linux" });
  assertEquals([small.status, small.remedy], [
    "problem",
    "sudo sysctl -w net.core.rmem_max=4194304",
  ]);
});

/** A computer whose programs answer with these texts. */
function fakeSystem(os: typeof Deno.build.os, answers: Record<string, string>): System {
  return {
    ...thisSystem,
    os,
    run: (program: string, args: readonly string[]) =>
      Promise.resolve(answers[[program, ...args].join(" ")]),
  };
}

const ports = [
  { transport: "udp", hostname: "0.0.0.0", port: 12000, commands: ["villas-signal"] },
  { transport: "udp", hostname: "0.0.0.0", port: 12001, commands: ["villas-echo"] },
  { transport: "tcp", hostname: "0.0.0.0", port: 65432, commands: ["json-server"] },
] as const;

Deno.test("checkFirewall() says how to open the ports in the firewall that is on", async () => {
  const ufw = await checkFirewall(
    ports,
    fakeSystem("linux", {
      "systemctl is-active firewalld": "inactive\n",
      "systemctl is-active ufw": "active\n",
    }),
  );
  assertEquals(ufw.status, "note");
  assertEquals(
    ufw.remedy,
    "sudo ufw allow proto udp to any port 12000,12001; sudo ufw allow proto tcp to any port 65432",
  );
  const firewalld = await checkFirewall(
    ports,
    fakeSystem("linux", { "systemctl is-active firewalld": "active\n" }),
  );
  assertEquals(
    firewalld.remedy,
    "sudo firewall-cmd --add-port=12000/udp --add-port=12001/udp --add-port=65432/tcp",
  );
  const key = "reg query HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\" +
    "FirewallPolicy /s /v EnableFirewall";
  const windows = await checkFirewall(
    ports,
    fakeSystem("windows", { [key]: "    EnableFirewall    REG_DWORD    0x1\r\n" }),
  );
  assertMatch(windows.message, /^Windows Defender Firewall is on/);
  assertMatch(windows.remedy!, /-Protocol udp -LocalPort 12000,12001; New-NetFirewallRule/);
});

Deno.test("checkFirewall() tells a firewall that is off from one that cannot be asked", async () => {
  const mac = "/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate";
  const off = fakeSystem("darwin", { [mac]: "Firewall is disabled. (State = 0)\n" });
  assertEquals((await checkFirewall(ports, off)).status, "ok");
  const on = fakeSystem("darwin", { [mac]: "Firewall is enabled. (State = 1)\n" });
  assertEquals((await checkFirewall(ports, on)).status, "note");
  const silent = await checkFirewall(ports, fakeSystem("freebsd", {}));
  assertEquals([silent.status, silent.remedy], ["note", undefined]);
});
