// @ts-check
/**
 * What the modules of the page share.
 *
 * @typedef {{ signal: number, part: string, kind: string }} Channel A trace that the server has.
 * @typedef {{ name: string, isReply?: boolean, channels: Channel[] }} Lane What goes one way.
 * @typedef {{ name?: string, unit?: string }} Signal A signal as the user describes it.
 * @typedef {object} Hello What the server tells first.
 * @property {string} title What is shown.
 * @property {number} zero What is 0 on the time axis, in s since 1970.
 * @property {boolean} isRecording Whether nothing is followed.
 * @property {Signal[]} signals Names and units.
 * @property {Generator | null} control The generator, if it may be changed.
 * @property {Lane[]} lanes The lanes.
 *
 * @typedef {object} Generator
 * @property {string} signal Which type it generates.
 * @property {string[]} types The types there are.
 * @property {number} frequency
 * @property {number} amplitude
 * @property {number} offset
 *
 * @typedef {{ channel: number, min: number | null, max: number | null, mean: number | null, rms: number | null, frequency: number | null }} Measured
 * @typedef {object} LaneState What is known of a lane now.
 * @property {string[]} values The last values, with every digit.
 * @property {Measured[]} measured What was measured over what is visible.
 * @property {number} samples
 * @property {boolean} isFull Whether there are more signals than can be shown.
 * @property {number | null} rate
 * @property {number | null} jitter
 * @property {number} missed
 * @property {number} unseen Messages that came too fast to be shown.
 * @property {number} reordered
 * @property {number} duplicates
 * @property {number | null} delay
 *
 * @typedef {object} State What the server tells now and then.
 * @property {number | null} start The oldest time there is.
 * @property {number | null} end The newest.
 * @property {number | null} whole Since when every sample is kept; null while all are.
 * @property {number} progress How much of a recording has been read.
 * @property {LaneState[]} lanes
 * @property {{ name: string, value: number, unit?: string }[]} statistics
 *
 * @typedef {object} Trace A trace as it is drawn.
 * @property {number} lane
 * @property {number} id The channel.
 * @property {number} signal
 * @property {string} name
 * @property {string} unit
 * @property {string} part
 * @property {boolean} isReply
 * @property {boolean} isStep
 */

export {};
