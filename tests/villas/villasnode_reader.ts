/**
 * What VILLASnode 1.2.0 makes of a datagram that its socket node receives, with `in.vectorize = 1`: written after what was seen of a running
 * one, with nothing of labwire's in it. What ends VILLASnode is an {@linkcode Abort}.
 *
 * @module
 */

/** VILLASnode would be gone. */
export class Abort extends Error {}

export type Kind = "float" | "integer" | "boolean" | "complex";

export interface Read {
  sequence?: bigint;
  origin?: [sec: number, nsec: number];
  values: unknown[];
}

export interface Settings {
  bits?: number;
  big?: boolean;
  fake?: boolean;
  names?: readonly string[];
}

/** Reads a datagram; null where VILLASnode drops it with a warning. */
export function villasnodeReads(
  format: string,
  bytes: Uint8Array,
  kinds: readonly Kind[],
  settings: Settings = {},
): Read | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = new TextDecoder("latin1").decode(bytes);
  switch (format) {
    case "villas.human":
      return human(text, kinds);
    case "csv":
    case "tsv":
      return columns(text, kinds);
    case "value": {
      const [value, end] = parse(text, 0, kinds[0]!);
      return { values: end > 0 ? [value] : [] };
    }
    case "json":
      return json(text, kinds);
    case "json.kafka":
    case "json.edgeflex":
    case "json.reserve":
      return named(format, text, kinds, settings.names!);
    case "villas.binary":
    case "villas.web":
      return packed(view, kinds, format === "villas.web");
    case "raw":
      return raw(view, kinds, { bits: 32, big: false, ...settings });
    case "gtnet":
      return raw(view, kinds, { bits: 32, big: true, ...settings });
    case "opal.asyncip":
      return opal(view, kinds);
  }
  throw new Error(format);
}

/** C's strtod, strtol and what is made of them; the index behind the value, which is `at` where there is none. */
function parse(text: string, at: number, kind: Kind): [unknown, number] {
  const match = (pattern: RegExp, from: number) => {
    pattern.lastIndex = from;
    return pattern.exec(text);
  };
  const real = /\s*([+-]?(?:nan|inf|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?))/iy;
  const number = (source: string) =>
    Number(source.replace(/nan/i, "NaN").replace(/inf/i, "Infinity").replace(/^-NaN/, "NaN"));
  if (kind === "integer" || kind === "boolean") {
    const found = match(/\s*([+-]?\d+)/y, at);
    if (!found) return [0n, at];
    const value = BigInt(found[1]!.replace("+", ""));
    return [kind === "boolean" ? value !== 0n : value, at + found[0].length];
  }
  const found = match(real, at);
  if (!found) return [0, at];
  let end = at + found[0].length;
  if (kind === "float") return [number(found[1]!), end];
  if (/[ij]/.test(text[end] ?? "")) {
    return [{ real: 0, imag: Math.fround(number(found[1]!)) }, end + 1];
  }
  if (!/[+-]/.test(text[end] ?? "")) {
    return [{ real: Math.fround(number(found[1]!)), imag: 0 }, end];
  }
  const second = match(real, end)!;
  end += second[0].length;
  return [{ real: Math.fround(number(found[1]!)), imag: Math.fround(number(second[1]!)) }, end + 1];
}

function lineValues(text: string, at: number, kinds: readonly Kind[], read: Read): Read {
  const { values } = read;
  for (;;) {
    if (at >= text.length) throw new Abort("reads on behind the datagram");
    if (text[at] === "\n") break;
    if (values.length === kinds.length) throw new Abort("more values than signals");
    const [value, end] = parse(text, at + 1, kinds[values.length]!);
    if (end === at + 1) break;
    values.push(value);
    at = end;
  }
  if (at + 1 !== text.length) {
    return { ...read, values: [...values, `rest ${JSON.stringify(text.slice(at))}`] };
  }
  return read;
}

function human(text: string, kinds: readonly Kind[]): Read | null {
  const head = /^(\d+)(?:\.(\d+))?([+-][\d.e+-]+)?(?:\((\d+)\))?F?/.exec(text);
  if (!head || text[head[0].length] === "\n" && head[2] === undefined) return null;
  const [whole, sec, nsec, , sequence] = head;
  return lineValues(text, whole.length, kinds, {
    ...(sequence !== undefined && { sequence: BigInt(sequence) }),
    origin: [Number(sec), Number(nsec ?? 0)],
    values: [],
  });
}

function columns(text: string, kinds: readonly Kind[]): Read | null {
  const head = /^ *(\d+). *(\d+). *([+-]?[\d.e+-]+|nan). *(\d+)/s.exec(text);
  if (!head) return { values: [] };
  const [whole, sec, nsec, , sequence] = head;
  return lineValues(text, whole.length, kinds, {
    sequence: BigInt(sequence!),
    origin: [Number(sec), Number(nsec)],
    values: [],
  });
}

/** Which numbers of a JSON text are floats is lost in `JSON.parse()`: they are marked before. */
function parseJson(text: string): unknown {
  const marked = text.replace(
    /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g,
    (token) =>
      token[0] === '"' ? token : /[.eE]/.test(token) ? `{"f": ${token}}` : `{"i": "${token}"}`,
  );
  return JSON.parse(marked);
}

type Node = { f?: number; i?: string; real?: Node; imag?: Node };

function jsonValue(node: unknown, kind: Kind): unknown {
  const { f, i, real, imag } = (node ?? {}) as Node;
  const found = f !== undefined
    ? "float"
    : i !== undefined
    ? "integer"
    : typeof node === "boolean"
    ? "boolean"
    : real
    ? "complex"
    : "none";
  if (found !== kind) {
    throw new Abort(`Received invalid data type in JSON payload: ${found}, expected ${kind}`);
  }
  if (kind === "float") return f;
  if (kind === "integer") return BigInt(i!);
  if (kind === "boolean") return node;
  const part = ({ f, i }: Node) => Math.fround(f ?? Number(i));
  return { real: part(real!), imag: part(imag!) };
}

function json(text: string, kinds: readonly Kind[]): Read | null {
  const list = parseJson(text) as { ts?: { origin: Node[] }; sequence?: Node; data: unknown[] }[];
  if (!Array.isArray(list)) return null;
  const [sample] = list;
  if (!sample) return null;
  if (sample.data.length > kinds.length) throw new Abort("more values than signals");
  const { ts, sequence, data } = sample;
  return {
    ...(sequence && { sequence: BigInt(sequence.i!) }),
    ...(ts && { origin: ts.origin.map(({ i }) => Number(i)) as [number, number] }),
    values: data.map((value, i) => jsonValue(value, kinds[i]!)),
  };
}

function named(
  format: string,
  text: string,
  kinds: readonly Kind[],
  names: readonly string[],
): Read | null {
  // deno-lint-ignore no-explicit-any
  const [sample] = parseJson(text) as any[];
  const values: unknown[] = [];
  if (format === "json.reserve") {
    const view = new DataView(new ArrayBuffer(8));
    for (const { name, value } of sample.measurements) {
      const index = names.indexOf(name);
      if (index < 0) continue;
      view.setFloat64(0, value.f ?? Number(value.i), true);
      const kind = kinds[index];
      values[index] = kind === "float"
        ? view.getFloat64(0, true)
        : kind === "integer"
        ? view.getBigInt64(0, true)
        : kind === "boolean"
        ? view.getUint8(0) === 1
        : { real: view.getFloat32(0, true), imag: view.getFloat32(4, true) };
    }
    return { values };
  }
  const { sequence, ...payload } = format === "json.kafka" ? sample.payload : sample;
  if (format === "json.edgeflex" && payload.created === undefined) return null;
  for (const [i, name] of names.entries()) {
    if (payload[name] !== undefined) values[i] = jsonValue(payload[name], kinds[i]!);
  }
  return { ...(sequence && { sequence: BigInt(sequence.i) }), values };
}

function packed(view: DataView, kinds: readonly Kind[], little: boolean): Read | null {
  if (view.byteLength % 4 !== 0 || view.byteLength < 16 || view.getUint8(0) !== 0x20) return null;
  const count = view.getUint16(2, little);
  if (view.byteLength < 16 + 4 * count) return null;
  const values = Array.from(
    { length: Math.min(count, kinds.length) },
    (_, i) =>
      kinds[i] === "float"
        ? view.getFloat32(16 + 4 * i, little)
        : BigInt(view.getUint32(16 + 4 * i, little)),
  );
  return {
    sequence: BigInt(view.getUint32(4, little)),
    origin: [view.getUint32(8, little), view.getUint32(12, little)],
    values,
  };
}

function raw(view: DataView, kinds: readonly Kind[], settings: Settings): Read | null {
  const width = settings.bits! / 8;
  const little = !settings.big;
  if (view.byteLength % width !== 0) return null;
  const words = view.byteLength / width;
  const integer = (word: number) => {
    const at = word * width;
    if (width === 8) return view.getBigInt64(at, little);
    return BigInt(
      width === 4
        ? view.getInt32(at, little)
        : width === 2
        ? view.getInt16(at, little)
        : view.getInt8(at),
    );
  };
  const float = (word: number) =>
    width === 8
      ? view.getFloat64(word * width, little)
      : width === 4
      ? view.getFloat32(word * width, little)
      : -1;
  let at = 0;
  const read: Read = { values: [] };
  if (settings.fake) {
    if (words < 3) return null;
    read.sequence = BigInt.asUintN(settings.bits!, integer(0));
    read.origin = [1, 2].map((word) => Number(BigInt.asUintN(settings.bits!, integer(word)))) as [
      number,
      number,
    ];
    at = 3;
  }
  for (let i = 0; at < words; i++) {
    if (i === kinds.length) throw new Abort("more values than signals");
    switch (kinds[i]) {
      case "float":
        read.values.push(float(at++));
        break;
      case "integer":
        read.values.push(integer(at++));
        break;
      case "boolean":
        read.values.push(integer(at++) !== 0n);
        break;
      default: // the arguments are read from the last to the first
        read.values.push({ imag: Math.fround(float(at)), real: Math.fround(float(at + 1)) });
        at += 2;
    }
  }
  return read;
}

function opal(view: DataView, kinds: readonly Kind[]): Read | null {
  if (view.byteLength % 8 !== 0 || view.byteLength <= 8) return null;
  const length = view.getUint16(6, true);
  if (length + 8 > view.byteLength) return null;
  if (length / 8 > kinds.length) throw new Abort("more values than signals");
  const values = Array.from({ length: length / 8 }, (_, i) => {
    const double = view.getFloat64(8 + 8 * i, true);
    return kinds[i] === "float"
      ? double
      : kinds[i] === "integer"
      ? BigInt(Math.trunc(double))
      : kinds[i] === "boolean"
      ? double !== 0
      : { real: Math.fround(double), imag: 0 };
  });
  return { sequence: BigInt(view.getUint32(2, true)), values };
}
