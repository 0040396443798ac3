import type process from "node:process";
import type { Duplex as DuplexStream } from "node:stream";
import type { TLSSocket } from "node:tls";
import { messageOf, UsageError } from "../../errors.ts";
import type { TlsIdentity } from "./bind.ts";
import type { RawConnection } from "./connection_options.ts";

/** The first version of Deno whose TLS can ask for a client's certificate. */
const DENO = [2, 9] as const;
/** Bytes that are read at once. */
const PIECE = 1 << 16;

/**
 * The fatal alert "bad certificate" (RFC 8446, section 6), without which a client of TLS 1.3 takes the end of the connection for one in
 * order: for it, TLS has been agreed on before its certificate is looked at. Deno keeps its own alert to itself.
 */
const BAD_CERTIFICATE = Uint8Array.of(21, 3, 3, 0, 2, 2, 42);

/** Loads what Deno has of Node.js, which takes a while, when it is needed. */
function node(): Pick<typeof process, "getBuiltinModule"> {
  return (globalThis as unknown as { process: typeof process }).process;
}

/**
 * Serves TLS to clients that show a certificate of an authority, and to nobody else. `Deno.listenTls()` cannot ask for one, but the
 * TLS of Node.js can, which Deno has too: it is put on top of a plain connection.
 */
export class ClientVerifier {
  readonly #identity: TlsIdentity;
  readonly #clientCa: string;

  /**
   * @param identity The server's own certificate and key; `bindStream()` has tried them.
   * @param clientCa The certificates of those who may sign the clients', as PEM text.
   * @throws {UsageError} If these cannot be used, or this version of Deno cannot do it.
   */
  constructor(identity: TlsIdentity, clientCa: string) {
    const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
    if (major < DENO[0] || (major === DENO[0] && minor < DENO[1])) {
      throw new UsageError(
        `Cannot verify certificates of clients: Deno ${Deno.version.deno} has no means to, expected ${
          DENO.join(".")
        } or later`,
      );
    }
    try {
      // Node's TLS takes anything, and lets nobody in then.
      new (node().getBuiltinModule("node:crypto").X509Certificate)(clientCa);
    } catch (cause) {
      throw new UsageError(
        `Cannot verify certificates of clients: that of their authority is no use: ${
          messageOf(cause)
        }`,
        { cause },
      );
    }
    this.#identity = identity;
    this.#clientCa = clientCa;
  }

  /**
   * Speaks TLS with a client.
   *
   * @param conn The plain connection, which belongs to the new one from now on.
   * @returns The connection, with a client whose certificate is signed by the authority.
   * @throws If TLS fails, or the client has no such certificate; the connection is closed then.
   */
  secure(conn: Deno.TcpConn): Promise<RawConnection> {
    conn.setNoDelay(true);
    const { promise, resolve, reject } = Promise.withResolvers<RawConnection>();
    const server = node().getBuiltinModule("node:tls").createServer({
      ...this.#identity,
      ca: this.#clientCa,
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    });
    let isVerified = false;
    const stream = duplexOf(conn, () => isVerified ? null : BAD_CERTIFICATE);
    server.on("secureConnection", (socket) => {
      // A runtime that does not ask for certificates says of nobody that he is authorized.
      isVerified = socket.authorized;
      if (isVerified) return resolve(new SecuredConnection(conn, socket));
      socket.destroy();
      reject(new Error("the client's certificate was not verified"));
    });
    server.on("tlsClientError", (error) => {
      stream.destroy();
      reject(new Error(reasonOf(error), { cause: error }));
    });
    server.emit("connection", stream);
    return promise;
  }
}

function reasonOf(error: Error): string {
  const { code } = error as { code?: string };
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "it shows no certificate";
  // Whether the client or this side has hung up is not told.
  if (code === "ECONNRESET") {
    return "its certificate is not one that the authority has signed and that is valid now, or it hung up";
  }
  return error.message;
}

/** A connection of Deno's as a stream of Node's; what is to be sent when it is given up is asked for then. */
function duplexOf(conn: Deno.Conn, lastWords: () => Uint8Array | null): DuplexStream {
  const { Duplex } = node().getBuiltinModule("node:stream");
  const close = async () => {
    const bytes = lastWords();
    if (bytes) await conn.write(bytes).catch(() => {}); // the peer is gone already
    try {
      conn.close();
    } catch {
      // the system has closed it already
    }
  };
  return new Duplex({
    allowHalfOpen: true,
    read() {
      const buffer = new Uint8Array(PIECE);
      conn.read(buffer).then(
        (length) => void this.push(length === null ? null : buffer.subarray(0, length)),
        (error) => void this.destroy(error),
      );
    },
    write(bytes: Uint8Array, _encoding, done) {
      writeAll(conn, bytes).then(() => done(), done);
    },
    final(done) {
      conn.closeWrite().then(() => done(), () => done());
    },
    destroy(error, done) {
      close().then(() => done(error));
    },
  });
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** A connection of Node's in the manner of Deno's. */
class SecuredConnection implements RawConnection {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #socket: TLSSocket;
  /** What was read beyond the reader's buffer. */
  #rest: Uint8Array | null = null;
  #error: Error | undefined;
  #ended = false;
  #wake: () => void = () => {};

  constructor({ localAddr, remoteAddr }: Deno.Conn, socket: TLSSocket) {
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
    this.#socket = socket;
    const end = (error?: Error) => {
      this.#error ??= error;
      this.#ended = true;
      this.#wake();
    };
    socket.on("readable", () => this.#wake());
    socket.on("end", () => end());
    socket.on("error", end);
    socket.on("close", () => end());
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk: Uint8Array | null = this.#rest ?? this.#socket.read();
      if (chunk !== null) {
        const length = Math.min(chunk.length, buffer.length);
        buffer.set(chunk.subarray(0, length));
        this.#rest = length < chunk.length ? chunk.subarray(length) : null;
        return length;
      }
      if (this.#error) throw this.#error;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }
}
