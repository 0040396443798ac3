/**
 * What a user's module is to those who call it, whatever its language.
 *
 * @module
 */

import type { Clock } from "../time/clock.ts";

/** What a command hands to a module's functions, and takes from them. */
export type HandlerUse =
  /** JSON messages: `commands` by name or `interact` for all, called with the message and `{ bytes }`, its text. */
  | { readonly kind: "commands" }
  /**
   * Samples of VILLASnode: `handle(sample)`. In Python `handle(sample)` or `handle_batch(samples)`, and what is exported as `handle_batch`
   * takes samples with the numbers of their messages, and gives the replies, each with the number of its sample.
   */
  | { readonly kind: "samples" }
  /**
   * Records of a struct: `handle(values, peer)`. In JavaScript the caller makes values of the bytes, and records of what is returned. In
   * Python the call takes a packed record and gives packed ones, which `format` describes; there the values are a tuple, a named one with
   * `fields`, and what a generator yields goes to `peer.send()` as it comes, packed likewise. The function takes a third argument there:
   * what is called with the answer before anything else that the module sends, and gives the call's result in place of it.
   */
  | {
    readonly kind: "records";
    /** The format for Python's struct, with an explicit byte order and no alignment. */
    readonly format: string;
    /** The names of the values; of an array also how many it has. */
    readonly fields?: readonly { readonly name: string; readonly count?: number }[];
  }
  /** Plain bytes: `handle(data, peer)`; in Python the call gives bytes, or null for None. */
  | { readonly kind: "bytes" };

/** Who a record or bytes came from, as a module's function sees it: in JavaScript this object, in Python one that stands for it. */
export interface HandlerPeer {
  /** The address, as in `127.0.0.1:50000`. */
  readonly address: string;
  /** Sends something to the peer, at any time; rejects where the peer has gone. */
  send(message: unknown): unknown;
}

/** One command of a module, for a list of them. */
export interface CommandDescription {
  /** The name, which is the message's `command_id`. */
  readonly name: string;
  /** How it is called, as in `set_voltage(volts: float, channel: int = 1)`. */
  readonly signature: string;
  /** What its author says about it; empty where that is nothing. */
  readonly doc: string;
}

/** What was counted of a module so far. */
export interface ModuleCounters {
  /** How often what runs it was started again after it had died, or was ended because it took too long. */
  readonly restarts: number;
  /** Seconds that half of the calls spent beside the user's code, in labwire and the pipe; undefined where nothing was measured. */
  readonly overhead?: number;
}

/** A module that handles messages by what it exports. */
export interface ModuleHandler extends AsyncDisposable {
  /** What kind of handler this is. */
  readonly kind: "module";
  /** In which language it is written. */
  readonly language: "javascript" | "python";
  /** Its path, as the user wrote it. */
  readonly file: string;
  /**
   * What it exports now, by name; another object once it was loaded again. Functions of Python return promises. `setup` and `close`
   * need not be called: `openModule()` and `close()` do.
   */
  readonly exports: Readonly<Record<string, unknown>>;
  /** How many calls to it may be under way at once: more than `--concurrency` where they wait in a pipe for their turn. */
  readonly depth: number;
  /** What was counted so far. */
  readonly counters: ModuleCounters;
  /**
   * Loads the module again if its file has changed, once no call is under way. To be called before each message.
   *
   * @returns What the message has to wait for; undefined if there is nothing, which is nearly always.
   */
  refresh?(): Promise<void> | undefined;
  /** The commands that it has. */
  describe(): Promise<CommandDescription[]>;
  /** Lets go of a peer that has disconnected. */
  release(peer: HandlerPeer): void;
  /**
   * Begins no more calls: those that wait for their turn fail, as further ones do. For the end of a grace, when those who sent them are
   * told that they are not answered; `close()` begins with it.
   */
  stop(): void;
  /** Runs its `close()`, within 5 s, and ends what runs it, if anything does. May be called again. */
  close(): Promise<void>;
}

/** How a module is opened. */
export interface ModuleValues {
  /** The path of the interpreter that runs a module in Python. Default: that of `VIRTUAL_ENV`, else the one on `PATH`. */
  readonly python?: string;
  /** What the module's `setup()` gets, by name. */
  readonly handlerArg?: readonly (readonly [name: string, value: string])[];
  /** Seconds that a call may take. Default: no limit. */
  readonly handlerTimeout?: number;
  /** How many calls may run at once. Default: 1. */
  readonly concurrency?: number;
  /** Whether the module is loaded again when it has changed on disk, between two messages. Default: false. */
  readonly reload?: boolean;
}

/** Something that happened beside a message. */
export interface HandlerProblem {
  /**
   * What it is. `reloaded`: a changed module was loaded again; `reload`: it could not be; `exit`: what runs the handler has ended by
   * itself, or was ended because it took too long; `close`: its `close()` failed; `unsolicited`: a program printed a line that answers no
   * message; `loading`: it takes long to load.
   */
  readonly kind: "exit" | "reload" | "reloaded" | "close" | "unsolicited" | "loading";
  /** What it is, to be shown to a person. */
  readonly message: string;
}

/** What to call while a handler is open. */
export interface HandlerEvents {
  /** Called with what happens beside a message. */
  onProblem?: (problem: HandlerProblem) => void;
  /** Called with what a program that is kept running, or a module in Python, writes for people, in whole lines. */
  onStderr?: (bytes: Uint8Array) => void;
  /** Ends the wait for a module that is being loaded, which then fails with the signal's reason. */
  signal?: AbortSignal;
  /** The time. Default: this computer's clock. */
  clock?: Clock;
}
