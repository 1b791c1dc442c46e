import { describe, expect, it } from 'vitest';
import { startChaosRun } from '../chaos/chaos-run.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';

/** A short form of `npm run chaos`: what is promised to a node is said in test/chaos/checker.ts. */
describe.skipIf(kubeAssets() === undefined)('a node of a control plane under churn', () => {
  it('is told of worlds that existed only, in their order, whatever fails', { timeout: 300_000 }, async () => {
    await using run = await startChaosRun(2, () => undefined);
    await run.playFaults(25_000);
    const { violations, observations, faults } = run.report();
    expect(violations).toEqual([]);
    expect(faults).toBeGreaterThan(0);
    expect(observations).toBeGreaterThan(0);
  });

  it('loses nothing by restarts of the control plane', { timeout: 300_000 }, async () => {
    await using run = await startChaosRun(3, () => undefined);
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL'] as const) await run.restart(signal);
    await run.rest();
    expect(run.report().violations).toEqual([]);
  });
});
