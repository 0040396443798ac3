/** Tries out the client for Python that `labwire client-py` writes, with every Python there is, against the running program. */

import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { folder, serve as serveJson } from "../cli/json_serve.ts";
import { labwire, startServer } from "../cli/run.ts";
import { serve as serveLine } from "../cli/struct_serve.ts";
import { makeCertificate } from "./certificate.ts";
import { needs } from "./peer.ts";
import { PYTHON } from "./python.ts";
import { pythons } from "./pythons.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { ignore, note } = needs(PYTHON, "openssl");

Deno.test({
  name: `client-py: commands, records and samples, with each Python from 3.8 on${note}`,
  ignore,
  async fn(test) {
    const { code, stdout } = await labwire(["client-py"]);
    assertEquals(code, 0);
    await using client = await folder({ "labwire_client.py": stdout });
    await using certificate = await makeCertificate();
    const equipment = ["--exec-persistent", `${PYTHON} ${here("client_py_equipment.py")}`];
    const tls = ["--tls-cert", certificate.certFile, "--tls-key", certificate.keyFile];
    await using json = await serveJson([...equipment, "--output", "none"]);
    await using secure = await serveJson([...equipment, "--output", "none", ...tls]);
    await using line = await serveLine(["--format", "<Id", "--echo", "--output", "none"]);
    const samples = [await echoedSamples(), await pipedSamples()];
    const args = [json.addr.port, line.port, secure.addr.port, certificate.certFile].map(String);
    for (const [i, { path, version }] of pythons().entries()) {
      await test.step(`Python ${version} (${path})`, async () => {
        const child = new Deno.Command(path, {
          args: ["-W", "error", "-B", here("client_py_peer.py"), ...args],
          env: { PYTHONPATH: client.path },
          stdin: "piped",
          stdout: "null",
          stderr: "piped",
        }).spawn();
        const writer = child.stdin.getWriter();
        const sending = writer.write(new TextEncoder().encode(samples[i % 2]))
          .then(() => writer.close());
        const { success, stderr } = await child.output();
        await sending.catch(() => {});
        const said = new TextDecoder().decode(stderr);
        assertEquals([success, /Ran [1-9]\d+ tests/.test(said)], [true, true], said);
      });
    }
  },
});

/** What `villas-pipe` prints of three samples. */
async function pipedSamples(): Promise<string> {
  const listen = ["--listen", "127.0.0.1:0", "--any-source"];
  await using pipe = startServer([
    "villas-pipe",
    ...listen,
    "--output",
    "json",
    "--limit-received",
    "3",
  ]);
  const [, port] = await pipe.until("stderr", /Listening on 127\.0\.0\.1:(\d+)/);
  const signal = ["villas-signal", "counter", "--limit", "3", "--no-return", "--rate", "100"];
  await labwire([...signal, "--to", `127.0.0.1:${port}`, "--listen", ":0", "--output", "none"]);
  return (await pipe.result()).stdout;
}

/** What `villas-echo` prints of three samples. */
async function echoedSamples(): Promise<string> {
  const any = ["--any-source", "--reply-to", "sender"];
  await using echo = startServer([
    "villas-echo",
    "--listen",
    "127.0.0.1:0",
    ...any,
    "--output",
    "json",
  ]);
  const [, port] = await echo.until("stderr", /Listening on 127\.0\.0\.1:(\d+)[^]*Ready\./);
  const signal = ["villas-signal", "counter", "--limit", "3", "--output", "none", "--rate", "100"];
  const { code, stderr } = await labwire([
    ...signal,
    "--to",
    `127.0.0.1:${port}`,
    "--listen",
    ":0",
  ]);
  assertEquals(code, 0, stderr);
  await echo.until("stdout", /(.*\n){3}/);
  echo.interrupt();
  return (await echo.result()).stdout;
}
