/** What the page consists of: the very files of the repository and of npm:uplot, as text in the program. */

import page from "../page/index.html" with { type: "text" };
import style from "../page/style.css" with { type: "text" };
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import icon from "../page/icon.svg" with { type: "text" };
import coloursScript from "../page/colours.js" with { type: "text" };
import connectionScript from "../page/connection.js" with { type: "text" };
import cursorsScript from "../page/cursors.js" with { type: "text" };
import extrasScript from "../page/extras.js" with { type: "text" };
import formatScript from "../page/format.js" with { type: "text" };
import mainScript from "../page/main.js" with { type: "text" };
import panelsScript from "../page/panels.js" with { type: "text" };
import panesScript from "../page/panes.js" with { type: "text" };
import pointerScript from "../page/pointer.js" with { type: "text" };
import protocolScript from "../page/protocol.js" with { type: "text" };
import rasterScript from "../page/raster.js" with { type: "text" };
import readoutScript from "../page/readout.js" with { type: "text" };
import saveScript from "../page/save.js" with { type: "text" };
import scaleScript from "../page/scale.js" with { type: "text" };
import tableScript from "../page/table.js" with { type: "text" };
import tracesScript from "../page/traces.js" with { type: "text" };
import viewScript from "../page/view.js" with { type: "text" };

/** A file as it is served. */
export interface Asset {
  /** Its kind. */
  readonly type: string;
  /** Its content. */
  readonly body: string;
}

const html = (body: string): Asset => ({ type: "text/html; charset=utf-8", body });
const css = (body: string): Asset => ({ type: "text/css; charset=utf-8", body });
const script = (body: string): Asset => ({ type: "text/javascript; charset=utf-8", body });

/** The files by their paths. */
export const assets: Readonly<Record<string, Asset>> = {
  "/": html(page),
  "/style.css": css(style),
  "/uplot.css": css(uplotStyle),
  "/uplot.js": script(uplotScript),
  "/icon.svg": { type: "image/svg+xml", body: icon },
  "/colours.js": script(coloursScript),
  "/connection.js": script(connectionScript),
  "/cursors.js": script(cursorsScript),
  "/extras.js": script(extrasScript),
  "/format.js": script(formatScript),
  "/main.js": script(mainScript),
  "/panels.js": script(panelsScript),
  "/panes.js": script(panesScript),
  "/pointer.js": script(pointerScript),
  "/protocol.js": script(protocolScript),
  "/raster.js": script(rasterScript),
  "/readout.js": script(readoutScript),
  "/save.js": script(saveScript),
  "/scale.js": script(scaleScript),
  "/table.js": script(tableScript),
  "/traces.js": script(tracesScript),
  "/view.js": script(viewScript),
};
