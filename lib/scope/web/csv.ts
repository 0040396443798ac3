import type { StreamConnection } from "../../net/stream/connection.ts";
import type { Feed } from "../feed.ts";
import { copyPoints } from "../store/reduce.ts";
import { answerHead } from "./request.ts";

/** Samples that are written at a time. */
const PART = 1024;
/** Seconds by which a time may be rounded that a page names: it counts from 1970. */
const ROUNDING = 1e-6;

/**
 * Sends samples as a CSV file: one line for each time, with the values of all lanes; what a lane has no sample of stays empty.
 *
 * @param connection Where to.
 * @param feed What there is.
 * @param query `from` and `to` in s, both belong to it; `channels` as `LANE:CHANNEL,…`, by default all.
 * @param headers What the answer says besides.
 * @param isChunked Whether the answer may come in chunks (RFC 9112, section 7.1), by which the browser knows whether it is whole.
 * @returns False where samples were let go of before they were written: the answer then does not end as a whole one.
 */
export async function writeCsv(
  connection: StreamConnection,
  feed: Feed,
  query: URLSearchParams,
  headers: Readonly<Record<string, string>>,
  isChunked: boolean,
): Promise<boolean> {
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
    ...isChunked ? { "transfer-encoding": "chunked" } : {},
  });
  const write = (text: string) => {
    const bytes = encoder.encode(text);
    return connection.write(isChunked ? chunkOf(bytes) : bytes);
  };
  if (!await connection.write(head)) return true;
  const readers = feed.lanes.map((lane, index) => {
    const raw = lane.levels[0]!;
    const channels = wanted === undefined
      ? lane.channels.map((_, channel) => channel)
      : wanted.filter(([at, channel]) => at === index && channel! in lane.channels)
        .map(([, channel]) => channel!);
    return {
      ...{ lane, index, channels, part: undefined as ReturnType<typeof copyPoints> | undefined },
      ...{ next: raw.find(from - ROUNDING), at: 0, end: raw.find(to + ROUNDING) },
    };
  }).filter(({ channels }) => channels.length > 0);
  const names = readers.flatMap(({ channels, index }) =>
    channels.map((channel) => cell(channelName(feed, index, channel)))
  );
  if (!await write(["time [s]", ...names].join(",") + "\r\n")) return true;
  while (true) {
    if (readers.some(isOvertaken)) return false;
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
    if (text === "") {
      if (isChunked) await connection.write(encoder.encode("0\r\n\r\n"));
      return true;
    }
    if (!await write(text)) return true;
  }
}

const encoder = new TextEncoder();

function chunkOf(bytes: Uint8Array): Uint8Array {
  const size = encoder.encode(`${bytes.length.toString(16)}\r\n`);
  const chunk = new Uint8Array(size.length + bytes.length + 2);
  chunk.set(size);
  chunk.set(bytes, size.length);
  chunk.set([13, 10], size.length + bytes.length);
  return chunk;
}

interface Reader {
  readonly lane: Feed["lanes"][number];
  readonly channels: readonly number[];
  readonly end: number;
  part: ReturnType<typeof copyPoints> | undefined;
  next: number;
  at: number;
}

/** Whether samples are gone that come after those that were read. */
function isOvertaken({ lane, part, next, end }: Reader): boolean {
  return part !== undefined && next < Math.min(end, lane.levels[0]!.oldest);
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
