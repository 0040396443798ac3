import type { Format } from "../codecs/villas/format.ts";
import type { Sample } from "../codecs/villas/sample.ts";
import { CaptureDecoder } from "../codecs/pcap/capture.ts";
import type { Packet } from "../codecs/pcap/packet.ts";
import { DatagramReader, type IncompleteDatagram } from "../codecs/pcap/fragments.ts";
import { type CapturedDatagram, LINK_TYPES } from "../codecs/pcap/udp.ts";
import { CodecError } from "../errors.ts";
import type { SampleStreamOptions } from "./sample_stream.ts";

/** Ports that are remembered at most, to say which there were. */
const MOST_PORTS = 1000;

/** How the samples of a capture are found. */
export interface CapturedSamplesOptions extends SampleStreamOptions {
  /** The format of the messages. */
  readonly format: Format;
  /** The port that the datagrams went to. Default: any. */
  readonly port?: number;
}

/** Reads the samples of VILLASnode's UDP datagrams in a capture of network traffic; pcap and pcapng are told apart by what is in them. */
export class CapturedSamples {
  readonly #options: CapturedSamplesOptions;
  readonly #ports = new Map<number, number>();
  readonly #reader = new DatagramReader((datagram) => this.#tellIncomplete(datagram));
  #packets = 0;
  #datagrams = 0;

  /** @param options What is wanted, and what is to become of what cannot be read. */
  constructor(options: CapturedSamplesOptions) {
    this.#options = options;
  }

  /** Packets in the capture so far. */
  get packets(): number {
    return this.#packets;
  }

  /** UDP datagrams among them that went to the port. */
  get datagrams(): number {
    return this.#datagrams;
  }

  /** The ports that UDP datagrams went to and how many, the busiest first. */
  get ports(): readonly (readonly [port: number, count: number])[] {
    return [...this.#ports].sort(([, a], [, b]) => b - a);
  }

  /**
   * Reads a capture. Each sample is received when its packet was captured.
   *
   * @param chunks The bytes of the capture, as they come.
   * @returns The samples of one datagram after another.
   * @throws {CodecError} If it is no capture or damaged, or, unless `onBad` takes it, if a datagram cannot be read.
   */
  async *read(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Sample[], void, void> {
    const decoder = new CaptureDecoder();
    const { onCut } = this.#options;
    for await (const chunk of chunks) {
      decoder.push(chunk);
      for (let packet; (packet = decoder.next());) {
        this.#packets++;
        const samples = this.#samplesOf(packet);
        if (samples && samples.length > 0) yield samples;
      }
    }
    this.#reader.end();
    try {
      decoder.end();
    } catch (error) {
      if (!(error instanceof CodecError) || this.#packets === 0) throw error;
      onCut?.(`${error.message}: it is left out`);
    }
  }

  /** The samples of a packet; undefined if it is of no interest, or bad. */
  #samplesOf(packet: Packet): Sample[] | undefined {
    const { port, format } = this.#options;
    try {
      if (!LINK_TYPES.has(packet.linkType)) {
        const known = [...new Set(LINK_TYPES.values())].join(", ");
        throw new CodecError(`its link type is ${packet.linkType}: expected ${known}`);
      }
      const datagram = this.#reader.take(packet);
      if (!datagram) return undefined;
      this.#count(datagram.port);
      if (port !== undefined && datagram.port !== port) return undefined;
      this.#datagrams++;
      checkWhole(datagram);
      const samples = format.decode(datagram.payload);
      const { time } = packet;
      return time === undefined
        ? samples
        : samples.map((sample) => ({ ...sample, received: time }));
    } catch (error) {
      if (!(error instanceof CodecError) || error instanceof BadPacket) throw error;
      this.#tell(packet, error.message);
    }
  }

  #tellIncomplete({ packet, port: to }: IncompleteDatagram): void {
    const { port } = this.#options;
    if (to !== undefined) {
      this.#count(to);
      if (port !== undefined && to !== port) return;
      this.#datagrams++;
    }
    this.#tell(
      packet,
      "its datagram was sent in several packets, and not all of them were captured whole; " +
        "tcpdump -s 0 with udp as its filter captures them, with a port only the first of them",
    );
  }

  /** Says that a packet cannot be read. */
  #tell({ number, offset }: Pick<Packet, "number" | "offset">, why: string): void {
    const { onBad } = this.#options;
    const message = `Cannot read packet ${number} at byte ${offset} of the capture: ${why}`;
    const error = new BadPacket(message, { offset });
    if (!onBad) throw error;
    onBad(error);
  }

  #count(port: number): void {
    const count = this.#ports.get(port) ?? 0;
    if (count > 0 || this.#ports.size < MOST_PORTS) this.#ports.set(port, count + 1);
  }
}

/** Says which packet cannot be read. */
class BadPacket extends CodecError {}

function checkWhole({ payload, length }: CapturedDatagram): void {
  if (payload.length < length) {
    throw new CodecError(
      `only ${payload.length} of the ${length} bytes of its datagram were captured; tcpdump -s 0 captures all`,
    );
  }
}
