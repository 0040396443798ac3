import { messageOf, UsageError } from "../../errors.ts";

/** An error on its way to the other thread. */
export interface Fault {
  /** Its class. */
  readonly name: string;
  /** What it says. */
  readonly message: string;
}

/** An error as it is passed on. */
export function faultOf(error: unknown): Fault {
  return { name: error instanceof Error ? error.name : "Error", message: messageOf(error) };
}

/** An error that was passed on. */
export function errorOf({ name, message }: Fault): Error {
  return name === "UsageError" ? new UsageError(message) : new Error(message);
}
