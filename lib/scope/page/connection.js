// @ts-check
/** The WebSocket to the program, opened again when it is lost. */

import { decodeFrame } from "./protocol.js";

/** Milliseconds after which a lost connection is tried again. */
const RETRY = 1000;

/**
 * @typedef {object} Receiver Who is told what comes.
 * @property {(hello: import("./types.js").Hello) => void} hello
 * @property {(state: import("./types.js").State) => void} state
 * @property {(frame: import("./protocol.js").Frame) => void} frame
 * @property {(generator: import("./types.js").Generator) => void} control
 * @property {(message: string) => void} problem
 * @property {() => void} lost
 */

export class Connection {
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Receiver} */
  #receiver;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /** @param {Receiver} receiver */
  constructor(receiver) {
    this.#receiver = receiver;
    this.#open();
  }

  /**
   * Sends a message; nothing while there is no connection.
   *
   * @param {Record<string, unknown>} message
   */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #open() {
    const url = new URL("stream", location.href);
    url.protocol = "ws:";
    url.hash = url.search = "";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = () => {
      this.#receiver.lost();
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#open(), RETRY);
    };
    this.#socket = socket;
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    if (typeof data !== "string") return this.#receiver.frame(decodeFrame(data));
    const message = JSON.parse(data);
    if (message.type === "hello") this.#receiver.hello(message);
    else if (message.type === "state") this.#receiver.state(message);
    else if (message.type === "control") this.#receiver.control(message);
    else if (message.type === "problem") this.#receiver.problem(message.message);
  }
}
