import { expect, it } from 'vitest';
import { createGatewayMetrics } from '../../../../src/gateway/admin/metrics.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { metricSources } from '../../../support/gateway/metric-sources.ts';
import { type RawTarget, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { startTargetRig } from '../../../support/gateway/target-rig.ts';

it('the state of a target says whether it answers, its last error, its failing lists, and how requests ended', async () => {
  const clock = createManualClock();
  const now = (): string => new Date(clock.now()).toISOString();
  const at = now();
  let status: number | undefined;
  await using rig = await startTargetRig(
    ({ params, method }) => {
      if (status !== undefined) return { status };
      if (method === 'tools/list') return { result: { tools: new Array(10_001).fill({ name: 'x' }) } };
      return params['name'] === 'bad' ? { error: { code: 7, message: 'no' } } : { result: {} };
    },
    { clock },
  );
  const { gateway } = rig;
  gateway.config.allowAll('ns.all', 'me');
  const { targetState } = gateway.downstream;
  const requests = { result: 0, error: 0, failure: 0, timeout: 0, limit: 0, circuit: 0 };
  expect(targetState('a')).toEqual({
    state: 'never connected',
    since: null,
    lastError: null,
    circuit: null,
    lists: [],
    requests,
  });

  const client = await rig.open();
  await client.request('tools/call', { name: 'a:x' });
  await client.request('tools/call', { name: 'a:bad' });
  expect(targetState('a')).toEqual({
    state: 'answers',
    since: at,
    lastError: null,
    circuit: null,
    lists: [],
    requests: { ...requests, result: 1, error: 1 },
  });
  clock.advance(10);
  const down = now();
  status = 500;
  await client.request('tools/call', { name: 'a:x' });
  clock.advance(10);
  await client.request('tools/call', { name: 'a:x' });
  expect(targetState('a')).toMatchObject({
    state: 'fails',
    since: down,
    lastError: { at: now(), request: 'tools/call', reason: 'answered with status 500:' },
    requests: { failure: 2 },
  });
  status = undefined;
  await client.request('tools/list');
  expect(targetState('a')).toMatchObject({
    lastError: { at: now(), request: 'tools/list', reason: 'a list has more than 10000 entries' },
    lists: [{ method: 'tools/list', state: 'left out', since: now() }],
  });
  expect(targetState('a').requests.limit).toBeGreaterThan(0);

  const text = await createGatewayMetrics(metricSources([['a', targetState('a')]])).text();
  expect(text).toContain('gatehouse_gateway_target_requests_total{target="a",outcome="result"} 1');
  expect(text).toContain('gatehouse_gateway_targets{state="fails"} 1');
  expect(text).toContain('gatehouse_gateway_target_lists_failing{target="a"} 1');
  expect(text).toContain('gatehouse_gateway_target_circuit_open{target="a"} 0');

  gateway.config.putTarget(rig.target.target('a'));
  expect(targetState('a')).toMatchObject({ state: 'never connected', lastError: null, lists: [] });
});

it('a call without response in time counts as one, and its target is slow', async () => {
  const clock = createManualClock();
  await using silent: RawTarget = await startRawTarget(({ method }) =>
    method === 'tools/call' ? undefined : { result: {} },
  );
  await using rig = await startTargetRig(() => ({ result: {} }), { clock });
  rig.gateway.config.putTarget(silent.target('silent'));
  rig.gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open();
  const calling = client.request('tools/call', { name: 'silent:x' });
  await silent.arrival('tools/call');
  // The headers of the response go out after some milliseconds; a client that does not take them is cut.
  clock.advance(10);
  await client.request('ping');
  clock.advance(600_000);
  await calling;
  expect(rig.gateway.downstream.targetState('silent')).toMatchObject({
    state: 'slow',
    since: new Date(clock.now()).toISOString(),
    requests: { timeout: 1, failure: 0 },
  });
});
