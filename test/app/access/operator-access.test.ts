import { expect, it } from 'vitest';
import { OperatorAccess } from '../../../src/app/access/operator-access.ts';
import type { KubeConnection } from '../../../src/kube/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

const request = { method: 'GET', path: '/metrics', authorization: ['Bearer abc'], address: '10.0.0.1' };

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
    access.guard({ ...request, authorization: [`Bearer t${number}`] }),
  );
  await clock.armed();
  clock.advance(15_000);
  expect(await Promise.all(decisions)).toEqual(
    Array.from({ length: 20 }, () => expect.objectContaining({ status: 503 })),
  );
  const asked = ends.length;
  void access.guard({ ...request, authorization: ['Bearer later'] });
  await new Promise(setImmediate);
  expect(ends.length).toBeGreaterThan(asked);
});

it('refuses a token that has ended without asking, also while nobody can be asked', async () => {
  const clock = createManualClock();
  let asked = 0;
  const ask: KubeConnection['ask'] = async () => {
    asked += 1;
    throw new Error('away');
  };
  const access = new OperatorAccess({ ask }, clock);
  const payload = Buffer.from(JSON.stringify({ exp: clock.now() / 1_000 + 60 })).toString('base64url');
  const own = { ...request, authorization: [`Bearer e30.${payload}.c2ln`] };
  expect(await access.guard(own)).toMatchObject({ status: 503 });
  clock.advance(60_000);
  expect(await access.guard(own)).toMatchObject({ status: 401, message: expect.stringContaining('has expired') });
  expect(asked).toBe(1);
});

it.each([
  [[]],
  [['Bearer a', 'Bearer a']],
  [['Bearer a', 'Bearer b']],
  [['Bearer']],
  [['Bearer a\n']],
  [[`Bearer ${'a'.repeat(8_193)}`]],
])('asks nobody about what is no token: %#', async (authorization) => {
  const ask: KubeConnection['ask'] = () => Promise.reject(new Error('asked'));
  const access = new OperatorAccess({ ask }, createManualClock());
  expect(await access.guard({ ...request, authorization })).toMatchObject({ status: 401 });
});
