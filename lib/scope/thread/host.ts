import { villasProtobuf } from "../../codecs/villas/protobuf.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import { Feed } from "../feed.ts";
import type { TerminalPlot } from "../plot/plot.ts";
import type { Scope, ScopeControl } from "../scope.ts";
import type { Statistic } from "../viewer.ts";
import { errorOf, faultOf } from "./fault.ts";
import type { FromThread, Start, ToThread } from "./messages.ts";
import { type RingHandler, RingReader } from "./ring.ts";

/** Milliseconds between two looks for samples. */
const INTERVAL = 10;
/** Milliseconds for which they are read at a time, before the browsers have their turn; and when much waits, so that nothing is lost. */
const [TURN, LONG_TURN] = [8, 100];
/** The part of the memory that is much. */
const MUCH = 0.25;
/** Looks in vain after which this waits to be woken. */
const PATIENCE = 20;

/** What a thread knows of the one that started it. */
export interface Port {
  /** Says something. */
  postMessage(message: FromThread): void;
  /** Called with what is said. */
  onmessage: ((event: { readonly data: ToThread }) => void) | null;
}

/**
 * Runs a scope in the thread that this is called in.
 *
 * @param port What leads to the thread that started this one.
 */
export function serveThread(port: Port): void {
  let host: Host | undefined;
  port.onmessage = ({ data }) => {
    if (data.type !== "start") return host?.receive(data);
    host = new Host(port, data.start);
    void host.start(data.start);
  };
  port.postMessage({ type: "loaded" });
}

/** A scope, and what feeds it from another thread. */
class Host implements RingHandler {
  readonly #port: Port;
  readonly #feed: Feed;
  readonly #reader: RingReader;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #samples: readonly Sample[] = [];
  #scope: Scope | undefined;
  #plot: TerminalPlot | undefined;
  #statistics: readonly Statistic[] = [];
  #isAsked = false;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #inVain = 0;
  #isClosed = false;

  constructor(port: Port, start: Start) {
    this.#port = port;
    this.#feed = new Feed(start);
    this.#reader = new RingReader(start.memory);
  }

  async start({ listen, title, hasControl }: Start): Promise<void> {
    try {
      if (listen) {
        const { startScope } = await import("../scope.ts");
        this.#scope = startScope({
          ...{ feed: this.#feed, listen, title },
          statistics: () => this.#ask(),
          control: hasControl ? this.#control() : undefined,
          onProblem: (kind, message) => this.#port.postMessage({ type: "problem", kind, message }),
        });
      }
      const { addr, url } = this.#scope ?? {};
      this.#port.postMessage({ type: "started", addr, url });
      this.#look();
    } catch (error) {
      this.#port.postMessage({ type: "failed", error: faultOf(error) });
    }
  }

  /** Does what the other thread says. */
  receive(message: ToThread): void {
    if (message.type === "wake") this.#look();
    else if (message.type === "statistics") {
      this.#statistics = message.statistics;
      this.#isAsked = false;
    } else if (message.type === "answer") this.#answered(message);
    else if (message.type === "draw") void this.#draw(message);
    else if (message.type === "press") void this.#plotOf().then((plot) => plot.press(message.key));
    else if (message.type === "close") void this.#close();
  }

  message(lane: number, time: number, bytes: Uint8Array): void {
    try {
      this.#samples = villasProtobuf.decode(bytes);
    } catch {
      // It is told by whoever receives it; here it is not shown.
      this.#samples = [];
      return this.#feed.lost(lane, 1);
    }
    this.#feed.add(lane, this.#samples, time);
  }

  again(lane: number, time: number): void {
    this.#feed.add(lane, this.#samples, time);
  }

  lost(lane: number, count: number): void {
    this.#feed.lost(lane, count);
  }

  /** Reads what has come, and will look again. */
  #look(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    const end = performance.now() + (this.#reader.filled > MUCH ? LONG_TURN : TURN);
    let count = 0;
    const isEmpty = this.#reader.drain(this, () => ++count % 16 > 0 || performance.now() < end);
    this.#inVain = count > 0 ? 0 : this.#inVain + 1;
    if (this.#inVain > PATIENCE && this.#reader.sleep()) return;
    this.#timer = setTimeout(() => this.#look(), isEmpty ? INTERVAL : 0);
  }

  /** The numbers beside the traces as they were told last; asks for new ones. */
  #ask(): readonly Statistic[] {
    if (!this.#isAsked) this.#port.postMessage({ type: "statistics" });
    this.#isAsked = true;
    return this.#statistics;
  }

  #control(): ScopeControl {
    const ask = (
      message: { type: "describe" } | { type: "change"; change: Record<string, unknown> },
    ) => {
      const id = this.#asked++;
      const answer = Promise.withResolvers<unknown>();
      this.#waiting.set(id, answer);
      this.#port.postMessage({ ...message, id });
      return answer.promise;
    };
    return {
      describe: () => ask({ type: "describe" }) as Promise<Record<string, unknown>>,
      change: (change) => ask({ type: "change", change }) as Promise<void>,
    };
  }

  #answered({ id, value, error }: ToThread & { type: "answer" }): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) answer?.reject(errorOf(error));
    else answer?.resolve(value);
  }

  async #plotOf(): Promise<TerminalPlot> {
    const { TerminalPlot } = await import("../plot/plot.ts");
    return this.#plot ??= new TerminalPlot(this.#feed);
  }

  async #draw({ size }: ToThread & { type: "draw" }): Promise<void> {
    const plot = await this.#plotOf();
    this.#reader.drain(this);
    this.#port.postMessage({ type: "drawn", lines: plot.draw(size) });
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#scope?.close();
    this.#port.postMessage({ type: "closed" });
  }
}
