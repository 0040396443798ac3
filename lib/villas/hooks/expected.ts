import { counted } from "../../text/wording.ts";
import { kindOf, type Sample, type Value, type ValueKind } from "../../codecs/villas/sample.ts";
import type { SignalKind } from "../../codecs/villas/signals.ts";
import { type Endpoint, formatAddress } from "../../net/address/address.ts";
import { sameEndpoint } from "../../net/address/same.ts";
import type { Batch } from "../node.ts";

/** Says that a reply was not sent because it could have ended VILLASnode. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
  /** Whether it was measured by what arrived, because the signals that the remote expects were not stated. */
  readonly unstated: boolean;

  /**
   * Makes the refusal.
   *
   * @param message What was refused, and what was expected.
   * @param unstated Whether stating the signals could help.
   */
  constructor(message: string, unstated = false) {
    super(message);
    this.unstated = unstated;
  }
}

/** Signals of a node of VILLASnode that states none. */
const USUAL = 64;

/** What a reply may hold, so that VILLASnode does not abort on it: so many values at most, each of a certain kind. */
export class Expected {
  /** The kind of each signal. */
  readonly kinds: readonly ValueKind[];
  readonly #count: string;
  readonly #unstated: boolean;

  private constructor(kinds: readonly ValueKind[], count: string, unstated: boolean) {
    this.kinds = kinds;
    this.#count = count;
    this.#unstated = unstated;
  }

  /** The signals that were stated. */
  static stated(kinds: readonly ValueKind[]): Expected {
    return new Expected(kinds, `at most ${kinds.length}, as many as there are signals`, false);
  }

  /**
   * The kinds that a sample has: its sender accepts the same.
   *
   * @param sample The sample.
   * @param last What was made of the sample before, which serves again if this one is of the same kinds.
   */
  static received({ values }: Sample, last?: Expected): Expected {
    if (last?.isOf(values)) return last;
    const kinds = values.map(kindOf);
    return new Expected(kinds, `at most ${kinds.length}, as many as were received`, true);
  }

  /** Whether values are exactly of these kinds. */
  isOf(values: readonly Value[]): boolean {
    const { kinds } = this;
    if (values.length !== kinds.length) return false;
    for (let i = 0; i < kinds.length; i++) if (kindOf(values[i]!) !== kinds[i]) return false;
    return true;
  }

  /** What VILLASnode takes unless its signals are stated, where a message does not say how many values a sample has. */
  static usual(): Expected {
    const kinds = new Array<ValueKind>(USUAL).fill("float");
    return new Expected(
      kinds,
      `at most ${USUAL}, as many as VILLASnode has signals unless they are stated`,
      true,
    );
  }

  /** The kinds that a remote has sent last; it has sent nothing where they are undefined. */
  static shown(kinds: readonly ValueKind[] | undefined, remote: string): Expected {
    const count = kinds === undefined
      ? `none, because ${remote} has not sent a sample yet that shows its signals`
      : `at most ${kinds.length}, as many as ${remote} sent last`;
    return new Expected(kinds ?? [], count, true);
  }

  /**
   * Checks how many values a reply has.
   *
   * @throws {Refusal} If there are too many.
   */
  checkCount(count: number): void {
    if (count > this.kinds.length) {
      throw this.refuse(`Refused a reply of ${counted(count, "value")}: expected ${this.#count}`);
    }
  }

  /** Makes a refusal of something that would have been measured by this. */
  refuse(message: string): Refusal {
    return new Refusal(message, this.#unstated);
  }
}

/** How {@linkcode Expectations} are found out. */
export interface ExpectationsOptions {
  /** The signals that were stated. */
  readonly signals?: readonly SignalKind[];
  /** The address that gets replies to others, too; undefined where each sender gets its own. */
  readonly passesOnTo?: Endpoint;
  /** Whether a message does not say how many values a sample has. Default: false. */
  readonly uncounted?: boolean;
}

/** Knows what the replies to a batch may hold. */
export class Expectations {
  readonly #stated: Expected | undefined;
  readonly #remote: Endpoint | undefined;
  readonly #uncounted: boolean;
  /** The kinds of values that the remote has sent last. */
  #shown: readonly ValueKind[] | undefined;
  readonly #each: Expected[] = [];
  #last: Expected | undefined;

  /** @param options How it is found out. */
  constructor({ signals, passesOnTo, uncounted }: ExpectationsOptions) {
    this.#uncounted = uncounted ?? false;
    if (signals) this.#stated = Expected.stated(signals);
    else this.#remote = passesOnTo;
  }

  /** Whether a plain batch may go back as it came, whatever it holds. */
  get takesPlain(): boolean {
    return this.#remote === undefined;
  }

  /**
   * What the reply to each sample may hold. To be called once with each batch.
   *
   * @param batch What arrived.
   * @returns One for each sample; undefined where the samples came from the address that they go back to, which takes what it sent.
   */
  of(batch: Batch): readonly Expected[] | undefined {
    const { samples, from } = batch;
    const stated = this.#stated;
    if (stated) return samples.map(() => stated);
    const remote = this.#remote;
    const own = this.#ofSender(batch);
    if (own) return own;
    if (remote === undefined) return undefined;
    if (from === undefined || sameEndpoint(from, remote)) {
      const last = samples.at(-1);
      if (last?.type === "data") this.#shown = last.values.map(kindOf);
      return undefined;
    }
    const shown = Expected.shown(this.#shown, formatAddress(remote));
    return samples.map(() => shown);
  }

  /** What the sender of a batch takes where it may not be what it sent. */
  #ofSender({ samples }: Batch): readonly Expected[] | undefined {
    if (!this.#uncounted || !samples.some(({ values }) => values.length > USUAL)) return undefined;
    const usual = Expected.usual();
    return samples.map(() => usual);
  }

  /**
   * The same, where a sample that goes back to its sender is measured by what was received. To be called once with each batch.
   *
   * @param batch What arrived.
   * @returns One for each sample, until the next call.
   */
  ofEach(batch: Batch): readonly Expected[] {
    const known = this.of(batch);
    if (known) return known;
    const { samples } = batch;
    const each = this.#each;
    for (let i = 0; i < samples.length; i++) {
      this.#last = Expected.received(samples[i]!, this.#last);
      each[i] = this.#last;
    }
    if (each.length !== samples.length) each.length = samples.length;
    return each;
  }
}

/**
 * Checks that a sample has the type that VILLASnode takes back.
 *
 * @throws {Refusal} If it is another one than DATA.
 */
export function checkType(sample: Sample): void {
  if (sample.type === "data") return;
  throw new Refusal(
    `Refused to send back a ${sample.type.toUpperCase()} sample: VILLASnode aborts on it`,
  );
}
