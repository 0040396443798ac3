import { kindOf, type Sample, type ValueKind } from "../codecs/villas/sample.ts";

/** Says that a reply was not sent because it could have ended VILLASnode. */
export class Refusal extends Error {
  /** Always `"Refusal"`. */
  override readonly name = "Refusal";
  /** Whether it was measured by what arrived, because nobody said which signals the remote expects. */
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

/** What a reply may hold, that VILLASnode does not abort on it: so many values at most, each of a certain kind. */
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

  /** The signals that somebody stated. */
  static stated(kinds: readonly ValueKind[]): Expected {
    return new Expected(kinds, `at most ${kinds.length}, as many as there are signals`, false);
  }

  /** The kinds that a sample has: whoever sent it takes such. */
  static received(sample: Sample): Expected {
    const kinds = sample.values.map(kindOf);
    return new Expected(kinds, `at most ${kinds.length}, as many as were received`, true);
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
      throw this.refuse(`Refused a reply of ${count} values: expected ${this.#count}`);
    }
  }

  /** Makes a refusal of something that would have been measured by this. */
  refuse(message: string): Refusal {
    return new Refusal(message, this.#unstated);
  }
}
