// @ts-check
/** Takes frames apart; `lib/scope/protocol.ts` describes them. */

const MAGIC = 0x3153574c;
const KINDS = /** @type {const} */ (["points", "columns", "spectrum", "xy"]);

/**
 * @typedef {object} Block One block of a frame.
 * @property {"points" | "columns" | "spectrum" | "xy"} kind What it is.
 * @property {number} lane The lane that it is of.
 * @property {number} count How many points or columns.
 * @property {boolean} replace Whether what was there is to be dropped.
 * @property {[number, number, number]} numbers What goes with the kind.
 * @property {Uint32Array} ids The channels.
 * @property {Uint8Array} flags Gaps and empty columns.
 * @property {Float64Array[]} data The numbers.
 */

/**
 * @typedef {object} Frame What the server sent.
 * @property {number} view The view that it belongs to.
 * @property {boolean} isTriggered Whether it stands at an event of the trigger.
 * @property {number} end The time of the newest sample, in s.
 * @property {number} trigger The time of the event.
 * @property {Block[]} blocks What it carries.
 */

/**
 * Takes a frame apart.
 *
 * @param {ArrayBuffer} buffer The bytes.
 * @returns {Frame} What they say.
 */
export function decodeFrame(buffer) {
  const data = new DataView(buffer);
  if (data.getUint32(0, true) !== MAGIC) throw new Error("This is no frame of a scope");
  const frame = {
    view: data.getUint32(4, true),
    isTriggered: data.getUint32(12, true) === 1,
    end: data.getFloat64(16, true),
    trigger: data.getFloat64(24, true),
    blocks: /** @type {Block[]} */ ([]),
  };
  let at = 32;
  for (let blocks = data.getUint32(8, true); blocks > 0; blocks--) {
    const [code, lane, count, channels, replace] = new Uint32Array(buffer, at, 5);
    const kind = KINDS[code ?? 0] ?? "points";
    const numbers = /** @type {[number, number, number]} */ ([
      ...new Float64Array(buffer, at + 24, 3),
    ]);
    at += 48;
    const ids = new Uint32Array(buffer, at, channels);
    at += padded(4 * ids.length);
    const hasFlags = kind === "points" || kind === "columns";
    const flags = new Uint8Array(buffer, at, hasFlags ? count : 0);
    at += padded(flags.length);
    const arrays = {
      points: 1 + ids.length,
      columns: 2 * ids.length,
      spectrum: 1,
      xy: 2,
    }[kind];
    const values = [];
    for (let i = 0; i < arrays; i++, at += 8 * (count ?? 0)) {
      values.push(new Float64Array(buffer, at, count));
    }
    frame.blocks.push({
      ...{ kind, lane: lane ?? 0, count: count ?? 0, replace: replace === 1, numbers },
      ...{ ids, flags, data: values },
    });
  }
  return frame;
}

/** @param {number} size */
function padded(size) {
  return size + 7 & ~7;
}
