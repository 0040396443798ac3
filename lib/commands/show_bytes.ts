import { choice, type Option } from "../cli/options.ts";
import type { Output } from "../cli/output.ts";
import { hexdump } from "../codecs/hexdump.ts";
import { pythonBytes } from "../codecs/python_bytes.ts";
import type { HostPort } from "../net/address.ts";

/** How received bytes are shown. */
export type ShowFormat = "bytes" | "text" | "hex" | "hexdump" | "raw" | "none";

/** The option `--show`. */
export const showOption: Option<ShowFormat> = choice(
  ["bytes", "text", "hex", "hexdump", "raw", "none"],
  {
    default: "bytes",
    help: "Show what arrives as Python writes bytes, as UTF-8 text, as hex digits, in columns, " +
      "unchanged for pipes, or not at all",
  },
);

/** Shows what arrived; `from` is its sender where that is to be said. The promise, if there is one, is to be waited for. */
export type ShowBytes = (bytes: Uint8Array, from?: HostPort) => Promise<void> | undefined;

/**
 * Makes the function that shows received bytes.
 *
 * @param format How.
 * @param out Where to.
 */
export function bytesShower(format: ShowFormat, out: Output): ShowBytes {
  if (format === "none") return () => undefined;
  const ready = () => out.full ? out.ready() : undefined;
  if (format === "raw") {
    return (bytes) => {
      out.bytes(bytes);
      return ready();
    };
  }
  const write = writers[format];
  return (bytes, from) => {
    out.text(`Received${from ? ` (from ${pythonAddress(from)})` : ""}:${write(bytes)}`);
    return ready();
  };
}

const writers: Readonly<
  Record<Exclude<ShowFormat, "raw" | "none">, (bytes: Uint8Array) => string>
> = {
  bytes: (bytes) => ` ${pythonBytes(bytes)}`,
  text: (bytes) => ` ${new TextDecoder().decode(bytes)}`,
  hex: (bytes) => ` ${bytes.toHex()}`,
  hexdump: (bytes) => `\n${hexdump(bytes)}`,
};

/**
 * Writes an address as Python prints those that its sockets give.
 *
 * @param address Host and port.
 * @returns `('127.0.0.1', 12345)`, or `('::1', 12345, 0, 0)` for IPv6.
 */
export function pythonAddress({ hostname, port }: HostPort): string {
  return hostname.includes(":") ? `('${hostname}', ${port}, 0, 0)` : `('${hostname}', ${port})`;
}
