import { assertEquals } from "@std/assert";
import { IdleClock, IdleTimer } from "../../../lib/time/idle_timer.ts";
import { WriteSide } from "../../../lib/net/stream/write_side.ts";

/** A system that takes bytes when it is told to. */
class System {
  readonly given: number[][] = [];
  readonly #pending: PromiseWithResolvers<number>[] = [];
  readonly side = new WriteSide(this, new IdleTimer(new IdleClock(Infinity), () => {}));

  write(bytes: Uint8Array): Promise<number> {
    this.given.push([...bytes]);
    const pending = Promise.withResolvers<number>();
    this.#pending.push(pending);
    return pending.promise;
  }

  async take(count: number): Promise<void> {
    this.#pending.shift()!.resolve(count);
    await Promise.resolve();
    await Promise.resolve();
  }

  async refuse(error: Error): Promise<void> {
    this.#pending.shift()!.reject(error);
    await Promise.resolve();
    await Promise.resolve();
  }
}

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("WriteSide writes what the system did not take at once", async () => {
  const system = new System();
  const written = system.side.write(bytes(1, 2, 3, 4));
  await system.take(1);
  await system.take(2);
  assertEquals(system.side.waiting, 1);
  await system.take(1);
  assertEquals(await written, true);
  assertEquals(system.given, [[1, 2, 3, 4], [2, 3, 4], [4]]);
  assertEquals([system.side.bytes, system.side.waiting], [4, 0]);
  assertEquals(system.side.writing, null);
});

Deno.test("WriteSide combines what is written during another write, and keeps the order", async () => {
  const system = new System();
  const first = system.side.write(bytes(1));
  const second = system.side.write(bytes(2));
  const third = system.side.write(bytes());
  const large = new Uint8Array(1 << 16).fill(7);
  const fourth = system.side.write(large);
  const finished = system.side.finish();
  assertEquals(await system.side.write(bytes(9)), false);
  await system.take(1);
  assertEquals(await first, true);
  await system.take(1);
  await system.take(large.length);
  assertEquals(await Promise.all([second, third, fourth, finished]), [true, true, true, true]);
  assertEquals(system.given, [[1], [2], [...large]]);
});

Deno.test("WriteSide has nothing to write of no bytes, also when others are written", async () => {
  const system = new System();
  assertEquals(await system.side.write(bytes()), true);
  const first = system.side.write(bytes(1));
  const second = system.side.write(bytes());
  await system.take(1);
  assertEquals(await Promise.all([first, second]), [true, true]);
  const third = system.side.write(bytes(3));
  await system.take(1);
  assertEquals(await third, true);
  assertEquals(system.given, [[1], [3]]);
});

Deno.test("WriteSide tells one error, and that nothing written after it arrives", async () => {
  const system = new System();
  const first = system.side.write(bytes(1));
  const second = system.side.write(bytes(2));
  const broken = new Error("broken");
  await system.refuse(broken);
  assertEquals(await Promise.all([first, second, system.side.write(bytes(3))]), [
    false,
    false,
    false,
  ]);
  assertEquals(system.side.error, broken);
  assertEquals(system.given, [[1]]);
});

Deno.test("WriteSide gives up at once what the system holds on to, and says when that is over", async () => {
  const system = new System();
  const first = system.side.write(bytes(1, 2));
  const second = system.side.write(bytes(3));
  system.side.fail();
  assertEquals(await Promise.all([first, second]), [false, false]);
  let over = false;
  const writing = system.side.writing!.then(() => over = true);
  assertEquals(over, false);
  await system.refuse(new Error("closed"));
  await writing;
  assertEquals(over, true);
  assertEquals(system.side.error, undefined);
  assertEquals(system.given, [[1, 2]]);
});
