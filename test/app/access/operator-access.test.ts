import { expect, it } from 'vitest';
import { OperatorAccess } from '../../../src/app/access/operator-access.ts';
import type { KubeConnection } from '../../../src/kube/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

const request = { method: 'GET', path: '/metrics', authorization: 'Bearer abc', address: '10.0.0.1' };

it('refuses what an API server that never answers leaves undecided, and lets others have their turn', async () => {
  const clock = createManualClock();
  const ends: (() => void)[] = [];
  const ask: KubeConnection['ask'] = ({ signal }) =>
    new Promise((_, reject) => {
      const end = (): void => reject(new Error('aborted'));
      signal?.addEventListener('abort', end);
      ends.push(end);
    });
  const access = new OperatorAccess({ ask }, clock);
  const decisions = Array.from({ length: 20 }, (_, number) =>
    access.guard({ ...request, authorization: `Bearer t${number}` }),
  );
  await clock.armed();
  clock.advance(15_000);
  expect(await Promise.all(decisions)).toEqual(
    Array.from({ length: 20 }, () => expect.objectContaining({ status: 503 })),
  );
  const asked = ends.length;
  void access.guard({ ...request, authorization: 'Bearer later' });
  await new Promise(setImmediate);
  expect(ends.length).toBeGreaterThan(asked);
});
