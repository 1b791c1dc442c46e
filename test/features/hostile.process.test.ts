import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programAttacks } from '../bench/hostile/programs/attacks.ts';
import { untilServed } from '../bench/hostile/programs/honest.ts';
import { linesWith, logFigures } from '../bench/hostile/programs/log-figures.ts';
import { hasMoved, leftOver, type Metrics, readMetrics } from '../bench/hostile/programs/metric-changes.ts';
import type { Attack, WorldOptions } from '../bench/hostile/programs/model.ts';
import { until } from '../bench/hostile/programs/repeat.ts';
import type { Footprint } from '../bench/hostile/programs/watched-process.ts';
import { startWorld, type World } from '../bench/hostile/programs/world.ts';

/*
 * The attacks of the hostile bench in a small size, on programs that are started as their Deployments start them. What is
 * asserted are counts: the figures of the bench depend on the machine.
 */

/**
 * Lines at `warn` and above: one per attack, with those of its end and of the targets that it breaks. A change of the input
 * has up to twenty about problems and as many about objects, each with one that counts the others.
 */
const maxWarnings = 45;
/** Lines that say what an attack is: one of each reason, and of each target. */
const maxLines = 16;
/** Characters of a log line, whatever it quotes. */
const maxLine = 2_500;
/** Connections that honest clients and the programs among themselves may have opened meanwhile. */
const tolerance = 6;

/** Milliseconds until its metric must show an attack; one that is over is looked at again. */
const maxDelay = 20_000;

/** What is not as it must be yet: each line of this list is a fault, and goes with its mend. */
const faults: ReadonlySet<string> = new Set();

const worlds = [
  ['the gateway', 'gateway', { input: 'folder', tls: false }],
  ['the control plane', 'serve', { input: 'folder', tls: false }],
  ['the control plane with TLS', 'serve', { input: 'folder', tls: true }],
  ['the control plane of a cluster', 'serve', { input: 'cluster', tls: false }],
] as const;

describe.each(worlds)('%s', (title, program, options) => {
  const attacks = programAttacks.filter((attack) => attack.program === program && isIn(attack, options));
  let world: World;
  let before: Footprint | undefined;
  let gauges: Metrics;

  beforeAll(async () => {
    // Lists that are filtered decide on every entry: the other mode does less.
    world = await startWorld(program, { ...options, list: 'filtered' });
    before = world.attacked.footprint();
    gauges = await readMetrics(world.metrics);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(attacks)(
    'serves its honest clients during and after $name, and shows it',
    async ({ name, start, amount, trace }) => {
      const logged = world.attacked.lines().length;
      const metrics = await readMetrics(world.metrics);
      const hasCounted = async (): Promise<boolean> => hasMoved(metrics, await readMetrics(world.metrics), trace);
      const isSaid = (): boolean => trace.line === undefined || linesWith(world.attacked.lines(), trace.line) > 0;
      const stop = await start(world.victim, amount.short);
      let got = 0;
      let counted = false;
      try {
        await untilServed(world.honest);
        counted = trace.only === 'bench' || (await until(async () => isSaid() && (await hasCounted()), maxDelay));
      } finally {
        got = await stop();
      }
      await untilServed(world.honest);
      expect(world.attacked.death()).toBeUndefined();
      if (faults.has(name)) return;
      expect(got).toBe(0);
      expect(counted || (await hasCounted()), `${trace.metric} moves`).toBe(true);
      const lines = world.attacked.lines();
      const { warnings, longest } = logFigures(lines.slice(logged));
      expect(warnings).toBeLessThanOrEqual(maxWarnings);
      expect(longest).toBeLessThanOrEqual(maxLine);
      if (trace.line === undefined || trace.only === 'bench') return;
      expect(linesWith(lines, trace.line), trace.line).toBeGreaterThan(0);
      expect(linesWith(lines.slice(logged), trace.line), trace.line).toBeLessThanOrEqual(maxLines);
    },
  );

  it.skipIf(faults.has(`what is left open at ${title}`))('has nothing left open after all of them', async () => {
    const open = (): number => (world.attacked.footprint()?.sockets ?? 0) - (before?.sockets ?? 0);
    await expect.poll(open, { timeout: 20_000, interval: 100 }).toBeLessThanOrEqual(tolerance);
    const left = async (): Promise<readonly string[]> => leftOver(gauges, await readMetrics(world.metrics));
    await expect.poll(left, { timeout: 20_000, interval: 100 }).toEqual([]);
  });
});

function isIn({ world: { input = 'folder', tls = false } = {} }: Attack, options: WorldOptions): boolean {
  return input === options.input && tls === options.tls;
}
