import type { Output } from "../../cli/output.ts";
import { hexdump } from "../../text/hexdump.ts";
import { stringifyJson } from "../../codecs/json/json.ts";
import { pythonBytes } from "../../text/python_bytes.ts";
import { formatAddress, type HostPort } from "../../net/address/address.ts";

/** The forms in which received bytes are printed. */
export const BYTES_FORMS = ["bytes", "json", "text", "hex", "hexdump", "raw", "none"] as const;

/** A form in which received bytes are printed. */
export type BytesForm = typeof BYTES_FORMS[number];

/** Prints what arrived and who sent it. The promise, if there is one, is to be waited for. */
export type ShowBytes = (bytes: Uint8Array, from: HostPort) => Promise<void> | undefined;

/**
 * Makes the function that prints received bytes. On a terminal `Received:` stands before them, with the sender over UDP, as
 * Python's tutorial prints it; in a file or pipe there is nothing but the data.
 *
 * @param form In which form.
 * @param out Where to.
 * @param udp Whether datagrams are printed, each of which may have another sender.
 */
export function bytesShower(form: BytesForm, out: Output, udp: boolean): ShowBytes {
  if (form === "none") return () => undefined;
  const ready = () => out.full ? out.ready() : undefined;
  if (form === "raw") {
    return (bytes) => {
      out.bytes(bytes);
      return ready();
    };
  }
  if (form === "json") {
    return (bytes, from) => {
      out.json(bytesRecord(bytes, from));
      return ready();
    };
  }
  const write = writers[form];
  const isLabelled = out.terminal;
  const between = form === "hexdump" ? "\n" : " ";
  const labelOf = (from: HostPort) => {
    return (udp ? `Received (from ${pythonAddress(from)}):` : "Received:") + between;
  };
  return (bytes, from) => {
    const text = isLabelled ? labelOf(from) + write(bytes) : write(bytes);
    out.text(text);
    return ready();
  };
}

const writers = {
  bytes: pythonBytes,
  // The line end that a message may have is that of the line printed here.
  text: (bytes: Uint8Array) => new TextDecoder().decode(bytes).replace(/\r?\n$/, ""),
  hex: (bytes: Uint8Array) => bytes.toHex(),
  hexdump,
};

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The record of `--output json`: when it arrived, the peer, and the bytes: as text if they are UTF-8, else in hex.
 *
 * @param bytes What arrived or was sent.
 * @param peer The other end.
 * @param from Who sent it, in a recording of both directions.
 */
export function bytesRecord(bytes: Uint8Array, peer: HostPort, from?: "client" | "server"): string {
  const head = { time: new Date(), peer: formatAddress(peer), ...(from && { from }) };
  try {
    return stringifyJson({ ...head, text: strictUtf8.decode(bytes) });
  } catch {
    return stringifyJson({ ...head, hex: bytes.toHex() });
  }
}

/**
 * Writes an address as Python prints those that its sockets give.
 *
 * @param address Host and port.
 * @returns `('127.0.0.1', 12345)`, or `('::1', 12345, 0, 0)` for IPv6.
 */
export function pythonAddress({ hostname, port }: HostPort): string {
  return hostname.includes(":") ? `('${hostname}', ${port}, 0, 0)` : `('${hostname}', ${port})`;
}
