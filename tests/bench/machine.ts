/** The computer that a bench runs on, and what else it does. */

/** What is told of a computer beside figures that were measured on it. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly system: string;
  readonly memory: string;
  readonly deno: string;
}

/** Describes this computer. */
export function thisMachine(): Machine {
  return {
    processor: processorName(),
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
    memory: `${Math.round(Deno.systemMemoryInfo().total / 2 ** 30)} GiB`,
    deno: `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
  };
}

function processorName(): string {
  try {
    return /^model name\s*:\s*(.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ??
      "unknown";
  } catch {
    return "unknown";
  }
}

/** How many processes want a processor, on the average of a minute. */
export function load(): number {
  return Deno.loadavg()[0]!;
}

/** What part of all processors is busy, 0 to 1: half a second of it. Nothing else is to be running of a bench. */
export async function busyShare(): Promise<number> {
  const before = await ticks();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await ticks();
  const all = after.all - before.all;
  return all > 0 ? 1 - (after.idle - before.idle) / all : NaN;
}

async function ticks(): Promise<{ all: number; idle: number }> {
  try {
    const stat = await Deno.readTextFile("/proc/stat");
    const fields = stat.slice(0, stat.indexOf("\n")).split(/\s+/).slice(1).map(Number);
    return { all: fields.reduce((a, b) => a + b, 0), idle: fields[3]! + fields[4]! };
  } catch {
    return { all: 0, idle: 0 };
  }
}

/** Resident memory of a process, in MiB. */
export async function memoryOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]) / 1024;
}

/** Processor time that a process has used, in s. */
export async function processorTimeOf(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
