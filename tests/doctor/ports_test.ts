import { assert, assertEquals, assertMatch } from "@std/assert";
import { all } from "../../lib/commands/registry.ts";
import { defaultPorts, formatFinding } from "../../lib/commands/doctor.ts";
import { checkPorts } from "../../lib/doctor/check_ports.ts";
import { portHolder, type Transport } from "../../lib/doctor/port_holder.ts";
import { type System, thisSystem } from "../../lib/doctor/system.ts";

function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["-v"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** Binds a port and says which. */
function bind(transport: Transport) {
  const options = { hostname: "0.0.0.0", port: 0 };
  const socket = transport === "udp"
    ? Deno.listenDatagram({ ...options, transport: "udp" })
    : Deno.listen(options);
  return { port: (socket.addr as Deno.NetAddr).port, [Symbol.dispose]: () => socket.close() };
}

for (const [os, program] of [["linux", "ss"], ["darwin", "lsof"]] as const) {
  const missing = Deno.build.os !== "linux" || !isInstalled(program);
  Deno.test({
    name: `portHolder() reads the real ${program}${missing ? ` (needs ${program} on Linux)` : ""}`,
    ignore: missing,
    fn: async () => {
      for (const transport of ["udp", "tcp"] as const) {
        using taken = bind(transport);
        const holder = await portHolder(transport, taken.port, { ...thisSystem, os });
        assertEquals(holder?.pid, Deno.pid);
        assertMatch(holder?.name ?? "", /deno/i);
      }
      assertEquals(await portHolder("udp", 1, { ...thisSystem, os }), undefined);
    },
  });
}

Deno.test("portHolder() reads netstat and tasklist of Windows in any language", async () => {
  const netstat = [
    "Aktive Verbindungen",
    "",
    "  Proto  Lokale Adresse         Remoteadresse          Status           PID",
    "  TCP    0.0.0.0:12001          0.0.0.0:0              ABHÖREN         3",
    "  TCP    127.0.0.1:65432        127.0.0.1:50000        HERGESTELLT     5",
    "  TCP    [::1]:65432            [::]:0                 ABHÖREN         6",
    "  UDP    0.0.0.0:12001          *:*                                    4711",
    "  UDP    0.0.0.0:120010         *:*                                    8",
  ].join("\r\n");
  const system: System = {
    ...thisSystem,
    os: "windows",
    run: (program, args) =>
      Promise.resolve(
        program === "netstat"
          ? netstat
          : args.includes("PID eq 4711")
          ? '\r\n"python.exe","4711","Console","1","12.000 K"\r\n'
          : "INFORMATION: ...",
      ),
  };
  assertEquals(await portHolder("udp", 12001, system), { pid: 4711, name: "python.exe" });
  assertEquals(await portHolder("tcp", 65432, system), { pid: 6 });
  assertEquals(await portHolder("tcp", 12001, system), { pid: 3 });
  assertEquals(await portHolder("udp", 65432, system), undefined);
});

Deno.test("portHolder() knows nothing where the program is missing", async () => {
  const system: System = { ...thisSystem, os: "linux", run: () => Promise.resolve(undefined) };
  assertEquals(await portHolder("udp", 12001, system), undefined);
});

Deno.test("checkPorts() tells free ports, taken ones and those that the system keeps", async () => {
  const states = ["free", "taken", "kept"] as const;
  const findings = await checkPorts(
    states.map((_, i) => ({ transport: "udp", port: 1000 + i, commands: ["a", "b"] })),
    {
      stateOf: (_transport, port) => Promise.resolve(states[port - 1000]!),
      system: {
        ...thisSystem,
        os: "windows",
        run: (program) =>
          Promise.resolve(program === "netstat" ? "  UDP  0.0.0.0:1001  *:*  9" : '"x.exe","9"'),
      },
    },
  );
  assertEquals(findings.map(({ status }) => status), ["ok", "problem", "problem"]);
  assertEquals(findings[0]!.message, "free: UDP 1000 (a, b)");
  assertEquals(findings[1]!.message, "UDP 1001 (a, b) is taken by x.exe (process 9)");
  assertMatch(findings[2]!.remedy!, /excludedportrange protocol=udp/);
});

Deno.test("checkPorts() binds real ports, and holds none of them afterwards", async () => {
  for (const transport of ["udp", "tcp"] as const) {
    const taken = bind(transport);
    const port = { transport, port: taken.port, commands: ["test"] };
    const [finding] = await checkPorts([port]);
    taken[Symbol.dispose]();
    assertEquals(finding?.status, "problem");
    assertMatch(finding?.message ?? "", new RegExp(`${taken.port} \\(test\\) is taken by `));
    // Twice: the first check must not be in the way of the second.
    for (let i = 0; i < 2; i++) assertEquals((await checkPorts([port]))[0]?.status, "ok");
  }
});

Deno.test("every server's default port is known to doctor", async () => {
  const commands = await all();
  const ports = defaultPorts(commands);
  assert(ports.every(({ port }) => port > 0 && port < 65536), JSON.stringify(ports));
  for (const { name, options, binds } of commands) {
    const listens = "listen" in options || /server$/.test(name);
    assertEquals(binds !== undefined, listens, `${name} needs "binds" exactly if it listens`);
  }
});

Deno.test("formatFinding() puts the remedy on a line of its own", () => {
  assertEquals(
    formatFinding({ check: "ports", status: "problem", message: "taken", remedy: "end it" }),
    "problem  ports               taken\n         to mend it: end it",
  );
});
