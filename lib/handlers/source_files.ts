/** Files of which it is asked whether they have changed. */
export class SourceFiles {
  readonly paths: readonly string[];
  #stamps: readonly string[];

  /**
   * @param paths The files, as they are now.
   * @param before Those of them that were looked at before, as they were then.
   */
  constructor(paths: readonly string[], before?: SourceFiles) {
    this.paths = paths;
    this.#stamps = paths.map((path) =>
      (before && before.#stamps[before.paths.indexOf(path)]) ?? stampOf(path)
    );
  }

  /** Whether one of them is another than when that was last accepted; one that is missing or empty, as while an editor writes it, is none. */
  changed(): boolean {
    return this.paths.some((path, i) => differs(path, this.#stamps[i]!));
  }

  /** Takes the files as they are now for unchanged. */
  accept(): void {
    this.#stamps = this.paths.map(stampOf);
  }
}

/** Whether a file is there, holds something, and is another than it was. */
export function differs(path: string, stamp: string): boolean {
  const now = stampOf(path);
  return now !== "" && now !== stamp;
}

/** What changes when a file does; empty where there is none, or nothing in it. */
export function stampOf(path: string): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return size === 0 ? "" : `${mtime?.getTime()} ${size} ${ino}`;
  } catch {
    return "";
  }
}
