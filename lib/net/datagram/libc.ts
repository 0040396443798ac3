/**
 * The calls of Linux that receive and send many datagrams at once, through Deno's FFI. This is the only file with addresses of memory
 * in it: whoever uses it cannot make the system read or write outside of the memory that is reserved here, and what of it can be got hold
 * of, payloads and addresses, cannot be transferred to somebody else (`memory.ts`).
 *
 * The structures are those of Linux on 64-bit processors that are little-endian, x86-64 and ARM64, where they are the same. One
 * {@linkcode Messages} has four arrays of them, an element for each datagram:
 *
 * | offset | `struct mmsghdr`, 64 bytes                  | value                                                |
 * | ------ | ------------------------------------------- | ---------------------------------------------------- |
 * | 0      | `msg_hdr.msg_name`, pointer                 | the element of the array of addresses                |
 * | 8      | `msg_hdr.msg_namelen`, 4 bytes and 4 unused | its length; receiving puts the real one here         |
 * | 16     | `msg_hdr.msg_iov`, pointer                  | the element of the array of `iovec`                  |
 * | 24     | `msg_hdr.msg_iovlen`, 8                     | 1                                                    |
 * | 32     | `msg_hdr.msg_control`, pointer              | the element of the array of control data, or 0       |
 * | 40     | `msg_hdr.msg_controllen`, 8                 | its length; receiving puts the real one here         |
 * | 48     | `msg_hdr.msg_flags`, 4 and 4 unused         | put here by receiving                                |
 * | 56     | `msg_len`, 4 and 4 unused                   | put here by both: bytes of the payload               |
 *
 * | offset | `struct iovec`, 16 bytes | value                             |
 * | ------ | ------------------------ | --------------------------------- |
 * | 0      | `iov_base`, pointer      | where the payload is or goes      |
 * | 8      | `iov_len`, 8             | its length, or that of the room   |
 *
 * | offset | `struct cmsghdr` with a time, 32 bytes | value                                     |
 * | ------ | -------------------------------------- | ----------------------------------------- |
 * | 0      | `cmsg_len`, 8                          | 32                                        |
 * | 8      | `cmsg_level`, 4                        | `SOL_SOCKET`                              |
 * | 12     | `cmsg_type`, 4                         | `SO_TIMESTAMPNS`                          |
 * | 16     | `tv_sec`, 8                            | when it arrived, by the wall clock        |
 * | 24     | `tv_nsec`, 8                           |                                           |
 *
 * Addresses are in `socket_address.ts`. Memory that only a pointer in other memory leads to would be freed by the collector, so every
 * array is a field of the object that the pointers are in.
 *
 * @module
 */

import type { HostPort } from "../address/address.ts";
import { fixedMemory } from "./memory.ts";
import type { GroupWay } from "./multicast.ts";
import { ADDRESS_ROOM, encodeAddress, sameAddress } from "./socket_address.ts";

/** Datagrams for one call, at most. */
export const MOST_MESSAGES = 64;

const HEADER = 64;
const IOVEC = 16;
const CONTROL = 32;

/** From Linux's `<asm-generic/socket.h>` and `<linux/socket.h>`. */
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_TIMESTAMPNS = 35;
const SO_MEMINFO = 55;
const SOCK_DGRAM = 2;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
/** From `<asm-generic/sockios.h>`: asks when the datagram arrived that was received last. */
const SIOCGSTAMPNS = 0x8907;
const CLOCK_REALTIME = 0;
/** From Linux's `<linux/in.h>` and `<linux/in6.h>`. */
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 32;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
/** From `<asm-generic/poll.h>`: there is something to be read. */
const POLLIN = 1;
/** Files of this process that are looked at for a socket. */
const MOST_FILES = 4096;

const symbols = {
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

type Library = Deno.DynamicLibrary<typeof symbols>;

/** libc, opened once however many sockets use it. */
let opened: { readonly library: Library; users: number } | undefined;

/** Opens it; undefined if the system has another one. */
function tryLibrary(): Library | undefined {
  try {
    opened ??= { library: Deno.dlopen("libc.so.6", symbols), users: 0 };
  } catch {
    return undefined;
  }
  opened.users++;
  return opened.library;
}

/** An array in memory that does not move: V8 keeps small typed arrays that are made directly in its own heap. */
function fixedWords(count: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(new ArrayBuffer(count * 4));
}

function closeLibrary(): void {
  if (opened === undefined || --opened.users > 0) return;
  opened.library.close();
  opened = undefined;
}

/**
 * Why datagrams cannot be received and sent in batches in this process, as the rest of a sentence; undefined if they can. Never asks for a
 * permission.
 */
export function batchObstacle(): string | undefined {
  if (Deno.build.os !== "linux") return "only Linux has the system calls for it";
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return "Deno needs --allow-ffi for it";
  }
  return undefined;
}

function addressOf(buffer: ArrayBuffer): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(buffer)));
}

/** The headers of {@linkcode Messages}, which nobody else may change: they have addresses of memory in them. */
let headersOf: (messages: Messages) => Uint8Array<ArrayBuffer>;

/** Memory for up to 64 datagrams, as `recvmmsg` and `sendmmsg` want it. */
export class Messages {
  /** The payloads, one after another, each with the same room. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The addresses, each with {@linkcode ADDRESS_ROOM} bytes. */
  readonly addresses: DataView<ArrayBuffer>;
  /** How many datagrams there is room for. */
  readonly count: number;
  readonly #headers: Uint8Array<ArrayBuffer>;
  /** The same memory as the headers. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #parts: Uint32Array<ArrayBuffer>;
  readonly #control: DataView<ArrayBuffer>;
  readonly #withTimes: boolean;
  /** Where the payloads are, in two halves: whole numbers of 64 bits would have to be allocated. */
  readonly #low: number;
  readonly #high: number;

  static {
    headersOf = (messages) => messages.#headers;
  }

  /**
   * @param count How many datagrams there is room for, 1 to {@linkcode MOST_MESSAGES}.
   * @param bytes Room for all payloads together.
   * @param withTimes Whether to take the time with each datagram that is received.
   */
  constructor(count: number, bytes: number, withTimes = false) {
    if (!(count >= 1 && count <= MOST_MESSAGES)) throw new RangeError(`Cannot hold ${count}`);
    this.count = count;
    this.#withTimes = withTimes;
    this.payload = fixedMemory(bytes);
    this.addresses = new DataView(fixedMemory(count * ADDRESS_ROOM).buffer);
    this.#headers = new Uint8Array(new ArrayBuffer(count * HEADER));
    this.#words = new Uint32Array(this.#headers.buffer);
    this.#parts = fixedWords(count * IOVEC / 4);
    this.#control = new DataView(new ArrayBuffer(count * CONTROL));
    const base = addressOf(this.payload.buffer);
    this.#low = Number(base & 0xffff_ffffn);
    this.#high = Number(base >> 32n);
    const addresses = addressOf(this.addresses.buffer);
    const parts = addressOf(this.#parts.buffer);
    const control = addressOf(this.#control.buffer);
    const headers = new DataView(this.#headers.buffer);
    for (let i = 0; i < count; i++) {
      headers.setBigUint64(i * HEADER, addresses + BigInt(i * ADDRESS_ROOM), true);
      headers.setBigUint64(i * HEADER + 16, parts + BigInt(i * IOVEC), true);
      headers.setBigUint64(i * HEADER + 24, 1n, true);
      if (withTimes) {
        headers.setBigUint64(i * HEADER + 32, control + BigInt(i * CONTROL), true);
        headers.setBigUint64(i * HEADER + 40, BigInt(CONTROL), true);
      }
      this.place(i, 0, 0, ADDRESS_ROOM);
    }
  }

  /**
   * Says where a payload is, or may go.
   *
   * @param i Which datagram.
   * @param start The offset in {@linkcode Messages.payload}.
   * @param length How many bytes.
   * @param addressLength How many bytes its address has, or may have.
   * @throws {RangeError} If that is outside of the memory.
   */
  place(i: number, start: number, length: number, addressLength: number): void {
    const inside = i >= 0 && i < this.count && start >= 0 && length >= 0 &&
      start + length <= this.payload.length && addressLength >= 0 && addressLength <= ADDRESS_ROOM;
    if (!inside) throw new RangeError(`Cannot place ${length} bytes at ${start} as number ${i}`);
    const low = this.#low + start;
    this.#parts[i * 4] = low; // its lower 32 bits
    this.#parts[i * 4 + 1] = this.#high + (low >= 2 ** 32 ? 1 : 0);
    this.#parts[i * 4 + 2] = length;
    this.#words[i * 16 + 2] = addressLength;
  }

  /** Makes the headers of those that were received ready for the next call. */
  reset(received: number): void {
    const words = this.#words;
    const count = Math.min(received, this.count);
    for (let i = 0; i < count; i++) {
      words[i * 16 + 2] = ADDRESS_ROOM;
      if (this.#withTimes) words[i * 16 + 10] = CONTROL;
    }
  }

  /** How many bytes of a payload were received: no more than there was room for. */
  lengthOf(i: number): number {
    return Math.min(this.#words[i * 16 + 14]!, this.#parts[i * 4 + 2]!);
  }

  /** Whether the datagram was larger than its room. */
  isCut(i: number): boolean {
    return (this.#words[i * 16 + 12]! & MSG_TRUNC) !== 0;
  }

  /** When a datagram arrived, in µs since 1970 by the wall clock; NaN if the system did not say. */
  timeOf(i: number): number {
    const control = this.#control;
    const at = i * CONTROL;
    const known = this.#words[i * 16 + 10]! === CONTROL &&
      control.getInt32(at + 8, true) === SOL_SOCKET &&
      control.getInt32(at + 12, true) === SO_TIMESTAMPNS;
    return known ? microsOf(control, at + 16) : NaN;
  }
}

/** Microseconds since 1970 of a `struct timespec`: `tv_sec`, 8 bytes, and `tv_nsec`, 8 bytes. */
function microsOf(view: DataView, at: number): number {
  const seconds = view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32;
  return seconds * 1e6 + view.getUint32(at + 8, true) / 1000;
}

/** The descriptor of a UDP socket of Deno's, for calls that Deno does not have. Let go of it before the socket is closed. */
export class Descriptor implements Disposable {
  readonly #library: Library;
  readonly #number = fixedWords(1);
  readonly #length = fixedWords(1);
  readonly #memory = fixedWords(16);
  /** `struct pollfd`, 8 bytes: at 0 `fd`, 4; at 4 `events`, 2; at 6 `revents`, 2, put there by the call. */
  readonly #polled = fixedWords(2);
  readonly #time = new DataView(new ArrayBuffer(16));
  readonly #timeBytes = new Uint8Array(this.#time.buffer);
  #fd: number;

  private constructor(library: Library, fd: number) {
    this.#library = library;
    this.#fd = fd;
  }

  /**
   * Finds the descriptor of a socket: the one file of this process that is a datagram socket bound to its address.
   *
   * @param addr The address that it is bound to.
   * @param others What {@linkcode Descriptor.files} told before it was bound, where others may be bound to the same address.
   * @returns The descriptor; undefined if there is none, or more than one, or the system has another libc.
   */
  static find(addr: HostPort, others: readonly number[] = []): Descriptor | undefined {
    const found = Descriptor.files(addr).filter((fd) => !others.includes(fd));
    const library = found.length === 1 ? tryLibrary() : undefined;
    return library && new Descriptor(library, found[0]!);
  }

  /** The files of this process that are datagram sockets bound to an address. */
  static files(addr: HostPort): number[] {
    const wanted = new DataView(new ArrayBuffer(ADDRESS_ROOM));
    const library = encodeAddress(addr, wanted, 0) === 0 ? undefined : tryLibrary();
    if (library === undefined) return [];
    const found: number[] = [];
    const bytes = new Uint8Array(new ArrayBuffer(ADDRESS_ROOM));
    const length = fixedWords(1);
    const type = fixedWords(1);
    for (let fd = 3; fd < MOST_FILES; fd++) {
      length[0] = ADDRESS_ROOM;
      if (library.symbols.getsockname(fd, bytes, length) !== 0) continue;
      if (!sameAddress(wanted, new DataView(bytes.buffer))) continue;
      length[0] = 4;
      const known = library.symbols.getsockopt(fd, SOL_SOCKET, SO_TYPE, type, length) === 0;
      if (known && type[0] === SOCK_DGRAM) found.push(fd);
    }
    closeLibrary();
    return found;
  }

  /**
   * Takes datagrams that are there, and waits for none.
   *
   * @param messages Where to.
   * @param most How many, at most; Linux looks for one more than there are. Default: as many as there is room for.
   * @returns How many; −1 if there is none, or the system does not do it: whoever then waits with Deno's socket hears why.
   */
  receive(messages: Messages, most: number = messages.count): number {
    if (this.#fd < 0) return 0;
    const { recvmmsg } = this.#library.symbols;
    const count = Math.min(most, messages.count);
    return Math.min(recvmmsg(this.#fd, headersOf(messages), count, MSG_DONTWAIT, null), count);
  }

  /**
   * Waits for a datagram, while nothing else in this process runs.
   *
   * @param ms How long, at most.
   * @returns Whether there is one, or the system has something to report.
   */
  wait(ms: number): boolean {
    if (this.#fd < 0) return false;
    this.#polled[0] = this.#fd;
    this.#polled[1] = POLLIN;
    return this.#library.symbols.poll(this.#polled, 1n, ms) > 0;
  }

  /**
   * Sends datagrams, as far as the system takes them without waiting.
   *
   * @param messages What to send.
   * @param first The first of them.
   * @param end The one after the last.
   * @returns How many the system took; −1 if it did not take the first: whoever then sends it with Deno's socket hears why.
   */
  send(messages: Messages, first: number, end: number): number {
    if (this.#fd < 0 || !(first >= 0 && first < end && end <= messages.count)) return 0;
    const all = headersOf(messages);
    const headers = first === 0 ? all : all.subarray(first * HEADER);
    return this.#library.symbols.sendmmsg(this.#fd, headers, end - first, MSG_DONTWAIT);
  }

  /** Bytes of memory that the system gives to datagrams which wait to be received, with what it needs for its own records. */
  get #receiveBuffer(): number {
    return this.#option(SO_RCVBUF);
  }

  /**
   * Asks for a larger receive buffer.
   *
   * @param bytes How large; Linux keeps twice as much, for its own records.
   * @returns How many of these bytes it granted.
   */
  raiseReceiveBuffer(bytes: number): number {
    const wanted = Math.min(bytes, 2 ** 30);
    if (this.#receiveBuffer < wanted * 2) this.#setOption(SO_RCVBUF, wanted);
    if (this.#receiveBuffer < wanted * 2) this.#setOption(SO_RCVBUFFORCE, wanted); // for root
    return this.#receiveBuffer / 2;
  }

  /** Datagrams that found no room in the receive buffer. */
  get dropped(): number {
    if (this.#fd < 0) return 0;
    // Nine numbers, the last of which is SK_MEMINFO_DROPS.
    this.#length[0] = 36;
    const failed = this.#library.symbols
      .getsockopt(this.#fd, SOL_SOCKET, SO_MEMINFO, this.#memory, this.#length);
    return failed || this.#length[0]! < 36 ? 0 : this.#memory[8]!;
  }

  /**
   * Says how datagrams to multicast groups leave.
   *
   * @param way The network interface, by the four bytes of its address for IPv4 and by its number for IPv6; and for IPv6, how many routers
   * they may pass.
   */
  leadGroups({ address, index, hops }: GroupWay): void {
    if (address !== undefined) {
      new Uint8Array(this.#number.buffer).set(address);
      this.#giveOption(IPPROTO_IP, IP_MULTICAST_IF);
    }
    if (index !== undefined) this.#setOption(IPV6_MULTICAST_IF, index, IPPROTO_IPV6);
    if (hops !== undefined) this.#setOption(IPV6_MULTICAST_HOPS, hops, IPPROTO_IPV6);
  }

  /** Whether the system hands over the time of arrival with each datagram. */
  set times(wanted: boolean) {
    this.#setOption(SO_TIMESTAMPNS, wanted ? 1 : 0);
  }

  /** When the datagram arrived that was received last while {@linkcode Descriptor.times} was off, in µs; NaN if it is not known. */
  lastTime(): number {
    if (this.#fd < 0) return NaN;
    const failed = this.#library.symbols.ioctl(this.#fd, BigInt(SIOCGSTAMPNS), this.#timeBytes);
    return failed ? NaN : microsOf(this.#time, 0);
  }

  /** The wall clock that the times of arrival are taken from, in µs since 1970; NaN once disposed of. */
  now(): number {
    if (this.#fd < 0) return NaN;
    this.#library.symbols.clock_gettime(CLOCK_REALTIME, this.#timeBytes);
    return microsOf(this.#time, 0);
  }

  #option(name: number): number {
    this.#length[0] = 4;
    if (this.#fd < 0) return 0;
    this.#library.symbols.getsockopt(this.#fd, SOL_SOCKET, name, this.#number, this.#length);
    return this.#number[0]!;
  }

  #setOption(name: number, value: number, level: number = SOL_SOCKET): void {
    this.#number[0] = value;
    this.#giveOption(level, name);
  }

  /** Gives the system four bytes for an option. */
  #giveOption(level: number, name: number): void {
    if (this.#fd < 0) return;
    this.#library.symbols.setsockopt(this.#fd, level, name, this.#number, 4);
  }

  /** Lets go of the descriptor: it may belong to another file soon. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    this.#fd = -1;
    closeLibrary();
  }
}
