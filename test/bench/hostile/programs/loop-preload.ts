import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import type { LoopReport, LoopRequest } from './watched-process.ts';

/**
 * Loaded into a program by `--import`: reports how long the event loop of its main thread stood still. A standstill
 * contains the time in which other processes had the CPU; the thread's own CPU time between two ticks does not.
 */

/** Milliseconds between two ticks. */
const resolution = 10;
/** Milliseconds between two reports. */
const reportInterval = 250;

function watch(): void {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  let busiest = 0;
  let before = process.threadCpuUsage();
  setInterval(() => {
    const now = process.threadCpuUsage();
    busiest = Math.max(busiest, (now.user + now.system - before.user - before.system) / 1_000);
    before = now;
  }, resolution).unref();
  // Not reset with each report: after a reset, the delay in which it happens is not counted.
  setInterval(() => {
    const standstill = Math.max(0, delays.max / 1e6 - resolution);
    process.send?.({ standstill, cpu: busiest } satisfies LoopReport);
  }, reportInterval).unref();
  process.on('message', (_: LoopRequest) => {
    delays.reset();
    busiest = 0;
  });
  process.channel?.unref();
}

if (isMainThread) watch();
