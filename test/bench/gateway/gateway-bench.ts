import { Agent } from 'node:http';
import type { Bench, BenchResult, BenchSelection, Row, Table } from '../model.ts';
import { quantile } from '../statistics.ts';
import type { BenchCaller, Call } from './callers.ts';
import { type Behind, sessionWaysTo, startPrograms, type Way, waysTo } from './ways.ts';

/**
 * Calls of a way before anything is measured: V8 compiles what it has seen often enough, and a call of a gateway that was
 * just started takes two to three times as much CPU as the same call after some thousands, and its code of the transports
 * settles after some ten thousand.
 */
const warmUp = 20_000;

/** In each round, calls of one caller, and of each of many. */
const sequential = 2_000;
const concurrentCallers = 100;
const callsEach = 15;
const defaultRounds = 3;

/** Calls of one caller before those that are measured. */
const callsBefore = 300;

/** Sessions whose memory is measured, and how many of them are opened at once. */
const openSessions = 1_000;
const openedAtOnce = 20;

/**
 * What a call costs beside calling the target itself: through a proxy that looks at nothing, which is the floor of this
 * platform, through the gateway over both transports, and through that of spring 2025 where `MCP_GW_BINARY` names it.
 * All in one run, in turns, since the machine is shared. Then what open sessions cost.
 */
export const gatewayBench: Bench = { name: 'gateway', run };

/** What was measured of one way so far. */
interface Samples {
  readonly alone: number[];
  readonly together: number[];
  cpuAlone: number;
  cpuTogether: number;
  resident: number;
}

async function run(progress: (line: string) => void, { rounds = defaultRounds }: BenchSelection): Promise<BenchResult> {
  const calls = await measureCalls(progress, rounds);
  return { tables: [calls, await measureSessions(progress)], broken: [] };
}

async function measureCalls(progress: (line: string) => void, rounds: number): Promise<Table> {
  await using programs = await startPrograms();
  const samples = new Map<Way, Samples>();
  for (const way of waysTo(programs)) {
    progress(`${warmUp} calls before, ${way.name}`);
    const caller = await way.open();
    await repeat(caller.call, warmUp);
    await caller.close();
    samples.set(way, { alone: [], together: [], cpuAlone: 0, cpuTogether: 0, resident: Number.NaN });
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [way, taken] of samples) {
      progress(`round ${round} of ${rounds}, ${way.name}`);
      await measure(way, taken);
    }
  }
  const direct = new Map<Behind, number>(
    [...samples]
      .filter(([{ name }]) => name.startsWith('direct'))
      .map(([way, taken]) => [way.behind, p50(taken.alone)]),
  );
  const rows = [...samples].map(
    ([way, taken]): Row => ({ name: way.name, figures: figuresOf(taken, direct.get(way.behind) ?? Number.NaN) }),
  );
  const title = 'gateway: one tools/call of a small result; CPU and memory of the process between caller and target';
  return { title, rows };
}

async function measure({ open, cpuTime, resident }: Way, taken: Samples): Promise<void> {
  // The only one then: what opening and closing the many leaves to do and to collect is no part of its calls.
  const first = await open();
  await repeat(first.call, callsBefore);
  let before = cpuTime();
  taken.alone.push(...(await repeat(first.call, sequential)));
  taken.cpuAlone += cpuTime() - before;
  const callers = [first];
  while (callers.length < concurrentCallers) callers.push(await open());
  for (const { call } of callers) await call();
  before = cpuTime();
  taken.together.push(...(await Promise.all(callers.map(({ call }) => repeat(call, callsEach)))).flat());
  taken.cpuTogether += cpuTime() - before;
  taken.resident = resident();
  for (const caller of callers) await caller.close();
}

/** @param direct the median without anything between */
function figuresOf({ alone, together, cpuAlone, cpuTogether, resident }: Samples, direct: number): Row['figures'] {
  return {
    'alone p50, ms': p50(alone),
    'added, ms': p50(alone) - direct,
    'p99, ms': p99(alone),
    'CPU, ms': cpuAlone / alone.length,
    '100 at once p50, ms': p50(together),
    'p99 of them, ms': p99(together),
    'p99 : p50': p99(together) / p50(together),
    'CPU of them, ms': cpuTogether / together.length,
    ...(Number.isNaN(resident) ? {} : { 'resident, MiB': mebibytes(resident) }),
  };
}

/** The memory of sessions, each of which has called the tool once; programs of their own for each way. */
async function measureSessions(progress: (line: string) => void): Promise<Table> {
  const rows: Row[] = [];
  for (let index = 0, ways = 1; index < ways; index += 1) {
    await using programs = await startPrograms();
    const all = sessionWaysTo(programs);
    const way = all[index];
    ways = all.length;
    if (way === undefined) break;
    progress(`${openSessions} sessions, ${way.name}`);
    rows.push({ name: way.name, figures: await memoryOfSessions(way) });
  }
  const title = `gateway: resident memory with ${openSessions} open sessions, each with a stream, that have called once`;
  return { title, rows };
}

async function memoryOfSessions({ open, resident }: Way): Promise<Row['figures']> {
  const first = await open();
  await repeat(first.call, callsBefore);
  await first.close();
  const before = resident();
  const agent = new Agent({ keepAlive: true, maxSockets: openedAtOnce });
  const callers: BenchCaller[] = [];
  while (callers.length < openSessions) {
    const opened = await Promise.all(Array.from({ length: openedAtOnce }, () => open({ agent })));
    await Promise.all(opened.map(({ call }) => call()));
    callers.push(...opened);
  }
  const after = resident();
  for (const caller of callers) await caller.close();
  agent.destroy();
  const more = after - before;
  return {
    'before, MiB': mebibytes(before),
    'with them, MiB': mebibytes(after),
    'more, MiB': mebibytes(more),
    'each, KiB': more / openSessions / 1024,
  };
}

function mebibytes(bytes: number): number {
  return bytes / 1024 / 1024;
}

function p50(milliseconds: readonly number[]): number {
  return quantile(milliseconds, 0.5);
}

function p99(milliseconds: readonly number[]): number {
  return quantile(milliseconds, 0.99);
}

/** Calls one time after another, and returns the milliseconds of each. */
async function repeat(call: Call, times: number): Promise<readonly number[]> {
  const milliseconds: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const start = performance.now();
    await call();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}
