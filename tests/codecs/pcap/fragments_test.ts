/** Datagrams that were sent in several packets. */

import { assertEquals } from "@std/assert";
import { CaptureDecoder } from "../../../lib/codecs/pcap/capture.ts";
import { DatagramReader } from "../../../lib/codecs/pcap/fragments.ts";
import { random32 } from "../struct/random_values.ts";
import { ipv4, ipv6, join, type PacketSpec, pcap, udp } from "./captures.ts";

/** The ports and payloads of the datagrams in packets, and those that remain incomplete: the packet, and the port. */
function read(packets: PacketSpec[]) {
  const incomplete: [packet: number, port: number | undefined][] = [];
  const reader = new DatagramReader(({ packet, port }) => incomplete.push([packet.number, port]));
  const decoder = new CaptureDecoder();
  decoder.push(pcap(101, packets, { nanoseconds: true }));
  const whole: [port: number, payload: Uint8Array][] = [];
  for (let packet; (packet = decoder.next());) {
    const datagram = reader.take(packet);
    if (datagram) whole.push([datagram.port, datagram.payload.slice()]);
  }
  reader.end();
  return { whole, incomplete };
}

/** Pieces of a datagram with so many bytes in each, as IPv4 has them. */
function pieces4(datagram: Uint8Array, size: number, id: number): PacketSpec[] {
  return cut(datagram, size).map(([at, bytes, more]) => ({
    bytes: ipv4(bytes, { fragment: at / 8 | (more ? 0x2000 : 0), id }),
  }));
}

/** The same as IPv6 has them. */
function pieces6(datagram: Uint8Array, size: number, id: number): PacketSpec[] {
  return cut(datagram, size).map(([at, bytes, more]) => {
    const field = (at | Number(more)).toString(16).padStart(4, "0");
    return { bytes: ipv6(bytes, [[44, `00${field}${id.toString(16).padStart(8, "0")}`]]) };
  });
}

function cut(datagram: Uint8Array, size: number): [at: number, bytes: Uint8Array, more: boolean][] {
  return Array.from({ length: Math.ceil(datagram.length / size) }, (_, i) => [
    i * size,
    datagram.subarray(i * size, (i + 1) * size),
    (i + 1) * size < datagram.length,
  ]);
}

const payloadOf = (length: number, seed: number) => {
  const random = random32(seed);
  return Uint8Array.from({ length }, () => random() & 255);
};

for (const [version, pieces] of [["IPv4", pieces4], ["IPv6", pieces6]] as const) {
  Deno.test(`datagrams that ${version} sent in pieces are put together, whatever their order, among others`, () => {
    for (const length of [1473, 4000, 65_000]) {
      const [a, b] = [payloadOf(length, 1), payloadOf(length, 2)];
      const [first, second] = [pieces(udp(12001, a), 1480, 1), pieces(udp(12002, b), 1480, 2)];
      const found: ReturnType<typeof read> = {
        whole: [[12001, a], [12002, b]],
        incomplete: [],
      };
      assertEquals(read([...first, ...second]), found);
      assertEquals(read([...first].reverse().concat([...second].reverse())), found);
      const mixed = first.flatMap((piece, i) => [piece, second[i]!]);
      assertEquals(read(mixed), found);
      // One that came twice counts once.
      assertEquals(read([first[1]!, ...first, ...second]).whole, found.whole);
    }
  });

  Deno.test(`a datagram of ${version} whose pieces were not all captured is told, with its port where that is known`, () => {
    const packets = pieces(udp(12001, payloadOf(4000, 1)), 1480, 1);
    assertEquals(read(packets.slice(0, 1)), { whole: [], incomplete: [[1, 12001]] });
    assertEquals(read(packets.slice(1)), { whole: [], incomplete: [[1, undefined]] });
    assertEquals(read([packets[0]!, packets[2]!]), { whole: [], incomplete: [[1, 12001]] });
    const short = { bytes: packets[1]!.bytes.slice(0, -9), length: packets[1]!.bytes.length };
    assertEquals(read(packets.with(1, short)).incomplete, [[1, 12001]]);
  });

  Deno.test(`the number of a datagram of ${version} may be given to another one later`, () => {
    const [a, b] = [payloadOf(4000, 1), payloadOf(4000, 2)];
    const at = (sec: number) => (packet: PacketSpec) => ({ ...packet, sec });
    const old = pieces(udp(12001, a), 1480, 7).slice(1).map(at(10));
    const next = pieces(udp(12001, b), 1480, 7).map(at(17));
    assertEquals(read([...old, ...next]), { whole: [[12001, b]], incomplete: [[1, undefined]] });
  });

  Deno.test(`pieces of ${version} without end take no more than so much memory`, () => {
    const packets = Array.from(
      { length: 1000 },
      (_, id) => pieces(udp(5, payloadOf(3000, 1)), 1480, id)[0]!,
    );
    const whole = pieces(udp(12001, payloadOf(3000, 1)), 1480, 5000);
    const found = read([...packets, ...whole]);
    assertEquals([found.whole.length, found.incomplete.length], [1, 1000]);
  });
}

Deno.test("damaged pieces throw nothing", () => {
  const random = random32(3);
  const packets = [
    ...pieces4(udp(1, payloadOf(4000, 1)), 1480, 1),
    ...pieces6(udp(1, payloadOf(4000, 1)), 1480, 1),
  ];
  for (let round = 0; round < 3000; round++) {
    read(packets.map(({ bytes }) => {
      const changed = bytes.slice(0, random() % 4 ? undefined : random() % bytes.length);
      for (let i = 0; i < 3; i++) {
        changed[random() % Math.min(60, changed.length || 1)] = random() & 255;
      }
      return { bytes: join(changed) };
    }));
  }
});
