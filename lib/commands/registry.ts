import type { Registry } from "../cli/run.ts";

/** All commands, in the order of the help. */
export const registry: Registry = {};
