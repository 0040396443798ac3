// @ts-check
/// <reference lib="dom" />
/** Wheel, drag, pinch and clicks on the panes. */

/**
 * @typedef {object} Actions What gestures do.
 * @property {() => { from: number, to: number, left: number, width: number }} area What is visible, and where on the screen.
 * @property {(factor: number, around: number) => void} zoom Around a part of the view, from 0 to 1.
 * @property {(seconds: number) => void} move
 * @property {(name: "a" | "b", part: number) => void} setCursor
 * @property {(y: number, factor: number) => void} zoomValues
 * @property {(y: number) => void} fitValues
 * @property {(at: { x: number, y: number } | null) => void} point Where the pointer rests; null where it has left.
 */

/** Pixels that a finger may tremble and still be a click. */
const STILL = 4;

/**
 * Listens for gestures.
 *
 * @param {HTMLElement} element Where.
 * @param {Actions} actions What they do.
 */
export function listenForGestures(element, actions) {
  /** @type {Map<number, { x: number, y: number }>} */
  const fingers = new Map();
  let moved = 0;

  const part = (/** @type {number} */ clientX) => {
    const { left, width } = actions.area();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  };
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return a && b ? { size: Math.hypot(a.x - b.x, a.y - b.y), middle: (a.x + b.x) / 2 } : undefined;
  };

  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const delta = event.deltaY || event.deltaX;
    const factor = Math.exp(Math.max(-1, Math.min(1, delta / 300)));
    if (event.shiftKey) actions.zoomValues(event.clientY, factor);
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const { from, to, width } = actions.area();
      actions.move(event.deltaX / width * (to - from));
    } else actions.zoom(factor, part(event.clientX));
  }, { passive: false });

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || isCursor(event.target)) return;
    element.setPointerCapture(event.pointerId);
    if (fingers.size === 0) moved = 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });

  element.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    // A finger hides what it points at, and scrolls; its click sets a cursor.
    if (event.pointerType !== "touch") actions.point({ x: event.clientX, y: event.clientY });
    if (!finger) return;
    const before = spread();
    const dx = event.clientX - finger.x;
    moved += Math.abs(dx) + Math.abs(event.clientY - finger.y);
    [finger.x, finger.y] = [event.clientX, event.clientY];
    const after = spread();
    if (before && after) {
      if (after.size > 0) actions.zoom(before.size / after.size, part(after.middle));
    } else if (moved > STILL) {
      const { from, to, width } = actions.area();
      actions.move(-dx / width * (to - from));
    }
  });

  const lift = (/** @type {PointerEvent} */ event) => {
    if (!fingers.delete(event.pointerId) || fingers.size > 0) return;
    if (event.type !== "pointerup" || moved > STILL) return;
    const { left, width } = actions.area();
    if (event.clientX < left || event.clientX > left + width) return;
    actions.setCursor(event.shiftKey ? "b" : "a", part(event.clientX));
  };
  element.addEventListener("pointerup", lift);
  element.addEventListener("pointercancel", lift);
  element.addEventListener("pointerleave", () => actions.point(null));
  element.addEventListener("dblclick", (event) => actions.fitValues(event.clientY));
}

/** @param {EventTarget | null} target */
function isCursor(target) {
  return target instanceof Element && target.closest(".cursor") !== null;
}
