/** What one check found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `note` is neither good nor bad, or cannot be told. */
  readonly status: "ok" | "note" | "problem";
  /** What is so, as a sentence without a period. */
  readonly message: string;
  /** How to mend it. */
  readonly remedy?: string;
}
