import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosRun } from './chaos-run.ts';

export interface SoakReport {
  /** MiB per hour, by linear regression over all samples but those of the first quarter. */
  readonly slope: number;
  /** MiB. */
  readonly first: number;
  readonly last: number;
  readonly peak: number;
  readonly samples: number;
}

/** Milliseconds between two samples of the resident memory. */
const interval = 5_000;

/** Milliseconds between two rests, at which the observations so far are checked. */
const restInterval = 60_000;

/** Lets the churn go on for a time in milliseconds, and measures the resident memory of the control plane. */
export async function soak(run: ChaosRun, duration: number, progress: (line: string) => void): Promise<SoakReport> {
  const samples: (readonly [hours: number, mebibytes: number])[] = [];
  const began = performance.now();
  let rested = began;
  while (performance.now() - began < duration) {
    await pause(interval);
    const mebibytes = (await run.controlPlane.residentMemory()) / 2 ** 20;
    samples.push([(performance.now() - began) / 3_600_000, mebibytes]);
    if (performance.now() - rested < restInterval) continue;
    await run.rest();
    rested = performance.now();
    progress(`${Math.round((rested - began) / 60_000)} min, ${Math.round(mebibytes)} MiB`);
  }
  await run.rest();
  const steady = samples.slice(Math.floor(samples.length / 4));
  return {
    slope: slopeOf(steady),
    first: steady[0]?.[1] ?? 0,
    last: steady.at(-1)?.[1] ?? 0,
    peak: Math.max(...samples.map(([, mebibytes]) => mebibytes)),
    samples: steady.length,
  };
}

/** The slope of the line with the least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  const variance = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return covariance / variance;
}
