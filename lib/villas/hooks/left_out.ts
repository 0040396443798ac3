import type { Format, VillasFormat } from "../../codecs/villas/format.ts";
import type { Sample } from "../../codecs/villas/sample.ts";
import type { Signal } from "../../codecs/villas/signals.ts";
import type { Endpoint } from "../../net/address/address.ts";
import { sameEndpoint } from "../../net/address/same.ts";
import { counted } from "../../text/wording.ts";
import type { Batch } from "../node.ts";
import type { Hook } from "../path.ts";
import { Refusal } from "./expected.ts";

/**
 * Finds samples of VILLASnode's formats of JSON in which values are missing. VILLASnode leaves out NaN and the infinities there: in `json`,
 * those behind them move up; in the others, an old value is read in their place. Who sends fewer values than before, or than there are
 * signals, may have left some out.
 */
export class LeftOut implements Hook {
  readonly #name: string;
  readonly #signals: readonly Signal[] | undefined;
  readonly #senders: { from: Endpoint | undefined; most: number }[] = [];
  #reason: string | undefined;

  /**
   * @param name The format's name.
   * @param signals The signals, if they were stated.
   */
  constructor(name: string, signals: readonly Signal[] | undefined) {
    this.#name = name;
    this.#signals = signals;
  }

  /** Whether there is something to be found in a format: not where its settings leave out all values. */
  static concerns(format: Format): boolean {
    const { notation = format.name } = format as Partial<VillasFormat>;
    return format.name.startsWith("json") &&
      !(format.name === "json" && /,data=false/.test(notation));
  }

  /**
   * Looks at the samples of a message; to be called with each.
   *
   * @returns What is missing, why, and the way out, as the rest of a sentence; undefined if nothing is.
   */
  find({ samples, from }: Pick<Batch, "samples" | "from">): string | undefined {
    let reason: string | undefined;
    for (let i = 0; i < samples.length; i++) reason ??= this.#reasonOf(samples[i]!, from);
    return reason;
  }

  prepare(batch: Batch): void {
    this.#reason = this.find(batch);
  }

  /** @throws {Refusal} If a value is missing: VILLASnode would read others in its place. */
  process(batch: Batch): Batch {
    if (this.#reason === undefined) return batch;
    throw new Refusal(`Refused to answer a sample: ${this.#reason}`, this.#signals === undefined);
  }

  #reasonOf(sample: Sample, from: Endpoint | undefined): string | undefined {
    const { values } = sample;
    const isNamed = this.#name !== "json";
    for (let i = 0; isNamed && i < values.length; i++) {
      if (values[i] === null) return this.#missing(i);
    }
    const signals = this.#signals;
    if (signals !== undefined) {
      if (values.length >= signals.length) return undefined;
      if (isNamed) return this.#missing(values.length);
      return this.#fewer(values.length, `there are ${counted(signals.length, "signal")}`) +
        `; if it has fewer, state those with --signals`;
    }
    const before = this.#most(sample, from);
    return values.length < before ? this.#fewer(values.length, `${before} came before`) : undefined;
  }

  /** How many values a sender has sent at most, since it was started as far as that shows. */
  #most({ values, sequence }: Sample, from: Endpoint | undefined): number {
    const senders = this.#senders;
    let sender = senders.find((one) =>
      one.from === from || one.from && from && sameEndpoint(one.from, from)
    );
    if (!sender) {
      sender = { from: from && { ...from }, most: 0 };
      senders.unshift(sender);
      senders.length = Math.min(senders.length, MOST_SENDERS);
    }
    if (sequence === 0n || values.length > sender.most) sender.most = values.length;
    return sender.most;
  }

  #missing(index: number): string {
    const name = this.#signals?.[index]?.name;
    return `value ${index}${name ? ` ("${name}")` : ""} is missing. In format ${this.#name} ` +
      `VILLASnode leaves out NaN and infinities, and would read an old value in its place; ${CARRIERS}`;
  }

  #fewer(count: number, wanted: string): string {
    const why = this.#name === "json"
      ? "those behind them move up"
      : "VILLASnode would read old values in their place";
    return `it has ${counted(count, "value")}, and ${wanted}. In format ${this.#name} VILLASnode ` +
      `leaves out NaN and infinities, so that ${why}; ${CARRIERS}`;
  }
}

/** Senders that are remembered. */
const MOST_SENDERS = 64;
/** The way out. */
const CARRIERS = "protobuf and villas.human carry them";
