export type { Codec } from "./lib/codecs/codec.ts";
export {
  type Complex,
  kindOf,
  type Sample,
  type Timestamp,
  type Value,
  type ValueKind,
} from "./lib/codecs/sample.ts";
export { formatHuman } from "./lib/codecs/villas_human.ts";
export { formatText } from "./lib/codecs/villas_text.ts";
export {
  CodecError,
  type CodecErrorOptions,
  ConnectError,
  RemoteError,
  UsageError,
} from "./lib/errors.ts";
export {
  type Endpoint,
  formatAddress,
  type HostPort,
  parseAddress,
  type ParseAddressOptions,
  type UnixPath,
} from "./lib/net/address.ts";
