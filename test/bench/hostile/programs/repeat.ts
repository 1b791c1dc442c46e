import { setTimeout as pause } from 'node:timers/promises';
import type { StopAttack } from './model.ts';

/**
 * Runs a step again and again, without a pause, until the attack is stopped; several times at once. A step that fails
 * is run again after a moment: the program may have refused it, or be gone.
 */
export function repeat(times: number, step: (index: number) => Promise<unknown>): StopAttack {
  let stopped = false;
  const run = async (index: number): Promise<void> => {
    while (!stopped) {
      await step(index).catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
    }
  };
  for (let index = 0; index < times; index += 1) void run(index);
  return () => {
    stopped = true;
    return 0;
  };
}

/** Runs a step this many times, at most `atOnce` at a time. Failures count as done. */
export async function runAll(times: number, atOnce: number, step: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < times) {
      const index = next;
      next += 1;
      await step(index).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, times) }, run));
}

/** Milliseconds that a program gets for what must happen, on a machine that is busy. */
const patience = 60_000;
/** Milliseconds between two looks. */
const interval = 5;

/** Returns whether a condition held within a time in milliseconds. What it rejects with counts as not. */
export async function until(condition: () => boolean | Promise<boolean>, time: number = patience): Promise<boolean> {
  const deadline = performance.now() + time;
  while (!(await Promise.resolve(condition()).catch(() => false))) {
    if (performance.now() > deadline) return false;
    await pause(interval);
  }
  return true;
}
