import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Echo,
  type Format,
  startVillasEcho,
  type VillasEchoOptions,
  villasFormat,
  villasFormats,
} from "../../mod.ts";
import { asNode } from "../../lib/codecs/villas/sides.ts";
import { needs, startPeer, startPython } from "../interop/peer.ts";
import { freePort } from "../net/free_port.ts";
import { folder } from "./json_serve.ts";
import { labwire, programCommand, startServer } from "./run.ts";

/** An echo that answers whoever asks, and the arguments of a pipe to it. */
async function echo(options: VillasEchoOptions = {}): Promise<{ echo: Echo; args: string[] }> {
  const echo = await startVillasEcho({
    listen: "127.0.0.1:0",
    anySource: true,
    replyTo: "sender",
    ...options,
  });
  const { port } = echo.addr as Deno.NetAddr;
  return {
    echo,
    args: ["villas-pipe", "--listen", "127.0.0.1:0", "--remote", `127.0.0.1:${port}`],
  };
}

/** Runs a pipe to an echo. */
async function through(input: string, ...args: string[]) {
  const other = await echo();
  await using _echo = other.echo;
  return await labwire([...other.args, ...args], { input });
}

/** The columns of lines in villas.human behind the time. */
function values(stdout: string): string[][] {
  return stdout.trimEnd().split("\n").filter((line) => !line.startsWith("#"))
    .map((line) => line.split("\t").slice(1));
}

Deno.test("villas-pipe sends villas.human, prints what comes back in it, and sums up", async () => {
  const { code, stdout, stderr } = await through("1.000000000(4)\t1\t0.5\n2.0(5)\t-2\t1e300\n");
  assertEquals(code, 0);
  assertMatch(stdout, /^# seconds.nanoseconds\+offset\(sequence\)\tsignal0\tsignal1\n/);
  assertMatch(
    stdout,
    /\n1\.000000000\+[\d.e+]+\(4\)\t1\.00000000000000000\t0\.50000000000000000\n/,
  );
  assertEquals(values(stdout).length, 2);
  assertMatch(stderr, /\n2 sent, 2 received\n$/);
});

for (
  const [name, input, args, expected] of [
    ["CSV with a header", "a,b\n1,2\n", [], [["1", "2"]]],
    ["CSV with times and sequence numbers", "time,seq,a\n1795198430.5,3,2.5\n", [], [["2.5"]]],
    ["CSV of Excel in German", "\ufeffZeit;Spannung\r\n1,5;2,25\r\n", [], [["1.5", "2.25"]]],
    ["JSON arrays", "[1,2]\n[3,4]\n", [], [["1", "2"], ["3", "4"]]],
    ["JSON objects", '{"u":1,"i":2}\n', ["--fields", "i"], [["2"]]],
    ["numbers", "1.5\n-2\n", [], [["1.5"], ["-2"]]],
  ] as [string, string, string[], string[][]][]
) {
  Deno.test(`villas-pipe --columns sends ${name}`, async () => {
    const { code, stdout, stderr } = await through(input, "--columns", ...args);
    assertEquals(code, 0, stderr);
    assertEquals(values(stdout).map((row) => row.map((text) => `${Number(text)}`)), expected);
  });
}

Deno.test("villas-pipe --columns keeps times to the nanosecond, and sequence numbers", async () => {
  const input = "sequence,time,u\n9007199254740993,2026-11-20T18:13:50.457807691Z,0.1\n";
  const { stdout } = await through(input, "--columns", "--output", "json");
  assertStringIncludes(
    stdout,
    '"sequence": 9007199254740993, "data": [0.10000000000000001]',
  );
  assertStringIncludes(stdout, '"origin": [1795198430, 457807691]');
});

Deno.test("villas-pipe reads one format and prints another, with settings and signals", async () => {
  const input = '{"ts": {"origin": [1, 5]}, "sequence": 7, "data": [1.5, 3, true]}\n';
  const args = ["--input-format", "json", "--signals", "u:float:V,n:integer,on:boolean"];
  const { code, stdout, stderr } = await through(input, ...args, "--output", "csv,separator=;");
  assertEquals(code, 0, stderr);
  const [header, row] = stdout.split("\n");
  assertEquals(header, "# secs;nsecs;offset;sequence;u[V];n;on");
  assertMatch(row!, /^1;000000005;[\d.]+;7;1\.50000000000000000;3;1$/);
});

Deno.test("villas-pipe prints and records values under the names that were stated", async () => {
  await using files = await folder({});
  const path = `${files.path}/answers`;
  const { code, stdout, stderr } = await through(
    ...["1.0(7)\t1.5\t3\n", "--signals", "u:float:V,n:integer"],
    ...["--output", "json.reserve", "--record", path, "--record-format", "json.kafka"],
  );
  assertEquals(code, 0, stderr);
  assertMatch(
    stdout,
    /^\{"measurements": \[\{"name": "u", "value": 1\.5, "unit": "V", .*\{"name": "n", "value": 1\.4821969375237396e-323, /,
  );
  assertStringIncludes(
    Deno.readTextFileSync(path),
    '"payload": {"timestamp": 1000, "sequence": 7, "u": 1.5, "n": 3}',
  );
});

Deno.test("villas-pipe reports bad lines, sends the others, and exits with 5 unless told to skip them", async () => {
  const { code, stdout, stderr } = await through("u\n1\nx\n3\n", "--columns");
  assertEquals([code, values(stdout).length], [5, 2]);
  assertStringIncludes(stderr, 'warning: Cannot read line 3: column "u" is "x": expected a number');
  assertStringIncludes(stderr, "2 sent, 2 received, 1 bad line\n");
  const skipped = await through("u\n1\nx\n3\n", "--columns", "--skip-bad");
  assertEquals(skipped.code, 0);
  assertStringIncludes(skipped.stderr, "1 bad line");
  assertStringIncludes(stderr, "error: Left out 1 line that is not a sample; with --skip-bad");
  const quiet = await through("u\n1\nx\n3\n", "--columns", "--quiet");
  assertEquals(quiet.code, 5);
  assertMatch(
    quiet.stderr,
    /^error: Cannot read line 3: column "u" is "x": .*\nerror: Left out 1 line that is not a sample; .*\n$/,
  );
  const barren = await through("u\n", "--columns");
  assertEquals(barren.code, 5);
  assertStringIncludes(barren.stderr, "Cannot find a sample in standard input");
});

Deno.test("villas-pipe warns of a table that it reads as villas.human, as --columns is missing", async () => {
  const news = "warning: Standard input has commas, and is read as villas.human, ";
  assertStringIncludes((await through("1.5,2.5\n2,3\n")).stderr, news);
  assertStringIncludes((await through("time,volts\n0,3\n")).stderr, news);
  for (
    const [input, ...args] of [
      ["1.5,2.5\n", "--columns"],
      ["1.5,2.5\n", "--input-format", "villas.human"],
      ["1.000000000(4),1,0.5\n"],
      ["1.000000000\t1,0.5\n"],
      ["# a,b\n1.000000000\t1\n"],
    ] as const
  ) {
    assertEquals((await through(input, ...args)).stderr.includes("has commas"), false, input);
  }
});

Deno.test("villas-pipe --send-only prints nothing, and ends with its input", async () => {
  const { code, stdout, stderr } = await through("1.0(1)\t1\n", "--send-only");
  assertEquals([code, stdout], [0, ""]);
  assertStringIncludes(stderr, "1 sent, 0 received");
});

Deno.test("villas-pipe takes the letters of VILLASnode's options", async () => {
  const sent = await through("1.0(1)\t1\n2.0(2)\t2\n", "-s", "-L", "1");
  assertStringIncludes(sent.stderr, "1 sent, 0 received");
  const received = await through("1.0(1)\t1\n2.0(2)\t2\n", "-l", "1", "-t", "1i");
  assertStringIncludes(received.stderr, " sent, 1 received");
  assertEquals(values(received.stdout), [["1"]]);
  const { stdout } = await labwire(["villas-pipe", "--help"]);
  assertStringIncludes(stdout, "-l, --limit-received N");
  const unknown = await labwire(["villas-pipe", "-z"]);
  assertStringIncludes(unknown.stderr, 'Unknown option "-z"');
});

Deno.test("villas-pipe --output columns names all columns, whatever --fields leaves out", async () => {
  const { stdout } = await through(
    "1.0(1)\t1\t2\t3\n",
    ...["--output", "columns", "--fields", "a", "--timestamps"],
  );
  assertEquals(stdout, "time,a,signal1,signal2\n1970-01-01T00:00:01.000000000Z,1,2,3\n");
});

for (
  const [args, message] of [
    [["--send-only", "--receive-only"], "Cannot use --send-only with --receive-only"],
    [["--send-only", "--limit-received", "1"], "nothing is received"],
    [
      ["--receive-only", "--realtime"],
      "Cannot use --realtime with --receive-only: nothing is sent",
    ],
    [["--columns", "--input-format", "json"], "Cannot use --columns with --input-format"],
    [["--time", "1"], "Cannot use --time without --columns"],
    [["--fields", "a"], "Cannot use --fields without --columns, or --output columns or objects"],
    [["--fields", "a", "--output", "arrays"], "Cannot use --fields without --columns"],
    [["--fields", "a", "--send-only"], "Cannot use --fields without --columns"],
    [["--timestamps"], "expected --output columns or arrays or objects"],
    [["--command-id", "x"], "expected --output objects"],
    [["--output", "objekts"], 'Cannot use format "objekts"'],
    [["--layer", "tcp-client", "--listen", ":1"], "Cannot use --listen with --layer tcp-client"],
    [["--layer", "tcp-server", "--remote", ":1"], "Cannot use --remote with --layer tcp-server"],
    [["--allow", "127.0.0.1"], "only tcp-server has clients"],
    [["--multicast-ttl", "1"], "Cannot use --multicast-ttl without --multicast"],
    [["--layer", "tcp-client", "--multicast", "239.1.2.3"], "only UDP has multicast"],
    [["--multicast", "127.0.0.1"], 'Cannot join "127.0.0.1": expected a multicast group'],
  ] as [string[], string][]
) {
  Deno.test(`villas-pipe ${args.join(" ")} is refused`, async () => {
    const { code, stderr } = await labwire(["villas-pipe", ...args], { input: "" });
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  });
}

Deno.test("villas-pipe --receive-only ends when its reader does, and on Ctrl-C in order", async () => {
  const port = freePort("udp");
  await using python = startPython(
    `
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
sys.stdin.readline()
n = 0
while True:
    s.sendto(b"%d.5(%d)\\t1.5\\n" % (n, n), ("127.0.0.1", int(sys.argv[1])))
    n += 1
    time.sleep(0.002)
`,
    port,
  );
  const [, from] = await python.until("stdout", /(\d+)\n/);
  const args = [
    ...["villas-pipe", "--receive-only", "--format", "villas.human"],
    ...["--listen", `127.0.0.1:${port}`, "--remote", `127.0.0.1:${from}`],
  ];
  {
    await using pipe = startServer(args);
    await pipe.until("stderr", /Ready\. Ctrl-C to quit\./);
    await python.write("go\n");
    await pipe.until("stdout", /(.*\n){3}/);
    if (Deno.build.os === "windows") return;
    pipe.interrupt();
    const { code, stderr } = await pipe.result();
    assertEquals(code, 0);
    assertMatch(stderr, /\n0 sent, [1-9]\d* received\n$/);
  }
  // The shell's own pipe: head closes it after two lines.
  const [program, before] = programCommand();
  const quoted = [program, ...before, ...args].map((word) => `'${word}'`).join(" ");
  await using shell = startPeer("sh", ["-c", `(${quoted}; echo "exit $?" >&2) | head -n 2`]);
  const { stdout, stderr } = await shell.result();
  assertEquals(stdout.split("\n").length, 3);
  assertStringIncludes(stderr, "exit 0");
});

const socat = needs("socat");

Deno.test({
  name:
    `villas-pipe --layer tcp-server speaks lines with socat, as VILLASnode's Lab 20 does${socat.note}`,
  ignore: socat.ignore,
  async fn() {
    const args = ["villas-pipe", "--layer", "tcp-server", "--format", "villas.human"];
    await using pipe = startServer([...args, "--listen", "127.0.0.1:0", "--limit-received", "2"], {
      stdin: "piped",
    });
    const [, port] = await pipe.until("stderr", /Listening on 127\.0\.0\.1:(\d+)\n/);
    await using other = startPeer("socat", ["-", `TCP:127.0.0.1:${port}`]);
    await pipe.until("stderr", /Connected with 127\.0\.0\.1:\d+/);
    await pipe.write("1.000000000(1)\t2\n");
    assertEquals(
      (await other.until("stdout", /.*\n/))[0],
      "1.000000000(1)\t2.00000000000000000\n",
    );
    await other.write("5.000000000(6)\t7.5\n6.0(7)\t8.0\n");
    const { code, stdout } = await pipe.result();
    assertEquals([code, values(stdout)], [0, [["7.50000000000000000"], ["8.00000000000000000"]]]);
    await pipe.closeInput();
  },
});

/** A format as VILLASnode writes and reads it, which for some formats is not the same. */
function asVillasNode(name: string): Format {
  const format = villasFormat(name, { signals: "f" });
  const replies = { ...format.replies, encode: format.encode, plainEcho: false };
  const node: Format = { ...asNode(format), replies, withSignals: () => node };
  return node;
}

for (const format of Object.keys(villasFormats)) {
  if (format === "iotagent_ul") continue; // VILLASnode cannot read it either
  Deno.test(`villas-pipe --layer tcp-client exchanges ${format} with villas-echo`, async () => {
    await using server = await startVillasEcho({
      ...{ layer: "tcp-server", listen: "127.0.0.1:0" },
      ...{ codec: asVillasNode(format), signals: "f", handler: (sample) => sample },
    });
    const { port } = server.addr as Deno.NetAddr;
    const input = Array.from({ length: 200 }, (_, n) => `${n + 0.5}\n`).join("");
    const { code, stdout, stderr } = await labwire([
      ...["villas-pipe", "--columns", "--signals", "f", "--format", format, "--output", "columns"],
      ...["--layer", "tcp-client", "--remote", `127.0.0.1:${port}`],
    ], { input });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "200 sent, 200 received");
    assertEquals(stdout, `signal0\n${input}`);
  });
}

for (const format of ["csv", "tsv", "value", "raw"]) {
  Deno.test(`villas-pipe --as-node exchanges ${format} with villas-echo as VILLASnode would`, async () => {
    const other = await echo({ codec: villasFormat(format), signals: "f" });
    await using _echo = other.echo;
    const { code, stdout, stderr } = await labwire([
      ...[...other.args, "--as-node", "--columns", "--signals", "f", "--format", format],
      ...["--output", "columns"],
    ], { input: "0.5\n1.5\n" });
    assertEquals([code, stdout], [0, "signal0\n0.5\n1.5\n"], stderr);
  });
}

Deno.test("villas-pipe --record records what arrives, and --record-sent what is sent", async () => {
  const folder = await Deno.makeTempDir({ prefix: "labwire-pipe-" });
  try {
    const args = ["--record", `${folder}/in.csv`, "--record-sent", `${folder}/out.json`];
    const { code, stderr } = await through("[1]\n[2]\n", "--columns", "--output", "none", ...args);
    assertEquals(code, 0, stderr);
    assertMatch(await Deno.readTextFile(`${folder}/in.csv`), /,1,2\.00000000000000000\n$/);
    assertMatch(await Deno.readTextFile(`${folder}/out.json`), /"data": \[2\.0\]/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("villas-pipe ends after --duration, although standard input stays open", async () => {
  const other = await echo();
  await using _echo = other.echo;
  await using pipe = startServer([...other.args, "--duration", "0.3"], { stdin: "piped" });
  const { code, stderr } = await pipe.result();
  assertEquals(code, 0);
  assert(stderr.endsWith("0 sent, 0 received\n"), stderr);
});

Deno.test("villas-pipe counts what the system did not take as unsent only, and fails where that is all", async () => {
  const wide = `${Array(8000).fill("1").join(",")}\n`;
  const none = await through(wide, "--columns");
  assertStringIncludes(none.stderr, "0 sent, 0 received, 1 unsent");
  assertEquals(none.code, 4);
});
