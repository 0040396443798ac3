import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bindDatagram, type Sample, villasFormat, villasProtobuf } from "../../mod.ts";
import { ethernet, ipv4, ipv6, pcap, pcapng, udp } from "../codecs/pcap/captures.ts";
import { sameSample } from "../../lib/codecs/villas/sample.ts";
import { folder } from "./json_serve.ts";
import { labwire, programCommand } from "./run.ts";

const convert = (args: string[], input?: string | Uint8Array) =>
  labwire(["villas-convert", ...args], { input });

Deno.test("villas-convert does what VILLASnode's tool did with the same input", async () => {
  // What villas-convert 1.2.0 printed.
  const input = "# h\n100.5(1)\t1.5\t2\n101.000000005+1e-3(2)F\t-1\t3\n";
  const json = await convert(["-i", "villas.human", "-o", "json", "-t", "1f1i"], input);
  assertEquals(json.code, 0, json.stderr);
  assertEquals(
    json.stdout,
    '{"ts": {"origin": [100, 5]}, "sequence": 1, "data": [1.5, 2]}\n' +
      '{"ts": {"origin": [101, 5]}, "flags": ["new_frame"], "sequence": 2, "data": [-1.0, 3]}\n',
  );
  const csv = await convert(["--to", "csv", "--signals", "2f"], input);
  assertEquals(
    csv.stdout,
    "# secs,nsecs,offset,sequence,signal0,signal1\n" +
      "100,000000005,nan,1,1.50000000000000000,2.00000000000000000\n" +
      "101,000000005,0.001000000,2,-1.00000000000000000,3.00000000000000000\n",
  );
});

Deno.test("villas-convert leaves out the time of receipt where the setting says so", async () => {
  const input = "101.000000005+1e-3(2)\t-1\n";
  const settings = ["--signals", "u:float", "--to"];
  const csv = await convert([...settings, "csv,offset=false,real_precision=1"], input);
  assertEquals(csv.stdout, "# secs,nsecs,sequence,u\n101,000000005,2,-1.0\n", csv.stderr);
  const human = await convert([...settings, "villas.human,offset=false,real_precision=1"], input);
  assertEquals(human.stdout, "# seconds.nanoseconds(sequence)\tu\n101.000000005(2)\t-1.0\n");
});

/** Samples with all digits, and with values that 32 bits carry. */
const samples: Sample[] = Array.from({ length: 700 }, (_, i) => ({
  type: "data" as const,
  sequence: BigInt(i),
  origin: { sec: 1_795_253_843 + i, nsec: 5 + i * 1_000_000 },
  values: [i / 8, -i * 1024, i % 3 ? 0.25 : 2 ** -20, 0.5],
}));

Deno.test("samples survive every format that can carry them and the way back, through files whose names say the format", async () => {
  await using files = await folder({});
  const start = `${files.path}/start.dat`;
  Deno.writeFileSync(start, villasFormat("villas.human").stream.encoder().encode(samples));
  const names = [
    ...["villas.human", "csv", "tsv", "csv,separator=;", "json", "json,compact=true", "protobuf"],
    ...["raw,bits=64,fake=true", "raw,bits=64,endianess=big,fake=true", "raw,bits=32,fake=true"],
    ...["villas.binary", "villas.web", "gtnet,fake=true"],
  ];
  for (const name of names) {
    const there = `${files.path}/${name.replaceAll(/[,=]/g, "_")}.any`;
    const back = `${there}.dat`;
    for (
      const args of [
        ["--to", name, "--signals", "4f", start, there],
        ["--from", name, "--signals", "4f", there, back],
      ]
    ) {
      const { code, stdout, stderr } = await convert(args);
      assertEquals([code, stdout], [0, ""], `${name}: ${stderr}`);
      assertStringIncludes(stderr, "Converted 700 samples");
    }
    const decoder = villasFormat("villas.human").stream.decoder();
    decoder.push(Deno.readFileSync(back));
    for (const sample of samples) {
      const found = decoder.next()!;
      assert(
        sameSample(found, sample),
        `${name}: ${Deno.inspect(found)} is not ${Deno.inspect(sample)}`,
      );
    }
    assertEquals(decoder.next(), null);
  }
});

Deno.test("what cannot be read is an error with its line or offset and exit code 5; --skip-bad leaves it out and counts", async () => {
  const text = "1.5(1)\t2\nrubbish\n3.5(2)\t4\n\t\n";
  const refused = await convert(["--to", "csv,header=false"], text);
  assertEquals(refused.code, 5);
  assertMatch(refused.stderr, /error: .*line 2 \(byte 9\).*--skip-bad leaves such samples out/);
  assertEquals(refused.stdout, "1,000000005,nan,1,2.00000000000000000\n");
  const skipped = await convert(["--to", "csv,header=false", "--skip-bad"], text);
  assertEquals(skipped.code, 0, skipped.stderr);
  assertEquals(
    skipped.stdout,
    "1,000000005,nan,1,2.00000000000000000\n3,000000005,nan,2,4.00000000000000000\n",
  );
  assertStringIncludes(skipped.stderr, "Converted 2 samples, 1 bad");
  const binary = await convert(
    ["--from", "villas.binary"],
    Uint8Array.fromHex("20000001" + "00000001".repeat(4) + "2000"),
  );
  assertEquals(binary.code, 0, binary.stderr);
  assertStringIncludes(binary.stderr, "Converted 1 sample");
  assertMatch(binary.stderr, /warning: The input ends inside a sample, which is left out/);
});

Deno.test("a binary file reads up to the sample that a loss of power cut off; with none before it, or damage, it is an error", async () => {
  const sample = "20000001" + "00000001".repeat(3) + "3f800000";
  /** What is written in each format, the file cut after so many bytes. */
  const cut = (format: string, hex: string, ...args: string[]) =>
    convert(["--from", format, "--to", "csv,header=false", ...args], Uint8Array.fromHex(hex));
  for (let bytes = 1; bytes < 20; bytes++) {
    const whole = await cut("villas.binary", sample.repeat(3) + sample.slice(0, bytes * 2));
    assertEquals([whole.code, whole.stdout.split("\n").length], [0, 4], whole.stderr);
    assertMatch(whole.stderr, /^warning: The input ends inside a sample, which is left out: /);
  }
  const none = await cut("villas.binary", sample.slice(0, 30));
  assertEquals(none.code, 5, none.stderr);
  assertMatch(
    none.stderr,
    /error: Cannot read villas.binary at byte 0: .* 15 bytes came; --skip-bad/,
  );
  const skipped = await cut("villas.binary", sample.slice(0, 30), "--skip-bad");
  assertEquals(skipped.code, 0);
  assertStringIncludes(skipped.stderr, "Converted 0 samples, 1 bad");
  // A length that is wrong swallows what comes behind it.
  const damaged = await cut(
    "villas.binary",
    sample + sample.replace("0001", "3000") + sample.repeat(9),
  );
  assertEquals(damaged.code, 5, damaged.stderr);
  assertStringIncludes(damaged.stdout, "1,000000001,nan,1,1.0");
  const message = villasProtobuf.encode(samples.slice(0, 3)).toHex();
  assertEquals((await cut("protobuf", message.slice(0, -2))).stdout.split("\n").length, 3);
  assertEquals((await cut("protobuf", message.slice(0, 40), "--quiet")).code, 5);
});

Deno.test("zeros that a loss of power left behind are no samples, and complete none", async () => {
  const some: Sample[] = [1, 2, 3].map((i) => ({
    type: "data",
    sequence: BigInt(i),
    origin: { sec: i, nsec: 5 },
    values: [1.5, 0, 0],
  }));
  for (const name of ["villas.human", "csv", "json", "protobuf", "villas.binary", "villas.web"]) {
    const format = villasFormat(name, { signals: "3f" });
    const bytes = format.stream.encoder().encode(some).slice();
    const read = async (length: number, zeros: number) => {
      const input = new Uint8Array(length + zeros);
      input.set(bytes.subarray(0, length));
      const { code, stdout, stderr } = await convert(
        ["--from", name, "--to", "csv,header=false", "--signals", "3f"],
        input,
      );
      assertEquals(code, 0, `${name} ${length} ${zeros}: ${stderr}`);
      return { sequences: stdout.trimEnd().split("\n").map((line) => line.split(",")[3]), stderr };
    };
    assertEquals((await read(bytes.length, 0)).sequences, ["1", "2", "3"], name);
    const padded = await read(bytes.length, 5000);
    // Of a sample that ends in zeros itself, nobody knows whether it was whole.
    const isSure = format.text || name === "protobuf" && bytes.at(-1) !== 0;
    assertEquals(padded.sequences, isSure ? ["1", "2", "3"] : ["1", "2"], name);
    assertStringIncludes(padded.stderr, "warning: The input ends in zeros, as a loss of power");
    assertEquals((await read(bytes.length - 10, 5000)).sequences, ["1", "2"], name);
  }
});

Deno.test("what the target cannot carry is an error that names the sample; --skip-bad leaves it out", async () => {
  const text = "1.5(1)\t2.0\n2.5(2)\tnan\n3.5(3)\t4.0\n";
  const refused = await convert(["--to", "json"], text);
  assertEquals(refused.code, 5);
  assertMatch(refused.stderr, /Cannot write sample with sequence 2: /);
  const skipped = await convert(["--to", "json", "--skip-bad"], text);
  assertEquals(skipped.code, 0, skipped.stderr);
  assertMatch(skipped.stdout, /^\{.*"sequence": 1,.*\n\{.*"sequence": 3,.*\n$/);
});

Deno.test("a last line without its newline may be cut off: it is left out, and that is said", async () => {
  const { code, stdout, stderr } = await convert(["--to", "json"], "1.5(1)\t2.0\n2.5(2)\t3.2");
  assertEquals(code, 0);
  assertMatch(stdout, /^\{[^\n]*"sequence": 1,[^\n]*\n$/);
  assertMatch(
    stderr,
    /warning: The last line has no newline, so that it may be cut off: it is left out/,
  );
});

Deno.test("OUT is not overwritten without --force, and IN must be there", async () => {
  await using files = await folder({ "in.dat": "1.5(1)\t2.0\n", "out.csv": "dear data\n" });
  const [input, output] = [`${files.path}/in.dat`, `${files.path}/out.csv`];
  const refused = await convert([input, output]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "it is there already; --force overwrites it");
  assertEquals(Deno.readTextFileSync(output), "dear data\n");
  assertEquals((await convert([input, output, "--force"])).code, 0);
  assertMatch(Deno.readTextFileSync(output), /^# secs.*\n1,000000005,nan,1,2.0+\n$/);
  const missing = await convert([`${files.path}/no.dat`]);
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, `no.dat": no such file`);
});

Deno.test("OUT that is IN is refused, by whatever name, and stays as it was", async () => {
  const text = "1.5(1)\t2.0\n";
  await using files = await folder({ "in.dat": text });
  const path = `${files.path}/in.dat`;
  const others = [path, `${files.path}/./in.dat`];
  if (Deno.build.os !== "windows") {
    Deno.symlinkSync(path, `${files.path}/symbolic.csv`);
    Deno.linkSync(path, `${files.path}/hard.csv`);
    others.push(`${files.path}/symbolic.csv`, `${files.path}/hard.csv`);
  }
  for (const [input, output] of others.flatMap((name) => [[path, name], [name, path]])) {
    const { code, stderr } = await convert([input!, output!, "--force"]);
    assertEquals([code, Deno.readTextFileSync(path)], [2, text], output);
    assertEquals(stderr, `error: Cannot write "${output}": it is the file that is read\n`);
  }
});

Deno.test({
  name: "redirected output that is IN is refused, too",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const text = "1.5(1)\t2.0\n";
    await using files = await folder({ "in.dat": text });
    const [program, args] = programCommand();
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", '"$0" "$@" in.dat >> in.dat', program, ...args, "villas-convert"],
      cwd: files.path,
    }).output();
    assertStringIncludes(new TextDecoder().decode(stderr), "it is the file that is read");
    assertEquals([code, Deno.readTextFileSync(`${files.path}/in.dat`)], [2, text]);
  },
});

Deno.test({
  name: "a full disk is told with the name of the file",
  ignore: Deno.build.os !== "linux" || Deno.env.has("LABWIRE_BIN"), // an executable may write no devices, says Deno
  async fn() {
    const { code, stderr } = await convert(["-", "/dev/full", "--force"], "1.5(1)\t2.0\n");
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'error: Cannot write "/dev/full": No space left on device');
  },
});

Deno.test("names of files of other programs are refused, as no program could open text in them", async () => {
  await using files = await folder({ "in.dat": "1.5(1)\t2.0\n" });
  for (const name of ["out.npy", "out.XLSX", "out.mat"]) {
    const { code, stderr } = await convert([`${files.path}/in.dat`, `${files.path}/${name}`]);
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /(npy|XLSX|mat)": \.\w+ files are neither read nor written; \.csv is for numpy/,
    );
  }
  assertEquals([...Deno.readDirSync(files.path)].map(({ name }) => name), ["in.dat"]);
});

Deno.test("names of compressed files are refused, and what is in them is told", async () => {
  await using files = await folder({ "in.dat": "1.5(1)\t2.0\n" });
  for (const args of [["in.dat", "out.csv.gz"], ["in.dat.GZ", "out.csv"]]) {
    const { code, stderr } = await convert(args.map((name) => `${files.path}/${name}`));
    assertEquals(code, 2);
    assertMatch(stderr, /gz": compressed files are neither read nor written; compress or unpack/i);
  }
  assertEquals([...Deno.readDirSync(files.path)].map(({ name }) => name), ["in.dat"]);
});

/** Rows of: the values of samples in JSON, and those that are read again from the text that was made of them. */
const MIXED: readonly (readonly [string[], Sample["values"][]])[] = [
  [["1", "1.5", "2"], [[1], [1.5], [2]]],
  [["1.5", "1"], [[1.5], [1]]],
  [["1", "2"], [[1n], [2n]]],
  [["1", "true"], [[1n]]],
  [["true", "1.5", "false"], [[true], [false]]],
  [["1.5", "true"], [[1.5]]],
  [["1", '{"real": 1.5, "imag": 2.5}'], [[{ real: 1, imag: 0 }], [{ real: 1.5, imag: 2.5 }]]],
  [["1.5", "1, 2"], [[1.5], [1, 2n]]],
  [["1", "9007199254740993", "1.5"], [[1], [1.5]]],
  [[...Array(300).fill("1"), "2.0", "-0.0", "2.5"], [...Array(300).fill([1n]), [2n]]],
];

for (const name of ["villas.human", "csv", "tsv"]) {
  Deno.test(`values of another kind than their signal are carried in ${name}, or refused`, async () => {
    for (const [rows, values] of MIXED) {
      const json = rows.map((row, i) => `{"sequence": ${i}, "data": [${row}]}\n`).join("");
      const text = await convert(["--from", "json", "--to", name, "--skip-bad"], json);
      assertEquals(text.code, 0, text.stderr);
      const bad = rows.length - values.length;
      const told = `Converted ${values.length} sample${values.length === 1 ? "" : "s"}`;
      assertStringIncludes(text.stderr, told + (bad > 0 ? `, ${bad} bad` : ""));
      const back = await convert(["--from", name, "--to", "protobuf"], text.stdout);
      assertEquals([back.code, back.stderr], [0, `${told}\n`], text.stdout);
      const again = await convert(["--from", name, "--to", "json"], text.stdout);
      const decoder = villasFormat("json").stream.decoder();
      decoder.push(new TextEncoder().encode(again.stdout));
      for (const expected of values) assertEquals(decoder.next()!.values, expected, text.stdout);
    }
  });
}

Deno.test("a value that cannot be carried as its signal's kind is an error that says the way out", async () => {
  const { code, stderr } = await convert(
    ["--from", "json", "--to", "csv"],
    '{"sequence": 1, "data": [1.5]}\n{"sequence": 2, "data": [true]}\n',
  );
  assertEquals(code, 5);
  assertStringIncludes(
    stderr,
    "Cannot write sample with sequence 2: value 0 is a boolean, and its signal a float; " +
      "--signals says what the signals are, and json and protobuf carry values of any kind",
  );
});

/** A datagram with a sample, to a port. */
function message(sequence: number, port: number): Uint8Array {
  return udp(
    port,
    villasProtobuf.encode([{
      type: "data",
      sequence: BigInt(sequence),
      origin: { sec: 9, nsec: 5 },
      values: [sequence + 0.5],
    }]),
  );
}

const at = { sec: 10, nsec: 6000 };

Deno.test("villas-convert takes the datagrams to a port out of a capture, with the times of their packets", async () => {
  await using files = await folder({});
  const packets = [
    ethernet(0x0800, ipv4(message(1, 12001))),
    ethernet(0x0806, new Uint8Array(28)),
    ethernet(0x0800, ipv4(message(1, 12000))),
    ethernet(0x86dd, ipv6(message(2, 12001)), ["8100 0064"]),
  ].map((bytes) => ({ bytes, ...at }));
  const expected = "# seconds.nanoseconds+offset(sequence)\tsignal0\n" +
    [1, 2].map((n) => `9.000000005+1.000006e+00(${n})\t${n}.50000000000000000\n`).join("");
  for (
    const [name, capture] of [["a.pcap", pcap(1, packets)], ["a.pcapng", pcapng(1, packets)], [
      "a.cap",
      pcap(1, packets, { little: false }),
    ]] as const
  ) {
    Deno.writeFileSync(`${files.path}/${name}`, capture);
    const { code, stdout, stderr } = await convert(["--port", "12001", `${files.path}/${name}`]);
    assertEquals([code, stdout], [0, expected], stderr);
  }
  assertEquals(
    (await convert(["--from", "pcap", "--port", "12001"], pcap(1, packets))).stdout,
    expected,
  );
  const none = await convert(["--from", "pcapng", "--port", "9"], pcap(1, packets));
  assertEquals(none.code, 0);
  assertStringIncludes(
    none.stderr,
    "There is no UDP datagram to port 9 among 4 packets; datagrams went to these ports: 12001 (2), 12000 (1)",
  );
});

Deno.test("fragments, packets cut short and strangers' datagrams in a capture are told with the number of the packet", async () => {
  const cases: [string, Uint8Array, RegExp][] = [
    [
      "a fragment",
      ipv4(message(1, 12001), { fragment: 0x2000 }),
      /Cannot read packet 2 at byte \d+ of the capture: its datagram was sent in several packets, and not all of them were captured whole; tcpdump -s 0 with udp as its filter/,
    ],
    [
      "a cut packet",
      ipv4(message(1, 12001)).slice(0, -4),
      /only \d+ of the \d+ bytes of its datagram were captured; tcpdump -s 0 captures all/,
    ],
    [
      "a stranger",
      ipv4(udp(12001, new Uint8Array(20).fill(255))),
      /Cannot read packet 2 at byte \d+ of the capture: Cannot decode/,
    ],
  ];
  for (const [name, bytes, expected] of cases) {
    const good = { bytes: ipv4(message(7, 12001)), ...at };
    const capture = pcap(101, [
      good,
      { bytes, ...at, length: ipv4(message(1, 12001)).length },
      good,
    ]);
    const refused = await convert(["--from", "pcap"], capture);
    assertEquals(refused.code, 5, name);
    assertMatch(refused.stderr, expected);
    const skipped = await convert(["--from", "pcap", "--skip-bad"], capture);
    assertEquals(skipped.code, 0, name);
    assertStringIncludes(skipped.stderr, "Converted 2 samples, 1 bad");
  }
  const cut = await convert(
    ["--from", "pcap"],
    pcap(101, [{ bytes: ipv4(message(7, 1)), ...at }, { bytes: ipv4(message(8, 1)), ...at }]).slice(
      0,
      -5,
    ),
  );
  assertEquals(cut.code, 0);
  assertMatch(
    cut.stderr,
    /warning: The capture ends inside packet 2, which begins at byte \d+: it is left out/,
  );
  assertStringIncludes(cut.stderr, "Converted 1 sample");
});

for (
  const [name, args] of [
    ["loopback", ["-i", "lo"]],
    ["Linux cooked", ["-i", "any"]],
    ["nanoseconds", ["-i", "lo", "--time-stamp-precision=nano"]],
  ] as const
) {
  Deno.test(`a capture that tcpdump makes is read: ${name}`, async () => {
    await using files = await folder({});
    const path = `${files.path}/a.pcap`;
    await using node = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    await using client = await bindDatagram({ listen: { hostname: "127.0.0.1", port: 0 } });
    const { port } = client.addr as Deno.NetAddr;
    let tcpdump: Deno.ChildProcess;
    try {
      const options: Deno.CommandOptions = {
        args: [...args, "-U", "-w", path, "udp", "port", `${port}`],
        stderr: "piped",
        stdout: "null",
      };
      tcpdump = new Deno.Command("tcpdump", options).spawn();
    } catch {
      return console.warn("tcpdump is missing: not tested");
    }
    const errors = tcpdump.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    while (!said.includes("listening on")) {
      const { value, done } = await errors.read();
      if (done) break;
      said += value;
    }
    if (said.includes("listening on")) {
      for (let i = 0; i < 20; i++) {
        await node.send(villasProtobuf.encode([samples[i]!]), client.addr);
        await client.receive();
      }
      // tcpdump is behind what it captures.
      for (let size = -1, now = 0; now === 0 || size < 20 * 60;) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        now = size = Deno.statSync(path).size;
      }
      tcpdump.kill("SIGINT");
    }
    while (!(await errors.read()).done);
    await tcpdump.status;
    if (!said.includes("listening on")) return console.warn(`tcpdump cannot capture here: ${said}`);
    const { code, stdout, stderr } = await convert(["--port", `${port}`, "--to", "json", path]);
    assertEquals(code, 0, stderr);
    const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    // On "any" a packet of the loopback is seen leaving and arriving.
    assertEquals(new Set(lines.map(({ sequence }) => sequence)).size, 20);
    assertEquals(lines[0].data, samples[0]!.values);
  });
}

for (const host of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams that Linux cut into packets on their way to ${host} are put together again`, async () => {
    await using files = await folder({});
    const path = `${files.path}/a.pcap`;
    // 100 samples of 4 values have more than 4,000 bytes.
    const parts = [0, 100, 200, 300].map((from) => samples.slice(from, from + 100));
    const lines = parts.map((part) => villasProtobuf.encode(part).toHex() + "\n").join("");
    const script = new URL("capture_fragments.py", import.meta.url).pathname;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command("unshare", {
        args: ["--map-root-user", "--net", "python3", script, host, path],
        stdin: "piped",
        stderr: "piped",
      }).spawn();
    } catch {
      return console.warn("unshare is missing: not tested");
    }
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines)).catch(() => {});
    await writer.close().catch(() => {});
    const { code: made, stderr: said } = await child.output();
    if (made !== 0) {
      return console.warn(`Cannot capture here: ${new TextDecoder().decode(said)}`);
    }
    const { code, stdout, stderr } = await convert(["--port", "12001", "--to", "protobuf", path]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "Converted 400 samples");
    assert(stdout.length > 0);
    const json = await convert(["--port", "12001", "--to", "json", path]);
    const sequences = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).sequence);
    assertEquals(sequences, Array.from({ length: 400 }, (_, i) => i));
  });
}

Deno.test("villas-convert does not write into a file called as a capture, unless it is told a format", async () => {
  await using files = await folder({});
  const refused = await convert(
    [`--from=villas.human`, "-", `${files.path}/out.pcap`],
    "1.5(1)\t1\n",
  );
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "captures are only read, by villas-convert");
});

Deno.test("what a recording says of its signals is understood with lines that end as on Windows", async () => {
  const input =
    "# seconds.nanoseconds(sequence)\ta\r\n# signals: 1i\r\n1.5(1)\t3\r\n1.6(2)\t4\t5\r\n";
  const { stdout, code, stderr } = await convert(["--to", "json"], input);
  assertEquals([code, stdout], [
    0,
    '{"ts": {"origin": [1, 5]}, "sequence": 1, "data": [3]}\n' +
    '{"ts": {"origin": [1, 6]}, "sequence": 2, "data": [4, 5.0]}\n',
  ], stderr);
});

Deno.test("a comment of signals that is not in the notation of recordings is a comment", async () => {
  for (const comment of ["voltage", "0f", "bf,", "u:float"]) {
    const input = `# signals: ${comment}\n1.5(1)\t3\n`;
    const { stdout, stderr } = await convert(["--to", "json"], input);
    const expected = '{"ts": {"origin": [1, 5]}, "sequence": 1, "data": [3.0]}\n';
    assertEquals(stdout, expected, stderr);
  }
});
