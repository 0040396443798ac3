import { assert, assertEquals, assertMatch } from "@std/assert";
import { all } from "../../lib/commands/registry.ts";
import { Output } from "../../lib/cli/output.ts";
import { defaultPorts, printFinding } from "../../lib/commands/doctor.ts";
import { checkPorts, type DefaultPort } from "../../lib/doctor/check_ports.ts";
import { isOwnProgram } from "../../lib/doctor/own_program.ts";
import { portHolder, type Transport } from "../../lib/doctor/port_holder.ts";
import { type System, thisSystem } from "../../lib/doctor/system.ts";
import { start } from "../cli/run.ts";

function isInstalled(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["-v"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** Binds a port and says which. */
function bind(transport: Transport, hostname = "0.0.0.0") {
  const options = { hostname, port: 0 };
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
        const holder = await portHolder(transport, taken.port, "0.0.0.0", { ...thisSystem, os });
        assertEquals(holder?.pid, Deno.pid);
        assertMatch(holder?.name ?? "", /deno/i);
      }
      assertEquals(await portHolder("udp", 1, "0.0.0.0", { ...thisSystem, os }), undefined);
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
  assertEquals(await portHolder("udp", 12001, "0.0.0.0", system), {
    pid: 4711,
    name: "python.exe",
  });
  assertEquals(await portHolder("tcp", 65432, "0.0.0.0", system), { pid: 6 });
  assertEquals(await portHolder("tcp", 12001, "0.0.0.0", system), { pid: 3 });
  assertEquals(await portHolder("udp", 65432, "0.0.0.0", system), undefined);
  assertEquals(await portHolder("tcp", 65432, "127.0.0.1", system), undefined);
});

Deno.test("portHolder() knows nothing where the program is missing", async () => {
  const system: System = { ...thisSystem, os: "linux", run: () => Promise.resolve(undefined) };
  assertEquals(await portHolder("udp", 12001, "0.0.0.0", system), undefined);
});

Deno.test("checkPorts() tells free ports, taken ones and those that the system keeps", async () => {
  const states = ["free", "taken", "kept"] as const;
  const findings = await checkPorts(
    states.map((_, i) => ({
      transport: "udp",
      hostname: "0.0.0.0",
      port: 1000 + i,
      commands: ["a", "b"],
    })),
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
    const port = { transport, hostname: "0.0.0.0", port: taken.port, commands: ["test"] };
    const [finding] = await checkPorts([port]);
    taken[Symbol.dispose]();
    assertEquals(finding?.status, "problem");
    assertMatch(finding?.message ?? "", new RegExp(`${taken.port} \\(test\\) is taken by `));
    // Twice: the first check must not be in the way of the second.
    for (let i = 0; i < 2; i++) assertEquals((await checkPorts([port]))[0]?.status, "ok");
  }
});

function has(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "checkPorts() tries the addresses that commands bind, and no others" +
    (has("::1") && has("127.0.0.2") ? "" : " (needs ::1 and 127.0.0.2)"),
  ignore: !has("::1") || !has("127.0.0.2"),
  fn: async () => {
    for (const transport of ["udp", "tcp"] as const) {
      for (
        const [holds, hostname, status] of [
          ["::1", "localhost", "problem"],
          ["127.0.0.1", "localhost", "problem"],
          ["::1", "127.0.0.1", "ok"],
          ["127.0.0.2", "127.0.0.1", "ok"],
          ["127.0.0.1", "127.0.0.1", "problem"],
          ["127.0.0.1", "0.0.0.0", "problem"],
        ] as const
      ) {
        using taken = bind(transport, holds);
        const [found] = await checkPorts([{ transport, hostname, port: taken.port, commands: [] }]);
        assertEquals(found?.status, status, `${transport} ${holds} ${hostname}`);
      }
    }
  },
});

Deno.test("checkPorts() shows the address that is taken, and how to find who does not listen", async () => {
  const [found] = await checkPorts(
    [{ transport: "tcp", hostname: "localhost", port: 12345, commands: ["socket-server"] }],
    {
      stateOf: (_transport, _port, hostname) =>
        Promise.resolve(hostname === "::1" ? "taken" : "free"),
      system: { ...thisSystem, os: "linux", run: () => Promise.resolve("") },
    },
  );
  assertMatch(found!.message, /^TCP \[::1\]:12345 \(socket-server\) is taken by another program/);
  assertMatch(found!.remedy!, /"sudo ss -Hanp -t 'sport = :12345'" shows .*"sudo ss -HBnp -t"/);
});

Deno.test("checkPorts() goes on when one port cannot be tried", async () => {
  const findings = await checkPorts(
    [1, 2].map((port) => ({ transport: "udp", hostname: "127.0.0.1", port, commands: ["a"] })),
    {
      stateOf: (_transport, port) =>
        port === 1 ? Promise.reject(new Error("no idea")) : Promise.resolve("free"),
    },
  );
  assertEquals(findings.map(({ status }) => status), ["ok", "problem"]);
  assertMatch(findings[1]!.message, /^UDP 1 \(a\): .*no idea$/);
});

const ss = [
  'LISTEN 0 5 127.0.0.2:65432 0.0.0.0:* users:(("python3",pid=5,fd=3))',
  'ESTAB  0 0 127.0.0.1:65432 127.0.0.1:50000 users:(("nc",pid=6,fd=3))',
  'LISTEN 0 5 127.0.0.1:65432 0.0.0.0:* users:(("labwire",pid=7,fd=3))',
  'LISTEN 0 5 [::1]:65432 [::]:* users:(("deno",pid=8,fd=3))',
].join("\n");

/** A Linux computer whose port has many holders. */
function linux(args: string | undefined): System {
  const run = (program: string) => Promise.resolve(program === "ss" ? ss : args);
  return { ...thisSystem, os: "linux", run };
}

Deno.test("portHolder() names who is in the way, not who is at another address", async () => {
  const name = async (hostname: string) =>
    (await portHolder("tcp", 65432, hostname, linux("")))?.name;
  assertEquals(await name("127.0.0.1"), "labwire");
  assertEquals(await name("::1"), "deno");
  assertEquals(await name("127.0.0.3"), undefined);
});

Deno.test("checkPorts() takes a server of labwire for the command in question as a note", async () => {
  const port = { transport: "tcp", hostname: "127.0.0.1", port: 65432, commands: ["json-server"] };
  for (
    const [args, status] of [
      ["labwire json-server --output none", "note"],
      ["/opt/labwire-0.1.0-x86_64-unknown-linux-gnu --quiet json-server", "note"],
      ["deno run -A main.ts json-server", "note"],
      ["deno run --allow-net jsr:@labwire/labwire@0.1.0/main json-server", "note"],
      [undefined, "note"],
      ["labwire socket-server --port 65432", "problem"],
      ["python3 /home/labwire/lab.py json-server", "problem"],
    ] as const
  ) {
    const [found] = await checkPorts([port as DefaultPort], {
      stateOf: () => Promise.resolve("taken"),
      system: linux(args),
    });
    assertEquals(found?.status, status, args);
    assertMatch(
      found!.message,
      /^TCP 127\.0\.0\.1:65432 \(json-server\) is (in use|taken) by labwire \(process 7\)$/,
    );
  }
});

const withoutPs = Deno.build.os === "windows" || !isInstalled("ps");
Deno.test({
  name: `isOwnProgram() reads the real ps${withoutPs ? " (needs ps)" : ""}`,
  ignore: withoutPs,
  fn: async () => {
    await using server = start(["doctor", "--serve", "--listen", "127.0.0.1:0"]);
    await server.until("stderr", /Listening on /);
    const holder = { pid: server.process.pid, name: "labwire" };
    assert(await isOwnProgram(holder, ["villas-echo", "doctor"], thisSystem));
    assert(!await isOwnProgram(holder, ["villas-echo"], thisSystem));
    server.interrupt();
    await server.result();
  },
});

Deno.test("every server's default port is known to doctor", async () => {
  const commands = await all();
  const ports = defaultPorts(commands);
  assert(ports.every(({ port }) => port > 0 && port < 65536), JSON.stringify(ports));
  const known = ports.map(({ transport, hostname, port }) => `${transport} ${hostname} ${port}`);
  for (const one of ["udp 0.0.0.0 12001", "tcp 127.0.0.1 65432", "tcp localhost 12345"]) {
    assert(known.includes(one), `${one} is missing in ${known}`);
  }
  for (const { name, options, binds } of commands) {
    const listens = "listen" in options || /server$/.test(name);
    assertEquals(binds !== undefined, listens, `${name} needs "binds" exactly if it listens`);
  }
});

Deno.test("printFinding() colours the status on a terminal, and puts the remedy on a line of its own", async () => {
  for (
    const [terminal, problem] of [[false, "problem"], [true, "\x1b[31;1mproblem\x1b[0m"]] as const
  ) {
    let text = "";
    const out = new Output({
      write(bytes) {
        text += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      },
      isTerminal: () => terminal,
    });
    printFinding(out, { check: "ports", status: "problem", message: "a\x1b\nb", remedy: "end it" });
    await out.flush();
    assertEquals(
      text,
      `${problem}  ports               a\\x1b\\nb\n         fix: end it\n`,
    );
  }
});
