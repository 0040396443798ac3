// @ts-check
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The page: what the server sends goes into the panes, what the user does goes to the server. */

import { Connection } from "./connection.js";
import { Cursors } from "./cursors.js";
import { band, clock, day, duration, sizeAndRange } from "./format.js";
import { PlanePlot, SpectrumPlot } from "./extras.js";
import { isDark, labelsFor, numbersFor, Pane, timeAxis, zoomOf } from "./panes.js";
import {
  field,
  listenToGenerator,
  listenToTrigger,
  offer,
  showGenerator,
  showTrigger,
} from "./panels.js";
import { listenForGestures } from "./pointer.js";
import { Readout } from "./readout.js";
import { savePng, saveSvg } from "./save.js";
import { showStatistics, SignalTable } from "./table.js";
import { Traces } from "./traces.js";
import { LONGEST, SHORTEST, SPANS, View } from "./view.js";

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {string} id */
const form = (id) => /** @type {HTMLFormElement} */ (element(id));
/** @param {string} id */
const select = (id) => /** @type {HTMLSelectElement} */ (element(id));

/** Milliseconds for which a state has to last before a screen reader says it. */
const ANNOUNCED_AFTER = 800;

const plots = element("plots");
const table = new SignalTable();
let view = new View(location.hash);
/** @type {import("./types.js").Hello | undefined} */
let hello;
/** @type {import("./types.js").State | undefined} */
let state;
/** @type {Traces[]} */
let lanes = [];
/** @type {import("./table.js").RowSignal[]} */
let signals = [];
/** @type {Pane[]} */
let panes = [];
/** @type {SpectrumPlot | undefined} */
let spectrum;
/** @type {PlanePlot | undefined} */
let plane;
/** What the server knows of the view. */
let number = 0;
let sentView = "";
let sentColumns = 0;
/** The newest time there is, in s. */
let end = NaN;
/** @type {{ isTriggered: boolean, trigger: number }} */
let last = { isTriggered: false, trigger: NaN };
let isDrawing = false;
let isAwaited = false;
let isLost = false;
/** What a screen reader is told, and when. */
let announced = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announcing;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;
/** Whether all of a recording is shown, as long as it grows too. */
let isWhole = false;

const connection = new Connection({
  hello(message) {
    const isFirst = hello === undefined;
    // The program has been started anew: nothing of what was there is there any more.
    const isOther = hello?.zero !== message.zero;
    hello = message;
    isLost = false;
    sentView = "";
    if (isOther) {
      lanes = message.lanes.map(() => new Traces());
      end = NaN;
      last = { isTriggered: false, trigger: NaN };
      state = undefined;
    }
    if (isFirst && message.isRecording) isWhole = view.end === null;
    document.title = message.title;
    element("title").textContent = message.title;
    element("problem").hidden = true;
    showGenerator(form("generator-panel"), message.control);
    arrange();
  },
  state(message) {
    state = message;
    if (isWhole) showAll();
    table.update(signals, message);
    if (hello) showStatistics(message, hello.lanes);
  },
  frame(frame) {
    if (frame.blocks.length === 0 && frame.view === number && Number.isFinite(end)) {
      // There is nothing to draw.
      connection.send({ type: "ready" });
      return;
    }
    isAwaited = true;
    if (frame.view === number) {
      end = frame.end;
      last = frame;
      for (const block of frame.blocks) {
        if (block.kind === "spectrum") spectrum?.take(block);
        else if (block.kind === "xy") plane?.take(block);
        else lanes[block.lane]?.take(block);
      }
    }
    redraw();
  },
  control: (generator) => showGenerator(form("generator-panel"), generator),
  problem: showProblem,
  lost() {
    isLost = true;
    redraw();
  },
});

/** @param {string} message */
function showProblem(message) {
  element("problem").textContent = message;
  element("problem").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => element("problem").hidden = true, 8000);
}

/** Takes the view to the server, and into the address. */
function changed() {
  history.replaceState(null, "", view.hash);
  if (!hello) return;
  const { zero } = hello;
  const { trigger } = view;
  const channel = trigger && channelOf(trigger.signal);
  const about = view.spectrum && channelOf(view.spectrum.signal);
  const [x, y] = [view.xy?.x, view.xy?.y].map((signal) =>
    signal === undefined ? undefined : channelOf(signal)
  );
  const message = {
    type: "view",
    span: view.span,
    columns: columns(),
    end: view.end === null ? null : view.end - zero,
    channels: lanes.map((_, lane) =>
      signals.filter((each) => !each.isHidden)
        .flatMap(({ channels }) =>
          channels.filter((each) => each.lane === lane).map(({ id }) => id)
        )
    ),
    trigger: trigger && channel && { ...trigger, lane: channel.lane, channel: channel.id },
    spectrum: about && view.spectrum &&
      { lane: about.lane, channel: about.id, window: view.spectrum.window },
    xy: x && y && { lane: x.lane, x: x.id, y: y.id },
  };
  sentColumns = message.columns;
  const text = JSON.stringify(message);
  if (text !== sentView) connection.send({ ...message, id: ++number });
  sentView = text;
  redraw();
}

/** The columns of pixels that the traces have; known when the panes have been laid out. */
function columns() {
  return Math.max(100, Math.round(panes[0]?.plot.bbox.width ?? 0));
}

/** The trace of a signal in the first lane that has it. */
/** @param {number} signal */
function channelOf(signal) {
  return signals.find((each) => each.signal === signal)?.channels[0];
}

/** Makes rows and panes anew: there are other signals, or another arrangement. */
function arrange() {
  if (!hello) return;
  signals = describeSignals(hello);
  table.build(signals, { hasGroups: view.panes === "own", isDark: isDark() }, {
    toggle,
    part(signal, part) {
      view.parts.set(signal, part);
      arrange();
    },
    group(signal, group) {
      view.groups.set(signal, group);
      arrange();
    },
  });
  if (state) table.update(signals, state);
  buildPanes();
  for (
    const [id, name, chosen] of /** @type {[string, string, number][]} */ ([
      ["trigger-panel", "signal", view.trigger?.signal ?? 0],
      ["spectrum-panel", "signal", view.spectrum?.signal ?? 0],
      ["xy-panel", "x", view.xy?.x ?? 0],
      ["xy-panel", "y", view.xy?.y ?? 1],
    ])
  ) offer(element(id), name, signals, chosen);
  showTools();
  // uPlot lays the panes out in a microtask; how many columns there are is known after it.
  queueMicrotask(changed);
}

/** @param {import("./types.js").Hello} hello */
function describeSignals({ lanes, signals: known }) {
  const all = new Set(lanes.flatMap(({ channels }) => channels.map(({ signal }) => signal)));
  return [...all].sort((a, b) => a - b).map((signal) => {
    const { name = `signal${signal}`, unit = "" } = known[signal] ?? {};
    const isComplex = lanes.some(({ channels }) =>
      channels.some((each) => each.signal === signal && each.part === "magnitude")
    );
    const part = isComplex ? view.parts.get(signal) ?? "magnitude" : "value";
    const channels = lanes.flatMap(({ channels }, lane) => {
      const id = channels.findIndex((each) =>
        each.signal === signal && (each.part === part || !isComplex)
      );
      return id < 0 ? [] : [{ lane, id }];
    });
    const group = view.groups.get(signal) ?? 1;
    return {
      signal,
      name: name || `signal${signal}`,
      unit,
      isComplex,
      part,
      isHidden: view.hidden.has(signal),
      group,
      channels,
    };
  });
}

function buildPanes() {
  /** @type {Map<string, { name: string, traces: import("./types.js").Trace[] }>} */
  const groups = new Map();
  for (const { signal, name, unit, part, isHidden, group, channels } of signals) {
    if (isHidden) continue;
    const shownUnit = part === "phase" ? "rad" : unit;
    const [key = "", title = ""] = {
      unit: [shownUnit, shownUnit],
      all: ["", ""],
      each: [String(signal), shownUnit === "" ? name : `${name} [${shownUnit}]`],
      own: [String(group), ""],
    }[view.panes] ?? [shownUnit, shownUnit];
    /** @type {{ name: string, traces: import("./types.js").Trace[] }} */
    const pane = groups.get(key) ?? { name: title, traces: [] };
    groups.set(key, pane);
    for (const { lane, id } of channels) {
      const { kind } = hello?.lanes[lane]?.channels[id] ?? { kind: "float" };
      pane.traces.push({
        ...{ lane, id, signal, name, unit, part, isReply: lane > 0 },
        isStep: kind === "integer" || kind === "boolean",
      });
    }
  }
  for (const pane of panes) {
    pane.plot.destroy();
    pane.element.remove();
  }
  const list = view.panes === "own"
    ? [...groups].sort(([a], [b]) => Number(a) - Number(b)).map(([, each]) => each)
    : [...groups.values()];
  const labels = labelsFor(list.flatMap(({ traces }) => traces.map(({ name }) => name)));
  panes = list.map(({ name, traces }, i) =>
    new Pane(plots, name, traces, { isLast: i === list.length - 1, labels })
  );
  resize();
}

function resize() {
  const { clientWidth, clientHeight } = plots;
  const axis = timeAxis();
  const each = Math.max(72, Math.floor((clientHeight - axis) / Math.max(1, panes.length)));
  for (const pane of panes) pane.resize(clientWidth, each + (pane.isLast ? axis : 0));
}

/** What is visible now, and where. */
function scene() {
  const zero = hello?.zero ?? 0;
  const isStill = view.end !== null;
  const { trigger } = view;
  const isTriggered = !isStill && last.isTriggered && trigger !== null;
  const to = isStill
    ? /** @type {number} */ (view.end) - zero
    : isTriggered
    ? last.trigger + (1 - trigger.position) * view.span
    : Number.isFinite(end)
    ? wholeColumns(end)
    : 0;
  const traced = trigger ? channelOf(trigger.signal) : undefined;
  return {
    ...{ from: to - view.span, to, zero, lanes },
    reference: isStill ? NaN : isTriggered ? last.trigger : to,
    trigger: trigger ? { trace: traced, level: trigger.level } : null,
  };
}

/** The end of the column of pixels that a time is in, so that those that come are those that are drawn, and none lies across two. */
/** @param {number} time */
function wholeColumns(time) {
  const lane = lanes.find(({ mode, count }) => mode === "columns" && count > 0);
  return lane ? (Math.floor(time / lane.width) + 1) * lane.width : time;
}

/** The part of the screen that the traces have. */
function area() {
  const { from, to } = scene();
  const over = panes[0]?.plot.over.getBoundingClientRect() ?? plots.getBoundingClientRect();
  return { from, to, left: over.left, width: over.width };
}

function redraw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    // The next frame is made while this one is drawn; it is looked at when that is done.
    if (isAwaited) connection.send({ type: "ready" });
    isAwaited = false;
    draw();
  });
}

function draw() {
  const now = scene();
  const isEmpty = !Number.isFinite(end);
  element("empty").hidden = !isEmpty;
  if (!isEmpty) {
    const room = numbersFor(null);
    for (const pane of panes) pane.show(now);
    // One of them has longer numbers now, for which all make room.
    if (numbersFor(null) > room) redraw();
    if (columns() !== sentColumns) changed();
    if (view.spectrum) spectrum?.plane.show();
    if (view.xy) plane?.plane.show();
    drawCursors(now);
    drawReadout(now);
    for (const lane of lanes) if (view.end === null) lane.forget(now.from);
  }
  showStatus(now, isEmpty);
}

/** @param {ReturnType<typeof scene>} now @param {boolean} isEmpty */
function showStatus(now, isEmpty) {
  const status = element("status");
  const [name, text] = isLost
    ? ["lost", "Connection lost; trying again"]
    : state && state.progress < 1
    ? ["live", `Reading the recording, ${Math.round(state.progress * 100)} %`]
    : isEmpty
    ? ["wait", "Waiting for samples"]
    : view.end !== null
    ? [
      "paused",
      hello?.isRecording
        ? `Recording, ${day(now.zero + now.to)} ${clock(now.zero + now.to, 1)}`
        : `Paused at ${clock(now.zero + now.to, 1)}`,
    ]
    : view.trigger && last.isTriggered
    ? ["live", view.trigger.mode === "single" ? "Triggered, stopped" : "Triggered"]
    : view.trigger && view.trigger.mode !== "auto"
    ? ["wait", "Waiting for the trigger"]
    : ["live", "Live"];
  if (status.textContent !== text) status.textContent = text;
  if (status.dataset["state"] !== name) status.dataset["state"] = name;
  // With a trigger that waits for nothing it is the one and the other all the time.
  announce(
    view.trigger?.mode === "auto" && name === "live"
      ? "Live"
      : text.replace(/,? (at )?[\d:., -]+%?$/, ""),
  );
}

/** Has a screen reader say what has changed, once it lasts: times and numbers are not said, which change all the time. */
/** @param {string} text */
function announce(text) {
  if (text === announced) return;
  announced = text;
  clearTimeout(announcing);
  announcing = setTimeout(() => element("announcement").textContent = text, ANNOUNCED_AFTER);
}

// What the user does

/** @type {import("./pointer.js").Actions} */
const actions = {
  area,
  zoom(factor, around) {
    const { from, to } = scene();
    isWhole = false;
    const span = Math.min(
      hello?.isRecording ? LONGEST : 3600,
      Math.max(SHORTEST, (to - from) * factor),
    );
    if (view.end !== null) view.end += (span - view.span) * (1 - around);
    view.span = span;
    showTools();
    changed();
  },
  move(seconds) {
    pause(true);
    view.end = /** @type {number} */ (view.end) + seconds;
    changed();
  },
  setCursor(name, part) {
    view.cursors[name] = part;
    showTools();
    changed();
  },
  zoomValues(y, factor) {
    const pane = paneAt(y);
    if (!pane) return;
    const { top, height } = pane.plot.over.getBoundingClientRect();
    const [min, max] = pane.range;
    pane.zoom(factor, max - (y - top) / height * (max - min));
    redraw();
  },
  point(at) {
    readout.pointer = at;
    if (at) redraw();
    else readout.hide();
  },
  fitValues(y) {
    const pane = paneAt(y);
    if (pane) pane.isFixed = false;
    redraw();
  },
};

/** @param {number} y */
function paneAt(y) {
  return panes.find(({ element }) => {
    const { top, bottom } = element.getBoundingClientRect();
    return y >= top && y <= bottom;
  });
}

/** Shows a recording from its begin to its end. */
function showAll() {
  if (!hello || !state || state.start === null || state.end === null) return;
  isWhole = true;
  view.span = Math.max(0.01, state.end - state.start);
  view.end = hello.zero + state.end;
  showTools();
  changed();
}

/** @param {boolean} isPaused */
function pause(isPaused) {
  if (hello?.isRecording) {
    isWhole = false;
    return;
  }
  if (isPaused === (view.end !== null)) return;
  const { to, zero } = scene();
  view.end = isPaused ? zero + to : null;
  showTools();
  changed();
}

/** @param {number} signal */
function toggle(signal) {
  if (!view.hidden.delete(signal)) view.hidden.add(signal);
  const focused = document.activeElement instanceof HTMLElement
    ? document.activeElement.dataset["signal"]
    : undefined;
  arrange();
  const again = focused && document.querySelector(`#signals button[data-signal="${focused}"]`);
  if (again instanceof HTMLElement) again.focus();
}

function toggleTrigger() {
  if (view.trigger) view.trigger = null;
  else {
    const visible = signals.find((each) => !each.isHidden) ?? { signal: 0 };
    const measured = state?.lanes[0]?.measured.find(({ channel }) =>
      channel === channelOf(visible.signal)?.id
    );
    const [min, max] = [measured?.min ?? 0, measured?.max ?? 0];
    view.trigger = {
      ...{ signal: visible.signal, slope: "rising", mode: "auto", holdoff: 0, position: 0.5 },
      level: Number(((min + max) / 2).toPrecision(3)),
      hysteresis: Number(((max - min) / 50).toPrecision(1)),
    };
  }
  arrange();
}

function toggleCursors() {
  const isOn = view.cursors.a !== null || view.cursors.b !== null;
  view.cursors = isOn ? { a: null, b: null } : { a: 0.25, b: 0.75 };
  showTools();
  changed();
}

function toggleSpectrum() {
  view.spectrum = view.spectrum ? null : {
    signal: signals.find((each) => !each.isHidden)?.signal ?? 0,
    window: "hann",
    decibel: false,
  };
  arrange();
}

function toggleXy() {
  const [x, y] = signals.filter((each) => !each.isHidden);
  view.xy = view.xy ? null : { x: x?.signal ?? 0, y: y?.signal ?? 0 };
  arrange();
}

/** Shows in the tools how everything is set. */
function showTools() {
  const { trigger, cursors, end } = view;
  const hasCursors = cursors.a !== null || cursors.b !== null;
  const pressed = {
    pause: end !== null,
    trigger: trigger !== null,
    cursors: hasCursors,
    spectrum: view.spectrum !== null,
    xy: view.xy !== null,
  };
  for (const [id, isPressed] of Object.entries(pressed)) {
    element(id).setAttribute("aria-pressed", String(isPressed));
  }
  element("pause").textContent = end === null ? "Pause" : "Go live";
  if (hello?.isRecording) element("pause").hidden = true;
  element("trigger-panel").hidden = trigger === null;
  element("cursor-panel").hidden = !hasCursors;
  element("spectrum-panel").hidden = view.spectrum === null;
  element("xy-panel").hidden = view.xy === null;
  if (trigger) showTrigger(form("trigger-panel"), trigger);
  if (view.spectrum) {
    spectrum ??= new SpectrumPlot(element("spectrum-plot"), element("peak"));
    spectrum.signal = view.spectrum.signal;
    spectrum.decibel = view.spectrum.decibel;
    field(element("spectrum-panel"), "window").value = view.spectrum.window;
    field(element("spectrum-panel"), "decibel").checked = view.spectrum.decibel;
  }
  if (view.xy) {
    plane ??= new PlanePlot(element("xy-plot"));
    plane.signal = view.xy.y;
  }
  const base = select("span");
  const isStep = SPANS.includes(view.span);
  const wanted = isStep ? SPANS : [...SPANS, view.span].sort((a, b) => a - b);
  if (base.options.length !== wanted.length || !isStep) {
    base.replaceChildren(...wanted.map((span) => new Option(duration(span), String(span))));
  }
  base.value = String(view.span);
  select("panes").value = view.panes;
}

// Cursors and the pointer

const cursors = new Cursors(plots, actions);
const readout = new Readout(plots);

/** @param {ReturnType<typeof scene>} now @param {number} at In s. */
function timeText({ reference, zero }, at) {
  return Number.isNaN(reference)
    ? clock(zero + at, view.span / 1000)
    : duration(Number((at - reference).toPrecision(9)));
}

/** @param {ReturnType<typeof scene>} now */
function drawReadout(now) {
  if (!readout.pointer) return;
  const { left, width } = area();
  // The pointer's place is the left edge of the pixel that it is on.
  const middle = readout.pointer.x + 0.5 / devicePixelRatio;
  const time = now.from + (middle - left) / width * (now.to - now.from);
  if (!(time >= now.from && time <= now.to)) return readout.hide();
  const shown = signals.filter((each) => !each.isHidden && each.channels.length > 0);
  // What finds no room on the screen is that of the pane.
  const own = shown.length <= 24 ? undefined : paneAt(readout.pointer.y)?.traces;
  const ranges = new Map(
    panes.flatMap(({ traces, range }) => traces.map(({ signal }) => [signal, range])),
  );
  const rows = shown.filter(({ signal }) => !own || own.some((each) => each.signal === signal));
  readout.show(
    timeText(now, time),
    rows.map(({ signal, name, unit, channels }) => ({
      ...{ signal, name, unit },
      values: channels.map(({ lane, id }) =>
        band(lanes[lane]?.at(id, time), ...sizeAndRange(ranges.get(signal)))
      ),
    })),
  );
}

/** @param {ReturnType<typeof scene>} now */
function drawCursors(now) {
  cursors.show(view.cursors, now, panes, (at) => timeText(now, at));
}

// Tools and keys

/** @type {Record<string, () => void>} */
const clicks = {
  pause: () => pause(view.end === null),
  faster: () => step(-1),
  slower: () => step(1),
  trigger: toggleTrigger,
  cursors: toggleCursors,
  spectrum: toggleSpectrum,
  xy: toggleXy,
  theme: toggleTheme,
  help: () => /** @type {HTMLDialogElement} */ (element("help-dialog")).showModal(),
  arm() {
    sentView = "";
    last = { isTriggered: false, trigger: NaN };
    const { trigger } = view;
    view.trigger = null;
    changed();
    view.trigger = trigger;
    changed();
  },
};
for (const [id, act] of Object.entries(clicks)) element(id).addEventListener("click", act);

/** @param {number} direction */
function step(direction) {
  isWhole = false;
  const before = view.span;
  view.stepSpan(direction);
  if (view.end !== null) view.end += (view.span - before) / 2;
  showTools();
  changed();
}

select("span").addEventListener("change", () => {
  isWhole = false;
  view.span = Number(select("span").value);
  showTools();
  changed();
});
select("panes").addEventListener("change", () => {
  view.panes = select("panes").value;
  arrange();
});
select("save").addEventListener("change", () => {
  const wanted = select("save").value;
  select("save").value = "";
  save(wanted);
});
listenToTrigger(form("trigger-panel"), (change) => {
  if (view.trigger) Object.assign(view.trigger, change);
  changed();
});
listenToGenerator(
  form("generator-panel"),
  (change) => connection.send({ type: "control", ...change }),
);
element("spectrum-panel").addEventListener("change", ({ currentTarget }) => {
  const panel = /** @type {HTMLElement} */ (currentTarget);
  view.spectrum = {
    signal: Number(field(panel, "signal").value),
    window: field(panel, "window").value,
    decibel: field(panel, "decibel").checked,
  };
  showTools();
  changed();
});
element("xy-panel").addEventListener("change", ({ currentTarget }) => {
  const panel = /** @type {HTMLElement} */ (currentTarget);
  view.xy = { x: Number(field(panel, "x").value), y: Number(field(panel, "y").value) };
  showTools();
  changed();
});

/** @param {string} wanted */
function save(wanted) {
  const now = scene();
  if (wanted === "csv") {
    const link = document.createElement("a");
    const channels = signals.filter((each) => !each.isHidden)
      .flatMap((each) => each.channels.map(({ lane, id }) => `${lane}:${id}`));
    link.href = `data.csv?from=${now.from}&to=${now.to}&channels=${channels}`;
    link.download = "labwire.csv";
    link.click();
    const whole = state?.whole ?? -Infinity;
    if (now.from < whole) {
      showProblem(
        `The CSV begins at ${
          clock(now.zero + whole, 1)
        }: what is older is kept as least and greatest values only (--history)`,
      );
    }
  } else if (wanted === "link") {
    pause(true);
    navigator.clipboard?.writeText(location.href);
  } else if (wanted !== "") {
    const report = { title: hello?.title ?? "labwire", scene: now, panes, signals };
    if (wanted === "png") savePng(report);
    else saveSvg(report);
  }
}

function applyTheme() {
  const isDark = view.theme === ""
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : view.theme === "dark";
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
}

function toggleTheme() {
  view.theme = isDark() ? "light" : "dark";
  applyTheme();
  arrange();
}

/** @type {Record<string, () => void>} */
const keys = {
  " ": () => pause(view.end === null),
  "+": () => step(-1),
  "=": () => step(-1),
  "-": () => step(1),
  ArrowLeft: () => actions.move(-view.span / 10),
  ArrowRight: () => actions.move(view.span / 10),
  Home() {
    pause(true);
    if (hello && state?.start) view.end = hello.zero + state.start + view.span;
    changed();
  },
  End: () => hello?.isRecording ? showAll() : pause(false),
  c: toggleCursors,
  t: toggleTrigger,
  s: toggleSpectrum,
  x: toggleXy,
  d: toggleTheme,
  "?": () => clicks["help"]?.(),
  "0"() {
    view.hidden.clear();
    arrange();
  },
  Escape() {
    view.cursors = { a: null, b: null };
    if (!hello?.isRecording) pause(false);
    showTools();
    changed();
  },
};
for (let i = 1; i <= 9; i++) {
  keys[String(i)] = () => {
    const signal = signals[i - 1]?.signal;
    if (signal !== undefined) toggle(signal);
  };
}

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
    return;
  }
  if (
    target instanceof HTMLInputElement && target.type !== "checkbox" ||
    target instanceof HTMLSelectElement
  ) return;
  if (target instanceof HTMLButtonElement && (key === " " || key === "Enter")) return;
  const act = keys[key] ?? keys[key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

listenForGestures(plots, actions);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  applyTheme();
  arrange();
});
addEventListener("hashchange", () => {
  view = new View(location.hash);
  applyTheme();
  arrange();
});
let zoom = zoomOf();
new ResizeObserver(() => {
  if (zoom !== zoomOf()) {
    zoom = zoomOf();
    arrange();
  }
  resize();
  changed();
}).observe(plots);
applyTheme();
showTools();

/** For tests, which look whether what is drawn is where it must be. */
export { panes, scene };
