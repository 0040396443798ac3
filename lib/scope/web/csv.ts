import type { StreamConnection } from "../../net/stream/connection.ts";
import type { Feed } from "../feed.ts";
import { copyPoints } from "../store/reduce.ts";
import { answerHead } from "./request.ts";

/** Samples that are written at a time. */
const PART = 1024;

/**
 * Sends samples as a CSV file: one line for each time, with the values of all lanes; what a lane has no sample of stays empty.
 *
 * @param connection Where to.
 * @param feed What there is.
 * @param query `from` and `to` in s; `channels` as `LANE:CHANNEL,…`, by default all.
 * @param headers What the answer says besides.
 */
export async function writeCsv(
  connection: StreamConnection,
  feed: Feed,
  query: URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const [from, to] = (["from", "to"] as const).map((name) => {
    const number = Number(query.get(name) ?? NaN);
    return Number.isNaN(number) ? name === "from" ? -Infinity : Infinity : number;
  }) as [number, number];
  const wanted = query.get("channels")?.split(",").map((each) => each.split(":").map(Number));
  const head = answerHead(200, {
    ...headers,
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": 'attachment; filename="labwire.csv"',
    "connection": "close",
  });
  if (!await connection.write(head)) return;
  const readers = feed.lanes.map((lane, index) => {
    const raw = lane.levels[0]!;
    const channels = wanted === undefined
      ? lane.channels.map((_, channel) => channel)
      : wanted.filter(([at, channel]) => at === index && channel! in lane.channels)
        .map(([, channel]) => channel!);
    return {
      ...{ lane, index, channels, part: undefined as ReturnType<typeof copyPoints> | undefined },
      ...{ next: raw.find(from), at: 0, end: raw.find(to) },
    };
  }).filter(({ channels }) => channels.length > 0);
  const names = readers.flatMap(({ channels, index }) =>
    channels.map((channel) => cell(channelName(feed, index, channel)))
  );
  const encoder = new TextEncoder();
  if (!await connection.write(encoder.encode(["time [s]", ...names].join(",") + "\r\n"))) return;
  while (true) {
    let text = "";
    for (let lines = 0; lines < PART; lines++) {
      let time = Infinity;
      for (const reader of readers) time = Math.min(time, timeOf(reader));
      if (time === Infinity) break;
      const cells = [(feed.zero + time).toFixed(6)];
      for (const reader of readers) {
        const isHere = timeOf(reader) === time;
        reader.channels.forEach((_, i) => {
          const value = isHere ? reader.part!.values[i]![reader.at]! : NaN;
          cells.push(Number.isNaN(value) ? "" : String(value));
        });
        if (isHere) reader.at++;
      }
      text += cells.join(",") + "\r\n";
    }
    if (text === "" || !await connection.write(encoder.encode(text))) return;
  }
}

interface Reader {
  readonly lane: Feed["lanes"][number];
  readonly channels: readonly number[];
  readonly end: number;
  part: ReturnType<typeof copyPoints> | undefined;
  next: number;
  at: number;
}

/** When the next sample of a reader is; Infinity after the last. */
function timeOf(reader: Reader): number {
  if (!reader.part || reader.at >= reader.part.times.length) {
    if (reader.next >= reader.end) return Infinity;
    const end = Math.min(reader.next + PART, reader.end);
    reader.part = copyPoints(reader.lane, reader.channels, reader.next, end);
    reader.next = end;
    reader.at = 0;
    if (reader.part.times.length === 0) return timeOf(reader);
  }
  return reader.part.times[reader.at]!;
}

/** What a channel is called. */
function channelName(feed: Feed, index: number, channel: number): string {
  const { signal, part } = feed.lanes[index]!.channels[channel]!;
  const { name = `signal${signal}`, unit } = feed.signals[signal] ?? {};
  const of = part === "value" || part === "magnitude" ? "" : `.${part}`;
  const lane = feed.descriptions.length > 1 ? `${feed.descriptions[index]!.name}.` : "";
  return `${lane}${name}${of}${unit === undefined || unit === "" ? "" : ` [${unit}]`}`;
}

/** A cell; a spreadsheet must not take a name from outside for a formula. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
