/**
 * The wire protocols by which laboratory programs exchange signals and commands, as functions: VILLASnode samples, commands in
 * JSON, records in the notation of Python's `struct`, plain bytes. A line for each room of the library; most rooms are also
 * entries of their own, such as `@labwire/labwire/json`, which load nothing else.
 *
 * @example A power supply that JSON commands set and read
 * ```ts
 * import { sendJson, startJsonServer } from "@labwire/labwire";
 * import { assertEquals } from "@std/assert";
 *
 * let volts = 0;
 * await using supply = startJsonServer({
 *   port: 0,
 *   commands: { set_voltage: (data) => void (volts = data.volts), get_voltage: () => volts },
 * });
 * await sendJson({ command_id: "set_voltage", volts: 12.5 }, { port: supply.addr.port });
 * assertEquals(volts, 12.5);
 * ```
 *
 * @module
 */

export * from "./lib/codecs/json/mod.ts";
export * from "./lib/codecs/pcap/mod.ts";
export * from "./lib/codecs/struct/mod.ts";
export * from "./lib/codecs/villas/mod.ts";
export * from "./lib/json/mod.ts";
export * from "./lib/net/mod.ts";
export * from "./lib/process/mod.ts";
export * from "./lib/recording/mod.ts";
export * from "./lib/scope/mod.ts";
export * from "./lib/socket/mod.ts";
export * from "./lib/struct/mod.ts";
export * from "./lib/text/mod.ts";
export * from "./lib/time/mod.ts";
export * from "./lib/villas/mod.ts";
