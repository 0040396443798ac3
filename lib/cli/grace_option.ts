import { type Option, seconds } from "./options.ts";
import { DEFAULT_GRACE } from "./signals.ts";

/** The option `--grace`: how long a server may take to end. The program keeps to it whatever the command does. */
export const graceOption: Option<number> = seconds({
  default: DEFAULT_GRACE,
  help: "Seconds that open work may take after Ctrl-C or SIGTERM",
});
