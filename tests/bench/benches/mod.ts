/** All benches, in the order in which they are run. A new one is a row here. */

import type { Bench } from "../bench.ts";
import { codecs } from "./codec.ts";
import { echo, echoHandler, echoPaced, echoPrint, echoPython } from "./echo.ts";
import { idle, memory } from "./endurance.ts";
import { json1, json8, jsonKept, jsonPython1, jsonPython8 } from "./json.ts";
import { record } from "./record.ts";
import { signal, signalBack } from "./signal.ts";
import { socketRoundTrip, socketTransfer } from "./socket.ts";
import { structLine } from "./struct_line.ts";
import { villasFlood, villasRoundTrip } from "./villasnode.ts";

/** All benches. */
export const benches: readonly Bench[] = [
  ...codecs,
  echo,
  echoPaced,
  echoHandler,
  echoPython,
  ...echoPrint,
  villasFlood,
  villasRoundTrip,
  json1,
  json8,
  jsonKept,
  jsonPython8,
  jsonPython1,
  structLine,
  socketTransfer,
  socketRoundTrip,
  signal,
  signalBack,
  record,
  idle,
  memory,
];
