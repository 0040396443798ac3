import type { VillasFormat } from "../../codecs/villas/format.ts";
import { villasFormat, villasFormats } from "../../codecs/villas/formats.ts";
import { UsageError } from "../../errors.ts";

/** Extensions of file names that are not a format's own name. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  jsonl: "json",
  ndjson: "json",
  pb: "protobuf",
  bin: "villas.binary",
};

/** Extensions of compressed files. */
const COMPRESSED = ["gz", "bz2", "xz", "zst", "zip", "7z"];

/** Extensions of files that other programs write, and nobody could open if they held text. */
const FOREIGN = ["xlsx", "xls", "ods", "npy", "npz", "mat", "h5", "hdf5", "parquet", "tdms"];

/** Whether a file is a capture of network traffic, by its name. */
export function isCapture(path: string): boolean {
  return /\.(pcap|pcapng|cap)$/i.test(path);
}

/**
 * The format of a file, by its name: that of its extension, else `villas.human`, as VILLASnode's file node has it.
 *
 * @param path The file's path.
 * @throws {UsageError} If the name is that of a compressed file, of a capture, or of a file of another program.
 */
export function formatOfFile(path: string): VillasFormat {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  if (COMPRESSED.includes(extension)) {
    throw new UsageError(
      `Cannot use "${path}": compressed files are neither read nor written; compress or unpack it with gzip or similar programs`,
    );
  }
  if (FOREIGN.includes(extension)) {
    throw new UsageError(
      `Cannot use "${path}": .${extension} files are neither read nor written; .csv is for numpy, MATLAB and spreadsheets, too`,
    );
  }
  if (isCapture(path)) {
    throw new UsageError(
      `Cannot use "${path}": captures are only read, by villas-convert, which takes the samples out; name a format, or another file`,
    );
  }
  const name = EXTENSIONS[extension] ?? extension;
  return villasFormat(Object.hasOwn(villasFormats, name) ? name : "villas.human");
}
