export { CodecError, ConnectError, RemoteError, UsageError } from "./lib/errors.ts";
