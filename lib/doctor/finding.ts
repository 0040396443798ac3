/** What one check found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `note` is neither good nor bad, or unknown. */
  readonly status: "ok" | "note" | "problem";
  /** What was found, as a sentence without a period. */
  readonly message: string;
  /** How to fix it. */
  readonly remedy?: string;
}
