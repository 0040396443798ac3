/**
 * Captures of network traffic (pcap and pcapng), and the UDP datagrams in them.
 *
 * @module
 */

export { CodecError } from "../../errors.ts";
export { CaptureDecoder } from "./capture.ts";
export { DatagramReader, type IncompleteDatagram } from "./fragments.ts";
export type { Packet } from "./packet.ts";
export { type CapturedDatagram, datagramOf, LINK_TYPES } from "./udp.ts";
