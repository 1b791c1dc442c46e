import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Bench, BenchResult, BenchSelection, Row } from './model.ts';
import { median } from './statistics.ts';

/**
 * Starts `serve` with the guide's manifests again and again, without a compile cache: time from the start of the process
 * until the listener of the gateways listens. `npm run build` first, since `dist/` is what the image runs;
 * `BENCH_ENTRY=<path of another main.js>` is started in turn with it.
 */
export const startBench: Bench = { name: 'start', run: benchStart };

const defaultRounds = 20;

/** The listener that opens last. */
const ready = '"listener":"xds"';

const listeners = ['xds', 'debug', 'metrics', 'admin'].map((listener) => `--${listener}-listen=127.0.0.1:0`);

interface Started {
  readonly name: string;
  readonly args: readonly string[];
}

/** Milliseconds. */
interface Time {
  readonly wall: number;
  /** Of the main thread; NaN where the system does not say. */
  readonly cpu: number;
}

async function benchStart(
  progress: (line: string) => void,
  { rounds = defaultRounds }: BenchSelection,
): Promise<BenchResult> {
  const entries = [process.env['BENCH_ENTRY'], 'dist/main.js', 'src/main.ts'].filter(
    (entry) => entry !== undefined && existsSync(entry),
  );
  const all: readonly Started[] = [
    { name: 'Node alone', args: ['--eval', `console.error('${ready}'); setInterval(() => {}, 1000)`] },
    ...entries.map((entry = '') => ({
      name: entry,
      args: [entry, 'serve', '-f', 'deploy/examples/guide', ...listeners],
    })),
  ];
  const times = new Map<Started, Time[]>(all.map((started) => [started, []]));
  for (const one of all) await timeOf(one);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`round ${round} of ${rounds}`);
    for (const [started, found] of times) found.push(await timeOf(started));
  }
  const title = `start: milliseconds until the listener of the gateways listens, ${rounds} starts each in turn`;
  return { broken: [], tables: [{ title, rows: Array.from(times, ([{ name }, found]) => rowOf(name, found)) }] };
}

function rowOf(name: string, times: readonly Time[]): Row {
  const [wall, cpu] = [times.map((time) => time.wall), times.map((time) => time.cpu)];
  return {
    name,
    figures: {
      'wall, least': Math.min(...wall),
      'wall, median': median(wall),
      'main thread, least': Math.min(...cpu),
      'main thread, median': median(cpu),
    },
  };
}

async function timeOf({ args }: Started): Promise<Time> {
  const { PATH = '' } = process.env;
  const begun = performance.now();
  const child = spawn(process.execPath, args, {
    env: { PATH, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const closed = once(child, 'close');
  for await (const line of createInterface(child.stderr)) {
    if (!line.includes(ready)) continue;
    const time = { wall: performance.now() - begun, cpu: cpuOf(child.pid ?? 0) };
    child.kill('SIGKILL');
    await closed;
    return time;
  }
  throw new Error(`${args.join(' ')} ended before it listened`);
}

function cpuOf(pid: number): number {
  const file = `/proc/${pid}/schedstat`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6 : Number.NaN;
}
