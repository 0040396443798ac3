/** Captures made by hand, from the documents of pcap, pcapng, IP and UDP. */

/** A packet in a capture. */
export interface PacketSpec {
  bytes: Uint8Array;
  sec?: number;
  nsec?: number;
  /** How long it was before it was cut. */
  length?: number;
}

/** Bytes of numbers, texts of hex digits, and bytes. */
export function join(...parts: (number | string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
        ? [...Uint8Array.fromHex(part.replaceAll(" ", ""))]
        : [...part]
    ),
  );
}

function uint(size: 2 | 4, value: number, little = false): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  if (size === 2) view.setUint16(0, value, little);
  else view.setUint32(0, value, little);
  return new Uint8Array(view.buffer);
}

/** A UDP datagram from port 12000. */
export function udp(port: number, payload: Uint8Array): Uint8Array {
  return join(uint(2, 12000), uint(2, port), uint(2, 8 + payload.length), "0000", payload);
}

/** An IPv4 packet. */
export function ipv4(
  content: Uint8Array,
  { fragment = 0, options = "", protocol = 17, id = 0x1234 } = {},
): Uint8Array {
  const header = 20 + options.length / 2;
  return join(
    0x40 | header / 4,
    0,
    uint(2, header + content.length),
    uint(2, id),
    uint(2, fragment),
    64,
    protocol,
    "0000",
    "7f000001",
    "7f000001",
    options,
    content,
  );
}

/** An IPv6 packet; `extensions` are the types and bytes of what lies before UDP. */
export function ipv6(content: Uint8Array, extensions: [number, string][] = []): Uint8Array {
  const types = [...extensions.map(([type]) => type), 17];
  const before = join(...extensions.flatMap(([, hex], i) => [types[i + 1]!, hex]));
  return join(
    "60000000",
    uint(2, before.length + content.length),
    types[0]!,
    64,
    "00000000000000000000000000000001",
    "00000000000000000000000000000001",
    before,
    content,
  );
}

/** Puts an Ethernet header before a packet, with tags of virtual networks. */
export function ethernet(type: number, content: Uint8Array, tags: string[] = []): Uint8Array {
  return join("020000000001", "020000000002", ...tags, uint(2, type), content);
}

/** A pcap file. */
export function pcap(
  linkType: number,
  packets: PacketSpec[],
  { little = true, nanoseconds = false } = {},
): Uint8Array<ArrayBuffer> {
  const u = (size: 2 | 4, value: number) => uint(size, value, little);
  const magic = nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4;
  return join(
    u(4, magic),
    u(2, 2),
    u(2, 4),
    u(4, 0),
    u(4, 0),
    u(4, 262144),
    u(4, linkType),
    ...packets.flatMap(({ bytes, sec = 0, nsec = 0, length = bytes.length }) => [
      u(4, sec),
      u(4, nanoseconds ? nsec : nsec / 1000),
      u(4, bytes.length),
      u(4, length),
      bytes,
    ]),
  );
}

/** A block of a pcapng file. */
export function block(type: number, content: Uint8Array, little = true): Uint8Array {
  const padded = join(content, new Uint8Array(-content.length & 3));
  const length = uint(4, padded.length + 12, little);
  return join(uint(4, type, little), length, padded, length);
}

/** A pcapng file with one interface; `resolution` is that of its times, as its option has it. */
export function pcapng(
  linkType: number,
  packets: PacketSpec[],
  { little = true, resolution = 6, simple = false } = {},
): Uint8Array<ArrayBuffer> {
  const u = (size: 2 | 4, value: number) => uint(size, value, little);
  const perSecond = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
  return join(
    block(0x0a0d0d0a, join(u(4, 0x1a2b3c4d), u(2, 1), u(2, 0), "ffffffffffffffff"), little),
    block(
      1,
      join(u(2, linkType), u(2, 0), u(4, 0), u(2, 9), u(2, 1), resolution, "000000", u(4, 0)),
      little,
    ),
    block(5, new Uint8Array(20), little), // statistics, which nobody needs
    ...packets.map(({ bytes, sec = 0, nsec = 0, length = bytes.length }) => {
      if (simple) return block(3, join(u(4, length), bytes), little);
      const units = BigInt(sec) * perSecond + BigInt(nsec) * perSecond / 1_000_000_000n;
      const [high, low] = [Number(units >> 32n), Number(units & 0xffffffffn)];
      return block(
        6,
        join(u(4, 0), u(4, high), u(4, low), u(4, bytes.length), u(4, length), bytes),
        little,
      );
    }),
  );
}
