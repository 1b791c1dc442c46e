import { describe, expect, it } from 'vitest';
import type { ListMode } from '../../../../src/gateway/model.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';
import { openRawClient } from '../../../support/nodes/raw-client.ts';

const uri = 'mcp://ns/raw/file%3A%2F%2F%2Fa';

/** Every method that uses something, with the rule that allows it. */
const uses = [
  ['tools/call', { name: 'ns/raw:t' }, 'tool', 'ns/raw:t'],
  ['prompts/get', { name: 'ns/raw:p' }, 'prompt', 'ns/raw:p'],
  ['resources/read', { uri }, 'resource', 'ns/raw:file:///a'],
  ['resources/subscribe', { uri }, 'resource', 'ns/raw:file:///a'],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'ns/raw:p' } }, 'prompt', 'ns/raw:p'],
  ['completion/complete', { ref: { type: 'ref/resource', uri } }, 'resource', 'ns/raw:file:///a'],
] as const;

function startRig(list: ListMode = 'all'): Promise<TargetRig> {
  const tools = [{ name: 't' }, { name: 'other' }];
  return startTargetRig(({ method }) => ({ result: method === 'tools/list' ? { tools } : {} }), {
    name: 'ns/raw',
    list,
  });
}

describe.each(uses)('%s', (method, params, kind, name) => {
  it('is denied without a request to the target, allowed by a rule, and denied as soon as the rule is removed', async () => {
    await using rig = await startRig();
    const client = await rig.open('me');
    const denied = { code: -32600, message: expect.stringContaining('not allowed') };

    expect((await client.request(method, params)).error).toMatchObject(denied);
    expect(rig.target.asked).toEqual([]);

    rig.gateway.config.allow('ns.policy', 'me', kind, name);
    expect((await client.request(method, params)).result).toEqual({});
    expect(rig.target.received.filter((request) => request.method === method)).toHaveLength(1);

    rig.gateway.config.removeConfig('ns.policy');
    expect((await client.request(method, params)).error).toMatchObject(denied);
    expect(rig.target.received.filter((request) => request.method === method)).toHaveLength(1);
  });

  it('gets in filtered mode, when denied, the same error as an unknown name', async () => {
    await using rig = await startRig('filtered');
    const client = await rig.open('me');
    const denied = await client.request(method, params);
    rig.gateway.config.removeTarget('ns/raw');
    rig.gateway.config.allow('ns.policy', 'me', kind, '*');
    const unknown = await client.request(method, params);
    expect(denied.error).toEqual(unknown.error);
    expect(denied.error?.code).toBe(-32602);
  });
});

describe('lists', () => {
  it('show every entry by default', async () => {
    await using rig = await startRig();
    const { result } = await (await rig.open('me')).request('tools/list');
    expect(result).toEqual({ tools: [{ name: 'ns/raw:t' }, { name: 'ns/raw:other' }] });
  });

  it('show in filtered mode the entries that the caller may use, and change with the rules', async () => {
    await using rig = await startRig('filtered');
    const client = await rig.open('me');
    const changes = await client.listen();
    expect((await client.request('tools/list')).result).toEqual({ tools: [] });
    rig.gateway.config.allow('ns.policy', 'me', 'tool', 'ns/raw:t');
    expect(await changes.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'ns/raw:t' }] });
    expect((await (await rig.open('you')).request('tools/list')).result).toEqual({ tools: [] });
  });
});

/** What a target lists of each kind: one entry that a rule names, and one that none does. */
const listed = [
  ['tools/list', 'tools', 'name', 'tool', ['t', 'other'], 'ns/raw:t'],
  ['prompts/list', 'prompts', 'name', 'prompt', ['p', 'other'], 'ns/raw:p'],
  ['resources/list', 'resources', 'uri', 'resource', ['file:///a', 'file:///b'], uri],
  [
    'resources/templates/list',
    'resourceTemplates',
    'uriTemplate',
    'resource',
    ['file:///{a}', 'file:///{b}'],
    'mcp://ns/raw/:file:///{a}',
  ],
] as const;

describe.each(listed)('%s in filtered mode', (method, member, key, kind, [mine, other], exposed) => {
  it('shows what its caller may use at that time, and tells of each change of that', async () => {
    const entries = [{ [key]: mine }, { [key]: other }];
    await using rig = await startTargetRig(
      (request) => ({ result: request.method === method ? { [member]: entries } : {} }),
      {
        name: 'ns/raw',
        list: 'filtered',
      },
    );
    const client = await rig.open('me');
    const changes = await client.listen();
    expect((await client.request(method)).result).toEqual({ [member]: [] });
    rig.gateway.config.allow('ns.policy', 'me', kind, `ns/raw:${mine}`);
    const changed = method.replace('/templates', '').replace('/list', '/list_changed');
    const told: unknown[] = [];
    while (told.at(-1) !== `notifications/${changed}`) told.push((await changes.next())?.['method']);
    expect((await client.request(method)).result).toEqual({ [member]: [{ [key]: exposed }] });
    const less = rig.gateway.token('me', undefined, 'somebody less');
    expect((await client.request(method, {}, { token: less })).result).toEqual({ [member]: [] });
    rig.gateway.config.removeConfig('ns.policy');
    expect((await client.request(method)).result).toEqual({ [member]: [] });
  });
});

describe('a decision', () => {
  it('is about the sender of the request, not about the caller that opened the session', async () => {
    await using rig = await startRig();
    const client = await rig.open('me');
    rig.gateway.config.allow('ns.policy', 'me', 'tool', '*');
    expect((await client.request('tools/call', { name: 'ns/raw:t' })).result).toEqual({});
    const narrowed = rig.gateway.token('me', undefined, 'somebody less');
    const denied = await client.request('tools/call', { name: 'ns/raw:t' }, { token: narrowed });
    expect(denied.error?.message).toContain('not allowed');
    const foreign = await client.request('tools/call', { name: 'ns/raw:t' }, { token: rig.gateway.token('you') });
    expect(foreign.error?.message).toBe('Session not found');
  });

  it('is made again when a new connection is ready, because rules may have changed since the request', async () => {
    const ready = Promise.withResolvers<void>();
    const connecting = Promise.withResolvers<void>();
    await using rig = await startTargetRig(() => ({ result: {} }), {
      name: 'ns/raw',
      fetchFor: () => async (url, init) => {
        connecting.resolve();
        await ready.promise;
        return fetch(url, init);
      },
    });
    const client = await rig.open('me');
    rig.gateway.config.allow('ns.policy', 'me', 'tool', '*');
    const calling = client.request('tools/call', { name: 'ns/raw:t' });
    await connecting.promise;
    rig.gateway.config.removeConfig('ns.policy');
    ready.resolve();
    expect((await calling).error?.message).toContain('not allowed');
    expect(rig.target.received.map(({ method }) => method)).not.toContain('tools/call');
  });

  it('is logged with its rule, and without a token or a claim', async () => {
    await using rig = await startRig();
    const subject = 'somebody-with-a-name';
    const client = await rig.open(subject);
    await client.request('tools/call', { name: 'ns/raw:t' });
    rig.gateway.config.allow('ns.policy', 'nobody', 'tool', '*');
    rig.gateway.config.allow('ns.policy', subject, 'tool', 'ns/raw:t');
    await client.request('tools/call', { name: 'ns/raw:t' });
    const common = { kind: 'tool', name: 'ns/raw:t', caller: expect.stringMatching(/^[0-9a-f]{16}$/) };
    expect(rig.gateway.log.lines.filter(({ message }) => /allowed|denied/.test(message))).toEqual([
      { level: 'info', message: 'denied', fields: { ...common, reason: 'no config' } },
      {
        level: 'info',
        message: 'allowed',
        fields: { ...common, config: 'ns.policy', rule: 1, claim: 'sub', resource: 'ns/raw:t' },
      },
    ]);
    expect(rig.gateway.log.text()).not.toMatch(new RegExp(`token-|${subject}`));
  });

  it('denies every caller when there is no authentication', async () => {
    await using rig = await startTargetRig(() => ({ result: { tools: [{ name: 't' }] } }), {
      name: 'ns/raw',
      authn: 'none',
    });
    const { gateway } = rig;
    gateway.config.allow('ns.policy', 'me', 'tool', '*');
    const client = await openRawClient(gateway, gateway.token('me'));
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'ns/raw:t' }] });
    expect((await client.request('tools/call', { name: 'ns/raw:t' })).error?.message).toContain('not allowed');
    expect(gateway.log.lines).toContainEqual({
      level: 'info',
      message: 'denied',
      fields: { kind: 'tool', name: 'ns/raw:t', caller: 'no authn configured', reason: 'no principal' },
    });
  });
});

it('invalid names and parameters are rejected without a request to the target', async () => {
  await using rig = await startRig();
  rig.gateway.config.allowAll('ns.all', 'me');
  const client = await rig.open('me');
  const refused = [
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['tools/call', { name: 't' }],
    ['tools/call', { name: 'ns/other:t' }],
    ['tools/call', { name: '__proto__:t' }],
    ['prompts/get', { name: ':x' }],
    ['resources/read', { uri: 'file:///a' }],
    ['resources/read', { uri: 'mcp://ns/other/x' }],
    ['resources/read', { uri: 'mcp://ns/raw/%zz' }],
    ['completion/complete', { ref: null }],
    ['completion/complete', { ref: { type: 'ref/other', name: 'x' } }],
    ['tools/list', { cursor: 'x' }],
    ['logging/setLevel', {}],
    ['logging/setLevel', { level: 'loud' }],
  ] as const;
  for (const [method, params] of refused) {
    expect((await client.request(method, params)).error?.code, `${method} ${JSON.stringify(params)}`).toBe(-32602);
  }
  for (const method of ['constructor', '__proto__', 'tools', 'sampling/createMessage', 'server/discover']) {
    expect((await client.request(method)).error?.code, method).toBe(-32601);
  }
  expect(rig.target.asked).toEqual([]);
});
