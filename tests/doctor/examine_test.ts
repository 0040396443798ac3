import { assert, assertEquals, assertMatch } from "@std/assert";
import { examine } from "../../lib/doctor/examine.ts";
import type { Finding } from "../../lib/doctor/finding.ts";
import { type System, thisSystem } from "../../lib/doctor/system.ts";

async function findingsOf(system: Partial<System>): Promise<Map<string, Finding>> {
  const findings = await Array.fromAsync(examine({
    ports: [],
    peer: { hostname: "127.0.0.1", port: 9 },
    system: { ...thisSystem, os: "linux", run: () => Promise.resolve(undefined), ...system },
  }));
  for (const { status, remedy } of findings) {
    if (status === "problem") assert(remedy, "a problem without a fix");
  }
  return new Map(findings.map((finding) => [finding.check, finding]));
}

Deno.test("examine() goes on where the system forbids sending", async () => {
  const error = new Deno.errors.PermissionDenied("Operation not permitted (os error 1)");
  const findings = await findingsOf({ send: () => Promise.reject(error) });
  for (const check of ["UDP 127.0.0.1", "peer"]) {
    assertEquals(findings.get(check)?.status, "problem");
    assertMatch(findings.get(check)!.message, /refuses to send to 127\.0\.0\.1: Operation not/);
  }
  for (const check of ["large datagrams", "receive buffer"]) {
    assertEquals(findings.get(check), {
      check,
      status: "note",
      message: "not checked, because datagrams do not come back on 127.0.0.1",
    });
  }
  assertEquals(findings.get("TCP 127.0.0.1")?.status, "ok");
  assert(findings.has("firewall"));
});

Deno.test("examine() names the loopback interface that is down once, and tries nothing that needs it", async () => {
  const error = new Deno.errors.NetworkUnreachable("Network is unreachable (os error 101)");
  const findings = await findingsOf({ send: () => Promise.reject(error) });
  assertEquals(findings.get("UDP 127.0.0.1")?.remedy, "sudo ip link set lo up");
  for (const check of ["TCP 127.0.0.1", "large datagrams", "receive buffer"]) {
    assertEquals(
      findings.get(check)?.message,
      "not checked, because the loopback interface is down",
    );
  }
  assertEquals(findings.get("peer")?.status, "problem");
});

Deno.test("examine() goes on when a check throws what nobody foresaw", async () => {
  const findings = await findingsOf({
    run: () => Promise.reject(new TypeError("nobody foresaw this")),
    send: (from, bytes, to) =>
      bytes.length > 100 ? Promise.reject(new TypeError("neither this")) : from.send(bytes, to),
  });
  assertEquals(findings.get("firewall")?.status, "problem");
  assertMatch(findings.get("firewall")!.message, /could not be checked: nobody foresaw this/);
  assertEquals(findings.get("large datagrams")?.status, "problem");
  assert(findings.has("receive buffer") && findings.has("peer"));
});

Deno.test("examine() announces every check, and each one says something", async () => {
  const announced: string[] = [];
  const { checks } = await examined((check) => announced.push(check));
  assertEquals(announced.filter((check) => !checks.includes(check)), []);
  assertEquals(new Set(announced).size, announced.length);
  for (const check of ["UDP ::1", "TCP ::1", "firewall", "peer"]) {
    assert(checks.includes(check), `${check} is silent`);
  }
});

async function examined(onCheck: (check: string) => void) {
  const checks: string[] = [];
  for await (
    const finding of examine({
      ports: [{ transport: "udp", hostname: "127.0.0.1", port: 0, commands: ["x"] }],
      system: thisSystem,
      onCheck,
    })
  ) {
    checks.push(finding.check);
    if (finding.check === "peer") {
      assertEquals(finding.message, "not checked, because no other computer was named with --peer");
    }
  }
  return { checks };
}
