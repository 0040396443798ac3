// @ts-check
/**
 * Colours after Okabe and Ito, told apart by people who do not see all of them, in tones that stand out from a light and from a dark ground.
 */

const LIGHT = [
  "#0068b3",
  "#c74a00",
  "#00805d",
  "#a63d85",
  "#8a6100",
  "#1b87c4",
  "#59636d",
  "#7a3cc2",
];
const DARK = [
  "#5db4ff",
  "#ff8b4a",
  "#2fd3a5",
  "#f08ccb",
  "#f0c33c",
  "#8fdcff",
  "#b8c3cd",
  "#c7a0ff",
];

/**
 * The colour of a signal, the same as long as the page lives.
 *
 * @param {number} signal Its place in the samples.
 * @param {boolean} isDark Whether the ground is dark.
 */
export function colourOf(signal, isDark) {
  const colours = isDark ? DARK : LIGHT;
  return colours[signal % colours.length] ?? "#888";
}

/** The dash of a reply. */
export const REPLY_DASH = [7, 6];
