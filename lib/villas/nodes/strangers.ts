import { type Endpoint, formatAddress } from "../../net/address/address.ts";

/** Addresses that are told apart. */
const MOST = 1024;

/** Remembers whose datagrams have been ignored, so that each address is told once. */
export class Strangers {
  readonly #names = new Set<string>();

  /** Whether an address has not been asked about before; false too when there are too many. */
  isNew(from: Endpoint): boolean {
    const name = formatAddress(from);
    if (this.#names.has(name) || this.#names.size >= MOST) return false;
    this.#names.add(name);
    return true;
  }
}
