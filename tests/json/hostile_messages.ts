/**
 * Messages of one size whose content is hard on some algorithm.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Puts as many parts between two texts as fit into so many bytes. */
function fill(
  size: number,
  part: string | ((i: number) => string),
  before: string,
  after: string,
): string {
  const parts: string[] = [];
  let length = before.length + after.length;
  for (let i = 0;; i++) {
    const next = typeof part === "string" ? part : part(i);
    length += encoder.encode(next).length + (i > 0 ? 1 : 0);
    if (length > size) return before + parts.join(",") + after;
    parts.push(next);
  }
}

function many(size: number, text: string, before = "", after = ""): string {
  const room = size - before.length - after.length;
  return before + text.repeat(Math.floor(room / encoder.encode(text).length)) + after;
}

function bytes(size: number, text: string, last: number[]): Uint8Array {
  const whole = encoder.encode(text);
  return new Uint8Array([...whole.subarray(0, size - last.length), ...last]);
}

/**
 * An ordinary message: a table of readings by name.
 *
 * @param size Its length in bytes.
 */
export function ordinaryMessage(size: number): string {
  return fill(size, (i) => `"ch${i}":${(i % 80) / 8}`, '{"command_id":"log","readings":{', "}}");
}

/**
 * The messages by what is hard about them.
 *
 * @param size Their length in bytes: not more, and hardly less.
 */
export function hostileMessages(size: number): Record<string, string | Uint8Array> {
  const nested = (open: string, close: string) => open.repeat(250) + close.repeat(250);
  return {
    "a long command_id": many(size, "x", '{"command_id":"', '"}'),
    "a long command_id like a command": many(size, "get_voltage", '{"command_id":"', '"}'),
    "a command_id of escapes": many(size, "\\u0000", '{"command_id":"', '"}'),
    "a command_id that is an array": fill(size, "[1]", '{"command_id":[', "]}"),
    "a long string": many(size, "x", '"', '"'),
    "short strings": fill(size, '""', "[", "]"),
    "escapes": many(size, "\\n", '"', '"'),
    "backslashes": many(size, "\\\\", '"', '"'),
    "escaped quotes": many(size, '\\"', '"', '"'),
    "short strings of escapes": fill(size, '"\\n"', "[", "]"),
    "wide characters": many(size, "\u{1F600}", '"', '"'),
    "deep nesting": fill(size, nested("[", "]"), "[", "]"),
    "deep nesting of objects": fill(size, `${'{"a":'.repeat(250)}1${"}".repeat(250)}`, "[", "]"),
    "too deep nesting": many(size, "["),
    "too deep nesting at the end": many(size - 600, "[],", "[", "[".repeat(600)),
    "empty arrays": fill(size, "[]", "[", "]"),
    "empty objects": fill(size, "{}", "[", "]"),
    "objects of one kind": fill(size, '{"a":1}', "[", "]"),
    "objects of many kinds": fill(size, (i) => `{"k${i}":1}`, "[", "]"),
    "a long name": many(size, "x", '{"', '":1}'),
    "many names": fill(size, (i) => `"k${i}":1`, "{", "}"),
    "names of numbers": fill(size, (i) => `"${(i * 7919) % 4294967291}":1`, "{", "}"),
    "names of large numbers": fill(size, (i) => `"${i * 16777216}":1`, "{", "}"),
    "one name again and again": fill(size, '"command_id":1', "{", "}"),
    "the id again and again": fill(size, '"id":1.0', "{", "}"),
    "names of escapes": fill(size, (i) => `"\\u00b5${i}":"\\n"`, "{", "}"),
    "small integers": fill(size, "1", "[", "]"),
    "zeros behind the point": fill(size, "1.0", "[", "]"),
    "integers beyond 2^53": fill(size, "12345678901234567890", "[", "]"),
    "integers beyond 2^53 among small ones": fill(size - 22, "1", "[12345678901234567890,", "]"),
    "integers of 400 digits": fill(size, "9".repeat(400), "[", "]"),
    "an integer without end": many(size, "1"),
    "a fraction without end": many(size, "1", "0."),
    "exponents": fill(size, "1e100", "[", "]"),
    "a number that nothing can hold, at the end": fill(size - 6, "1", "[", ",1e999]"),
    "null and null": fill(size, "null", "[", "]"),
    "blanks": many(size, " ", "[", "]"),
    "blanks between values": fill(size, " 1 ", "[", "]"),
    "nothing but blanks, and one bracket": many(size, " ", "", "]"),
    "no JSON at all": many(size, "x"),
    "an array without end": fill(size, "1", "[", ""),
    "an array of objects without end": fill(size, '{"a":1}', "[", ""),
    "a string without end": many(size, "x", '"'),
    "an array that is closed wrongly": fill(size, "1", "[", "}"),
    "a bad escape at the end": many(size, "\\n", '"', '\\x"'),
    "a bad character at the end": many(size, "x", '["', '"] \u0001'),
    "lines without end": many(size, "1,\r", "["),
    "no UTF-8 at the end": bytes(size, many(size, "é", '"'), [0xff]),
    "no UTF-8 at the end of wide characters": bytes(size, many(size, "\u{1F600}", '"'), [0xc3]),
  };
}
