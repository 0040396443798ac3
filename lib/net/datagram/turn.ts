/**
 * Lets everything else in the process have its turn: timers, signals and other sockets.
 *
 * Deno's event loop looks at sockets and timers when nothing else is left to do, and otherwise at every 61st round only: however often a
 * program that is busy calls `setImmediate`, others have to wait for it. So this waits for a datagram to itself, which only a look at the
 * sockets can find.
 */
export class Turn implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #bytes = new Uint8Array(1);

  /** Resolves when everything else had its turn. */
  async pass(): Promise<void> {
    // Asked for before it is sent, so that the look at the sockets cannot be left out.
    const arriving = this.#socket.receive(this.#bytes);
    await Promise.all([arriving, this.#socket.send(this.#bytes, this.#socket.addr)]);
  }

  /** Closes the socket; a call that is waiting rejects. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
