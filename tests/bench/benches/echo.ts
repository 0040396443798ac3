/** `villas-echo` beside an echo in C, and Python with protobuf. */

import type { Bench, Contestant, Figures, Settings } from "../bench.ts";
import { PROTOBUF } from "../../interop/python.ts";
import { cProgram, folder, here, needsCompiler } from "../programs.ts";
import { type Echo, echoContestant, labwireEchoes, loadEcho, startEcho } from "./udp.ts";

const C = "C, recvfrom and sendto";
const PYTHON = "Python with protobuf";
const STOCK = "the stock Python client, printing";
const UNITS = {
  rate: "echoes/s",
  p50: "µs",
  p99: "µs",
  "p99.9": "µs",
  lost: "datagrams",
};

function c(): Promise<Echo> {
  return startEcho((port) => [cProgram("udp_echo"), String(port)]);
}

function python(): Promise<Echo> {
  return startEcho((port) => [PROTOBUF!.python, here("peers/python_echo.py"), String(port)]);
}

/** Everybody who returns what arrives and prints nothing. */
function echoes(measure: (echo: Echo, warmUp: boolean) => Promise<Figures>): Contestant[] {
  return [
    echoContestant(C, c, measure),
    ...PROTOBUF ? [echoContestant(PYTHON, python, measure)] : [],
    ...labwireEchoes(["--output", "none"])
      .map(({ name, start }) => echoContestant(name, start, measure)),
  ];
}

/** How many echoes a second there are with 32 datagrams in flight. */
function throughput({ quick }: Settings, changes = false) {
  return async (echo: Echo, warmUp: boolean): Promise<Figures> => {
    const seconds = quick ? 0.5 : warmUp ? 3 : 2;
    const { rate, lost } = await loadEcho(echo, { window: 32, seconds, changes });
    return { rate, lost };
  };
}

/** The same, and the round trip with one in flight. */
function throughputAndRoundTrip(settings: Settings) {
  const loaded = throughput(settings);
  return async (echo: Echo, warmUp: boolean): Promise<Figures> => {
    const figures = await loaded(echo, warmUp);
    const seconds = settings.quick || warmUp ? 0.5 : 2;
    const { rtt } = await loadEcho(echo, { window: 1, seconds });
    return { ...figures, p50: rtt.p50, p99: rtt.p99, "p99.9": rtt.p999 };
  };
}

/** `villas-echo --output none` returns what it receives. */
export const echo: Bench = {
  name: "echo",
  title: "UDP echo of 80 bytes: rate with 32 in flight, round trip with one",
  units: UNITS,
  goals: [
    { figure: "rate", least: 0.95, times: C },
    { figure: "rate", least: 2, times: PYTHON },
    { figure: "p50", most: 1, times: PYTHON },
    { figure: "p50", most: 1.2, times: C },
    { figure: "p99", most: 1.5, times: C },
  ],
  needs: needsCompiler,
  contestants: (settings) => echoes(throughputAndRoundTrip(settings)),
};

/** The round trip at the rate of a real-time simulator, between whose steps everything sleeps. */
export const echoPaced: Bench = {
  name: "echo-1kHz",
  title: "UDP echo of 80 bytes, 1,000 a second at even intervals",
  units: UNITS,
  goals: [{ figure: "p50", most: 1, times: PYTHON }],
  needs: needsCompiler,
  contestants({ quick }) {
    const measure = async (echo: Echo, warmUp: boolean): Promise<Figures> => {
      const seconds = quick || warmUp ? 1 : 4;
      const { rtt, lost } = await loadEcho(echo, { window: 1, seconds, rate: 1000 });
      return { p50: rtt.p50, p99: rtt.p99, "p99.9": rtt.p999, lost };
    };
    return echoes(measure);
  },
};

/** A handler in JavaScript doubles the values. */
export const echoHandler: Bench = {
  name: "echo-handler",
  title: "UDP echo with a JavaScript handler that doubles the values, 32 in flight",
  units: UNITS,
  goals: [{ figure: "rate", least: 0.6, times: C }],
  needs: needsCompiler,
  contestants(settings) {
    const handler = `${folder}/double.js`;
    Deno.writeTextFileSync(
      handler,
      "export default (sample) => ({ values: sample.values.map((value) => 2 * value) });\n",
    );
    const measure = throughput(settings, true);
    return [
      echoContestant(C, c, measure),
      ...labwireEchoes(["--output", "none", "--handler", handler])
        .map(({ name, start }) => echoContestant(name, start, measure)),
    ];
  },
};

/** A handler in Python doubles the values of many samples at once. */
export const echoPython: Bench = {
  name: "echo-python",
  title: "UDP echo with handle_batch() in Python that doubles the values, 32 in flight",
  units: UNITS,
  goals: [{ figure: "rate", least: 0.8, times: PYTHON }],
  needs: () => needsCompiler() ?? (PROTOBUF ? undefined : "Python with protobuf"),
  contestants(settings) {
    const handler = `${folder}/double.py`;
    Deno.writeTextFileSync(
      handler,
      "import numpy\ndef handle_batch(samples): return 2 * samples.values\n",
    );
    const args = ["--output", "none", "--python", PROTOBUF!.python, "--handler", handler];
    return [
      echoContestant(PYTHON, python, throughput(settings)),
      ...labwireEchoes(args)
        .map(({ name, start }) => echoContestant(name, start, throughput(settings, true))),
    ];
  },
};

/** What arrives is printed to a file, in each form. */
export const echoPrint: readonly Bench[] = (["json", "text", "villas.human"] as const).map((
  form,
) => ({
  name: `echo-print-${form.replace("villas.", "")}`,
  title: `UDP echo with what arrives printed to a file, --output ${form}, 32 in flight`,
  units: UNITS,
  goals: [{ figure: "rate", least: 2, times: STOCK }],
  needs: () => needsCompiler() ?? (PROTOBUF ? undefined : "Python with protobuf"),
  contestants(settings) {
    const measure = throughput(settings);
    const printing = (name: string, start: (file: string) => Promise<Echo>): Contestant => {
      const file = `${folder}/${name.replace(/\W+/g, "-")}.out`;
      return echoContestant(name, () => start(file), async (echo, warmUp) => {
        const figures = await measure(echo, warmUp);
        await Deno.truncate(file);
        return figures;
      });
    };
    return [
      printing(STOCK, (file) => startEcho(stockClient, { file, ready: /Ready/ })),
      ...labwireEchoes(["--output", form]).map(({ name, start }) => printing(name, start)),
    ];
  },
}));

function stockClient(port: number, remote: number): string[] {
  return [PROTOBUF!.python, here("peers/python_client.py"), String(port), String(remote)];
}
