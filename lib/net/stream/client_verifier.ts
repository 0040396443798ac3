import type process from "node:process";
import type { Duplex as DuplexStream } from "node:stream";
import type { TLSSocket } from "node:tls";
import { messageOf, UsageError } from "../../errors.ts";
import { within } from "../../time/deadline.ts";
import type { TlsIdentity } from "./bind.ts";
import type { RawConnection } from "./connection_options.ts";

/** The first version of Deno whose TLS can request a client certificate. */
const DENO = [2, 9] as const;
/** Seconds that TLS gets to understand what a client sent last. */
const SETTLING = 0.5;
/** Bytes that are read at once. */
const PIECE = 1 << 16;

/**
 * The fatal alert "bad certificate" (RFC 8446, section 6). Without it, a client of TLS 1.3 takes the end of the connection for a normal
 * one, as its handshake is complete before its certificate is checked. Deno does not send the alert itself.
 */
const BAD_CERTIFICATE = Uint8Array.of(21, 3, 3, 0, 2, 2, 42);

/** Deno's implementation of Node.js, loaded only when needed because that takes a while. */
function node(): Pick<typeof process, "getBuiltinModule"> {
  return (globalThis as unknown as { process: typeof process }).process;
}

/**
 * Serves TLS only to clients with a certificate signed by an authority. `Deno.listenTls()` cannot request one, but Node's TLS, which
 * Deno implements too, can: it runs on top of a plain connection.
 */
export class ClientVerifier {
  readonly #identity: TlsIdentity;
  readonly #clientCa: string;

  /**
   * @param identity The server's own certificate and key; `bindStream()` has tried them.
   * @param clientCa Certificates of the authorities that may sign client certificates, as PEM text.
   * @throws {UsageError} If these cannot be used, or this version of Deno does not support it.
   */
  constructor(identity: TlsIdentity, clientCa: string) {
    const [major = 0, minor = 0] = Deno.version.deno.split(".").map(Number);
    if (major < DENO[0] || (major === DENO[0] && minor < DENO[1])) {
      throw new UsageError(
        `Cannot verify client certificates with Deno ${Deno.version.deno}: expected ${
          DENO.join(".")
        } or later`,
      );
    }
    try {
      // Node's TLS accepts anything here, and then refuses every client.
      new (node().getBuiltinModule("node:crypto").X509Certificate)(clientCa);
    } catch (cause) {
      throw new UsageError(
        `Cannot verify client certificates: the authority's certificate is invalid: ${
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
   * @returns The connection to a client whose certificate is signed by the authority.
   * @throws If TLS fails or the client has no such certificate; the connection is then closed.
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
      // A runtime that does not request certificates never reports a client as authorized.
      isVerified = socket.authorized;
      if (isVerified) return resolve(new SecuredConnection(conn, socket));
      socket.destroy();
      reject(new Error("the client's certificate was not verified"));
    });
    server.on("tlsClientError", (error) => {
      stream.destroy();
      reject(new Error(reasonOf(error), { cause: error }));
    });
    // Node does not say that a client disconnects in the handshake.
    stream.once("end", () => {
      within(promise, SETTLING).then((conn) => {
        if (conn) return;
        stream.destroy();
        reject(new Error("it disconnected in the handshake"));
      }, () => {}); // refused already
    });
    server.emit("connection", stream);
    return promise;
  }
}

function reasonOf(error: Error): string {
  const { code } = error as { code?: string };
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "the client sent no certificate";
  // The error does not say which side closed the connection.
  if (code === "ECONNRESET") {
    return "its certificate is not signed by the authority or not valid now, or it disconnected";
  }
  return error.message;
}

/** A Deno connection as a Node stream; `lastWords` gives the bytes to send when it is destroyed. */
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

/** A Node connection with the interface of a Deno one. */
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
