import { assert, assertEquals, assertThrows } from "@std/assert";
import { CaptureDecoder } from "../../../lib/codecs/pcap/capture.ts";
import { datagramOf } from "../../../lib/codecs/pcap/udp.ts";
import { CodecError } from "../../../lib/errors.ts";
import { block, ethernet, ipv4, ipv6, join, pcap, pcapng, udp } from "./captures.ts";

const payload = new TextEncoder().encode("hello");

/** What is in a capture that comes in chunks of a size. */
function read(capture: Uint8Array, size = capture.length) {
  const decoder = new CaptureDecoder();
  const found: unknown[] = [];
  for (let at = 0; at < capture.length; at += size) {
    decoder.push(capture.slice(at, at + size));
    for (let packet; (packet = decoder.next());) {
      const datagram = datagramOf(packet);
      found.push(
        datagram && {
          time: packet.time,
          port: datagram.port,
          text: new TextDecoder().decode(datagram.payload),
          ...datagram.isFragment && { isFragment: true },
          ...datagram.length !== datagram.payload.length && { length: datagram.length },
        },
      );
    }
  }
  decoder.end();
  return found;
}

const datagram = udp(12001, payload);
const [v4, v6] = [ipv4(datagram), ipv6(datagram)];
const time = { sec: 1_795_253_843, nsec: 123_456_000 };
const hello = { time, port: 12001, text: "hello" };

/** Name, link type, packet. */
const links: [string, number, Uint8Array][] = [
  ["Ethernet, IPv4", 1, ethernet(0x0800, v4)],
  ["Ethernet, IPv6", 1, ethernet(0x86dd, v6)],
  [
    "Ethernet with padding behind a short packet",
    1,
    join(ethernet(0x0800, v4), new Uint8Array(13)),
  ],
  ["a virtual network", 1, ethernet(0x0800, v4, ["8100 0064"])],
  ["a virtual network in another", 1, ethernet(0x86dd, v6, ["88a8 0064", "8100 0065"])],
  ["IPv4 with options", 1, ethernet(0x0800, ipv4(datagram, { options: "01010101" }))],
  [
    "IPv6 with extensions",
    1,
    ethernet(
      0x86dd,
      ipv6(datagram, [[0, "00000000000000"], [60, "00010400000000"]]),
    ),
  ],
  ["raw IP, IPv4", 101, v4],
  ["raw IP, IPv6", 101, v6],
  ["raw IP as OpenBSD numbers it", 14, v4],
  ["IPv4", 228, v4],
  ["IPv6", 229, v6],
  ["BSD loopback, IPv4, little endian", 0, join("02000000", v4)],
  ["BSD loopback, IPv6 of macOS", 0, join("1e000000", v6)],
  ["OpenBSD loopback", 108, join("00000002", v4)],
  ["Linux cooked", 113, join("0000 0304 0006 000000000000 0000 0800", v4)],
  [
    "Linux cooked, virtual network",
    113,
    join("0000 0001 0006 020000000001 0000 8100 0064 86dd", v6),
  ],
  ["Linux cooked v2", 276, join("0800 0000 00000001 0304 00 06 0000000000000000", v4)],
];

for (const [name, linkType, bytes] of links) {
  Deno.test(`a datagram is found behind: ${name}`, () => {
    assertEquals(read(pcap(linkType, [{ bytes, ...time }])), [hello]);
    assertEquals(read(pcapng(linkType, [{ bytes, ...time }])), [hello]);
  });
}

Deno.test("pcap and pcapng are read in both byte orders, with micro- and nanoseconds, in chunks of any size", () => {
  const packets = [{ bytes: v4, ...time }, { bytes: v6, ...time }];
  for (const little of [true, false]) {
    for (
      const capture of [
        pcap(101, packets, { little }),
        pcap(101, packets, { little, nanoseconds: true }),
        pcapng(101, packets, { little }),
        pcapng(101, packets, { little, resolution: 9 }),
      ]
    ) {
      for (const size of [1, 7, 64, capture.length]) {
        assertEquals(read(capture, size), [hello, hello]);
      }
    }
  }
  const exact = { sec: 1_795_253_843, nsec: 123_456_789 };
  assertEquals(read(pcap(101, [{ bytes: v4, ...exact }], { nanoseconds: true })), [{
    ...hello,
    time: exact,
  }]);
  assertEquals(read(pcapng(101, [{ bytes: v4, ...exact }], { resolution: 9 })), [{
    ...hello,
    time: exact,
  }]);
  const half = { sec: 3, nsec: 500_000_000 };
  assertEquals(read(pcapng(101, [{ bytes: v4, ...half }], { resolution: 0x80 | 10 })), [{
    ...hello,
    time: half,
  }]);
});

Deno.test("a pcapng of several sections, and one of packets without times, are read", () => {
  const one = pcapng(101, [{ bytes: v4, ...time }]);
  const other = pcapng(1, [{ bytes: ethernet(0x0800, v4), ...time }], { little: false });
  assertEquals(read(join(one, other)), [hello, hello]);
  assertEquals(read(pcapng(101, [{ bytes: v4 }], { simple: true })), [{
    ...hello,
    time: undefined,
  }]);
});

Deno.test("what is no datagram is nothing: TCP, ARP, later fragments, short and unknown packets", () => {
  const others = [
    ethernet(0x0806, new Uint8Array(28)),
    ethernet(0x0800, ipv4(datagram, { protocol: 6 })),
    ethernet(0x0800, ipv4(datagram, { fragment: 0x0005 })),
    ethernet(0x86dd, ipv6(datagram, [[44, "00 0008 00000001".replaceAll(" ", "")]])),
    ethernet(0x0800, v4).subarray(0, 30),
    new Uint8Array(),
  ];
  assertEquals(read(pcap(1, others.map((bytes) => ({ bytes })))), others.map(() => undefined));
});

Deno.test("the first fragment of a datagram, and one that was cut when it was captured, are told apart from whole ones", () => {
  const first = ipv4(datagram, { fragment: 0x2000 });
  const first6 = ipv6(datagram, [[44, "00 0001 00000001".replaceAll(" ", "")]]);
  const cut = { bytes: v4.subarray(0, v4.length - 2), length: v4.length };
  const found = read(
    pcap(101, [{ bytes: first, ...time }, { bytes: first6, ...time }, { ...cut, ...time }]),
  );
  assertEquals(found, [
    { ...hello, isFragment: true },
    { ...hello, isFragment: true },
    { ...hello, text: "hel", length: 5 },
  ]);
});

Deno.test("what is no capture, ends in a packet or is damaged is an error with its place", () => {
  const whole = pcap(101, [{ bytes: v4, ...time }, { bytes: v4, ...time }]);
  const second = 24 + 16 + v4.length;
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(), /expected pcap or pcapng, and it is empty/],
    [whole.subarray(0, 10), /it ends in its header/],
    [new TextEncoder().encode("1.5(1)\t2\n"), /it begins with the bytes 312e3528/],
    [
      whole.subarray(0, whole.length - 3),
      new RegExp(`ends inside packet 2, which begins at byte ${second}`),
    ],
    [whole.subarray(0, second + 5), /ends inside packet 2/],
    [
      join(whole.subarray(0, second), "ffffffff".repeat(4)),
      new RegExp(`damaged at byte ${second}`),
    ],
    [join(pcapng(101, []), block(6, new Uint8Array(8))), /a packet that is too short/],
    [join(pcapng(101, []), "06000000 0d000000 00000000 00000000"), /says to have 13 bytes/],
    [join(pcapng(101, []), "06000000 10000000 00000000 14000000"), /two lengths differ/],
  ];
  for (const [capture, expected] of cases) {
    const error = assertThrows(() => read(capture), CodecError);
    assert(expected.test(error.message), `${error.message} does not match ${expected}`);
    assertEquals(typeof error.offset, "number");
  }
});

Deno.test("damaged captures throw nothing but a CodecError", () => {
  let seed = 1;
  const random = () => (seed = seed * 48271 % 0x7fffffff) / 0x7fffffff;
  const captures = [
    pcap(1, [{ bytes: ethernet(0x86dd, v6, ["8100 0064"]), ...time }, {
      bytes: ethernet(0x0800, v4),
    }]),
    pcapng(276, [{ bytes: join("0800 0000 00000001 0304 00 06 0000000000000000", v4), ...time }]),
  ];
  let errors = 0;
  for (let round = 0; round < 20_000; round++) {
    const capture = captures[round % 2]!.slice();
    for (let i = 0; i < 3; i++) {
      capture[Math.floor(random() * capture.length)] = Math.floor(random() * 256);
    }
    try {
      read(capture);
    } catch (error) {
      assert(error instanceof CodecError, String(error));
      errors++;
    }
  }
  assert(errors > 100, `${errors}`);
});
