/** Edge lengths of the pictures in the icon, in pixels. */
const SIZES = [16, 24, 32, 48, 64, 128];
/** Points per pixel and direction that decide how much of a pixel is covered. */
const SAMPLES = 4;
/** Blue, green, red. */
const GROUND = [0x5a, 0x3c, 0x12];
const WAVE = [0xff, 0xff, 0xff];

/** Whether a point of the unit square belongs to the ground, a square with round corners. */
function onGround(x: number, y: number): boolean {
  const radius = 0.2;
  const dx = Math.max(Math.abs(x - 0.5) - (0.5 - radius), 0);
  const dy = Math.max(Math.abs(y - 0.5) - (0.5 - radius), 0);
  return Math.hypot(dx, dy) <= radius;
}

/** Whether a point of the unit square belongs to the signal, one period of a sine. */
function onWave(x: number, y: number): boolean {
  if (x < 0.1 || x > 0.9) return false;
  const phase = (x - 0.1) / 0.8 * 2 * Math.PI;
  const slope = -0.28 * Math.cos(phase) * 2 * Math.PI / 0.8;
  return Math.abs(y - 0.5 + 0.28 * Math.sin(phase)) / Math.hypot(1, slope) < 0.055;
}

/** One pixel: blue, green, red, opacity. */
function pixel(column: number, row: number, size: number): number[] {
  let [ground, wave] = [0, 0];
  for (let i = 0; i < SAMPLES * SAMPLES; i++) {
    const x = (column + (i % SAMPLES + 0.5) / SAMPLES) / size;
    const y = (row + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / size;
    if (onGround(x, y)) ground++;
    if (onWave(x, y)) wave++;
  }
  const share = ground === 0 ? 0 : Math.min(wave / ground, 1);
  const colours = GROUND.map((from, i) => Math.round(from + (WAVE[i]! - from) * share));
  return [...colours, Math.round(255 * ground / SAMPLES ** 2)];
}

/** A picture as icons hold it: a bitmap's header, rows from the bottom up, and a mask that opacity makes needless. */
function picture(size: number): Uint8Array {
  const maskRow = Math.ceil(size / 32) * 4;
  const bytes = new Uint8Array(40 + size * size * 4 + size * maskRow);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 40, true);
  view.setInt32(4, size, true);
  view.setInt32(8, size * 2, true);
  view.setUint16(12, 1, true);
  view.setUint16(14, 32, true);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      bytes.set(pixel(column, row, size), 40 + ((size - 1 - row) * size + column) * 4);
    }
  }
  return bytes;
}

/**
 * Draws the program's icon: a signal on a dark ground.
 *
 * @returns An `.ico` file.
 */
export function icon(): Uint8Array {
  const pictures = SIZES.map(picture);
  const start = 6 + 16 * SIZES.length;
  const bytes = new Uint8Array(start + pictures.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(2, 1, true);
  view.setUint16(4, SIZES.length, true);
  let offset = start;
  for (const [i, size] of SIZES.entries()) {
    const entry = 6 + 16 * i;
    const { length } = pictures[i]!;
    bytes.set([size, size], entry);
    view.setUint16(entry + 4, 1, true);
    view.setUint16(entry + 6, 32, true);
    view.setUint32(entry + 8, length, true);
    view.setUint32(entry + 12, offset, true);
    bytes.set(pictures[i]!, offset);
    offset += length;
  }
  return bytes;
}
