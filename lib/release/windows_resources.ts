import { Data, NtExecutable, NtExecutableResource, Resource } from "resedit";

/** What Windows shows of an executable. */
export interface WindowsResources {
  /** `1.2.3`. */
  version: string;
  /** The strings, by the names that Windows has for them: `ProductName`, `FileDescription` … */
  strings: Readonly<Record<string, string>>;
  /** An `.ico` file. */
  icon: Uint8Array;
}

/** The kinds of resources that are replaced: the pictures of icons, the icons, and the version. */
const REPLACED: readonly (number | string)[] = [3, 14, 16];
/** English (United States). */
const LANGUAGE = 0x0409;
/** UTF-16. */
const CODE_PAGE = 0x04b0;

/**
 * Gives a Windows executable an icon and a version, as Explorer and the task manager show them.
 *
 * `deno compile` writes no version, and programs made with its option `--icon` did not start on Windows in several releases
 * (denoland/deno#28982, #36206). The program that it embeds is itself a resource, `D3N0L4ND` of the kind RCDATA; it stays.
 *
 * @param executable An executable by `deno compile`. If it is signed, the signature is removed, as it would be invalid.
 * @param resources What it gets.
 * @returns The executable with them.
 * @throws {Error} If it is no Windows executable.
 */
export function withWindowsResources(
  executable: Uint8Array<ArrayBuffer>,
  { version, strings, icon }: WindowsResources,
): Uint8Array<ArrayBuffer> {
  const program = NtExecutable.from(executable, { ignoreCert: true });
  const resources = NtExecutableResource.from(program);
  resources.entries = resources.entries.filter(({ type }) => !REPLACED.includes(type));
  const pictures = Data.IconFile.from(icon).icons.map(({ data }) => data);
  const { IconGroupEntry } = Resource;
  IconGroupEntry.replaceIconsForResource(resources.entries, "MAINICON", LANGUAGE, pictures);
  versionInfo(version, strings).outputToResourceEntries(resources.entries);
  resources.outputResource(program);
  return new Uint8Array(program.generate());
}

function versionInfo(
  version: string,
  strings: Readonly<Record<string, string>>,
): Resource.VersionInfo {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).slice(0, 3).map(Number);
  const info = Resource.VersionInfo.createEmpty();
  info.lang = LANGUAGE;
  info.fixedInfo.fileFlagsMask = 0x3f;
  info.fixedInfo.fileOS = Resource.VersionFileOS.NT_Windows32;
  info.fixedInfo.fileType = Resource.VersionFileType.App;
  info.setFileVersion(major, minor, patch, 0, LANGUAGE);
  info.setProductVersion(major, minor, patch, 0, LANGUAGE);
  const all = { ...strings, FileVersion: version, ProductVersion: version };
  info.setStringValues({ lang: LANGUAGE, codepage: CODE_PAGE }, all);
  return info;
}
