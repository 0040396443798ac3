import type { Context } from "../../cli/context.ts";
import { stringifyJson } from "../../codecs/json/json.ts";
import { ConnectError, UsageError } from "../../errors.ts";
import { formatAddress } from "../../net/address/address.ts";
import { pingBytes, pingDatagrams, type PingOptions, type PingResult } from "../../socket/ping.ts";
import type { ClientValues } from "./exchange.ts";
import { wholeMessage } from "./message.ts";

/**
 * Sends one message many times and reports round-trip times.
 *
 * @param context Where the report goes.
 * @param values The options' values.
 * @param pieces The message.
 * @returns Whether anything was answered; false only if it was ended before.
 * @throws {ConnectError} If no server is there, or nothing was answered.
 */
export async function pingServer(
  context: Context,
  values: ClientValues & PingOptions,
  pieces: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const { host, port, timeout, output } = values;
  const message = await wholeMessage(pieces, values.signal);
  if (message.length === 0) {
    throw new UsageError("Cannot repeat an empty message: expected a byte at least");
  }
  const result = await (values.udp ? pingDatagrams : pingBytes)(message, values);
  if (output === "json") context.out.json(record(result));
  else if (output !== "none") context.out.text(report(result).join("\n"));
  if (result.answered > 0 || values.signal.aborted) return result.answered > 0;
  const where = formatAddress({ hostname: host, port });
  throw new ConnectError(`No answer from "${where}" in ${timeout} s`);
}

function report({ sent, answered, altered, lost, latency }: PingResult): string[] {
  const counts = [`${sent} sent`, `${answered} answered`, `${lost} lost`];
  if (altered > 0) counts.push(`${altered} answered with other bytes`);
  const lines = [counts.join(", ")];
  if (latency.count === 0) return lines;
  const { min, median, p99, max } = latency;
  const times = Object.entries({ min, median, p99, max })
    .map(([name, micros]) => `${name} ${micros.toFixed(1)} µs`);
  return [...lines, `round trip: ${times.join(", ")}`];
}

/** The record of `--output json`, with times in seconds, as in the records of the other commands. */
function record({ latency, ...counts }: PingResult): string {
  const { min, median, p99, max } = latency;
  const seconds = (micros: number) => Math.round(micros * 1e3) / 1e9;
  return stringifyJson({
    ...counts,
    roundTrip: latency.count === 0
      ? null
      : { min: seconds(min), median: seconds(median), p99: seconds(p99), max: seconds(max) },
  });
}
