import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { startRawTarget } from '../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../support/gateway/target-rig.ts';
import { type Ask, ask } from '../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

const clock = createManualClock();

/** A gateway with a target of MCP 2026-07-28 that says this of each result. */
async function start(said: Json, list: 'all' | 'filtered'): Promise<TargetRig> {
  const result = { resultType: 'complete', ...said, tools: [{ name: 'x' }], contents: [] };
  const rig = await startTargetRig(() => ({ result }), { stateless: true, list, clock });
  rig.gateway.config.allowAll('n.p', 'me');
  return rig;
}

async function freshnessOf({ gateway }: TargetRig, request: Omit<Ask, 'token'>, expiresAt?: number): Promise<Json> {
  const token = gateway.token('me', expiresAt);
  const { result } = JSON.parse(await (await ask(gateway, { token, ...request })).text());
  return { ttlMs: result.ttlMs, cacheScope: result.cacheScope };
}

const tools = { method: 'tools/list' };
const read = { method: 'resources/read', params: { uri: 'mcp://a/file%3A%2F%2F%2Fa' } };

describe('how long a result may be kept', () => {
  it.each([
    ['all', { ttlMs: 60_000, cacheScope: 'public' }, { ttlMs: 60_000, cacheScope: 'public' }],
    ['all', { ttlMs: 60_000, cacheScope: 'private' }, { ttlMs: 60_000, cacheScope: 'private' }],
    ['all', { ttlMs: -1, cacheScope: 'PUBLIC' }, { ttlMs: 0, cacheScope: 'private' }],
    ['all', { ttlMs: '60000' }, { ttlMs: 0, cacheScope: 'private' }],
    ['all', {}, { ttlMs: 0, cacheScope: 'private' }],
    ['filtered', { ttlMs: 60_000, cacheScope: 'public' }, { ttlMs: 5_000, cacheScope: 'private' }],
    ['filtered', { ttlMs: 10, cacheScope: 'public' }, { ttlMs: 10, cacheScope: 'private' }],
  ] as const)('is for lists that show %s, of a target that says %j: %j', async (list, said, expected) => {
    await using rig = await start(said, list);
    expect(await freshnessOf(rig, tools)).toEqual(expected);
  });

  it('is short for what is read, which is decided for each caller', async () => {
    await using rig = await start({ ttlMs: 60_000, cacheScope: 'public' }, 'all');
    expect(await freshnessOf(rig, read)).toEqual({ ttlMs: 5_000, cacheScope: 'private' });
  });

  it('is no longer than the token is valid', async () => {
    await using rig = await start({ ttlMs: 60_000, cacheScope: 'public' }, 'all');
    expect(await freshnessOf(rig, tools, clock.now() + 700)).toEqual({ ttlMs: 700, cacheScope: 'public' });
  });

  it('is the shortest of all targets, and no time with one that says none, or that is missing', async () => {
    await using rig = await start({ ttlMs: 60_000, cacheScope: 'public' }, 'all');
    let answer: Json | undefined = { resultType: 'complete', tools: [], ttlMs: 20, cacheScope: 'private' };
    await using other = await startRawTarget(() => (answer === undefined ? { status: 500 } : { result: answer }), {
      stateless: true,
    });
    rig.gateway.config.putTarget(other.target('other'));
    expect(await freshnessOf(rig, tools)).toEqual({ ttlMs: 20, cacheScope: 'private' });
    answer = { resultType: 'complete', tools: [] };
    expect(await freshnessOf(rig, tools)).toEqual({ ttlMs: 0, cacheScope: 'private' });
    answer = undefined;
    expect(await freshnessOf(rig, tools)).toEqual({ ttlMs: 0, cacheScope: 'private' });
  });
});
