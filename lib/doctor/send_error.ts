/** The system refuses to send to an address; the cause is what it threw. */
export class SendError extends Error {
  /** Always `"SendError"`. */
  override readonly name = "SendError";
  /** The IP address. */
  readonly address: string;

  /** Makes the error. */
  constructor(address: string, cause: unknown) {
    super(`Cannot send to "${address}"`, { cause });
    this.address = address;
  }
}
