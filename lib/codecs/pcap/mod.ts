/**
 * Captures of network traffic (pcap and pcapng), and the UDP datagrams in them.
 *
 * @example The datagrams to a port
 * ```ts
 * import { CaptureDecoder, datagramOf } from "@labwire/labwire/codecs/pcap";
 * import { assertEquals } from "@std/assert";
 *
 * // A header, and a packet of IPv4 to UDP port 12001 with five bytes.
 * const capture = "d4c3b2a10200040000000000000000000000040065000000" +
 *   "000000000000000021000000" + "21000000" +
 *   "4500002100000000401100007f0000017f000001" + "2ee02ee1000d0000" + "68656c6c6f";
 * const decoder = new CaptureDecoder();
 * decoder.push(Uint8Array.fromHex(capture));
 * const found: string[] = [];
 * for (let packet; (packet = decoder.next());) {
 *   const datagram = datagramOf(packet);
 *   if (datagram?.port === 12001) found.push(new TextDecoder().decode(datagram.payload));
 * }
 * decoder.end();
 * assertEquals(found, ["hello"]);
 * ```
 *
 * @module
 */

export { CodecError } from "../../errors.ts";
export { CaptureDecoder } from "./capture.ts";
export { DatagramReader, type IncompleteDatagram } from "./fragments.ts";
export type { Packet } from "./packet.ts";
export { type CapturedDatagram, datagramOf, LINK_TYPES } from "./udp.ts";
