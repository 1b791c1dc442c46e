import { describe, expect, it } from 'vitest';
import type { ListMode } from '../../../src/gateway/model.ts';
import { startGateway } from '../../support/gateway/gateway-rig.ts';
import { startRawTarget } from '../../support/gateway/raw-target.ts';
import { openRawClient } from '../../support/nodes/raw-client.ts';

const uri = 'mcp://ns/raw/file%3A%2F%2F%2Fa';

/** Every way to use something, with the rule that allows it. */
const uses = [
  ['tools/call', { name: 'ns/raw:t' }, 'tool', 'ns/raw:t'],
  ['prompts/get', { name: 'ns/raw:p' }, 'prompt', 'ns/raw:p'],
  ['resources/read', { uri }, 'resource', 'ns/raw:file:///a'],
  ['resources/subscribe', { uri }, 'resource', 'ns/raw:file:///a'],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'ns/raw:p' } }, 'prompt', 'ns/raw:p'],
  ['completion/complete', { ref: { type: 'ref/resource', uri } }, 'resource', 'ns/raw:file:///a'],
] as const;

async function rig(list: ListMode = 'all') {
  const target = await startRawTarget(({ method }) => {
    if (method === 'tools/list') return { result: { tools: [{ name: 't' }, { name: 'other' }] } };
    return { result: {} };
  });
  const gateway = await startGateway({ list });
  gateway.config.putTarget(target.target('ns/raw'));
  return {
    target,
    gateway,
    open: (subject: string) => openRawClient(gateway, gateway.token(subject)),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

describe.each(uses)('%s', (method, params, kind, name) => {
  it('is denied before its target hears of it, allowed by a rule, and denied as soon as that is gone', async () => {
    await using use = await rig();
    const client = await use.open('me');
    const denied = { code: -32600, message: expect.stringContaining('not allowed') };

    expect((await client.request(method, params)).error).toMatchObject(denied);
    expect(use.target.received).toEqual([]);

    use.gateway.config.allow('ns.policy', 'me', kind, name);
    expect((await client.request(method, params)).result).toEqual({});
    expect(use.target.received.filter((request) => request.method === method)).toHaveLength(1);

    use.gateway.config.removeConfig('ns.policy');
    expect((await client.request(method, params)).error).toMatchObject(denied);
    expect(use.target.received.filter((request) => request.method === method)).toHaveLength(1);
  });

  it('is answered in filtered mode, when denied, like a name that nothing has', async () => {
    await using use = await rig('filtered');
    const client = await use.open('me');
    const denied = await client.request(method, params);
    use.gateway.config.removeTarget('ns/raw');
    use.gateway.config.allow('ns.policy', 'me', kind, '*');
    const unknown = await client.request(method, params);
    expect(denied.error).toEqual(unknown.error);
    expect(denied.error?.code).toBe(-32602);
  });
});

describe('lists', () => {
  it('show everything to everybody by default', async () => {
    await using use = await rig();
    const { result } = await (await use.open('me')).request('tools/list');
    expect(result).toEqual({ tools: [{ name: 'ns/raw:t' }, { name: 'ns/raw:other' }] });
  });

  it('show in filtered mode what may be called, and change with the rules', async () => {
    await using use = await rig('filtered');
    const client = await use.open('me');
    const changes = await client.listen();
    expect((await client.request('tools/list')).result).toEqual({ tools: [] });
    use.gateway.config.allow('ns.policy', 'me', 'tool', 'ns/raw:t');
    expect(await changes.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect((await client.request('tools/list')).result).toEqual({ tools: [{ name: 'ns/raw:t' }] });
    expect((await (await use.open('you')).request('tools/list')).result).toEqual({ tools: [] });
  });
});

describe('a decision', () => {
  it('is about the one who sends the request, not about the one who opened the session', async () => {
    await using use = await rig();
    const client = await use.open('me');
    use.gateway.config.allow('ns.policy', 'me', 'tool', '*');
    expect((await client.request('tools/call', { name: 'ns/raw:t' })).result).toEqual({});
    const narrowed = use.gateway.token('me', undefined, 'somebody less');
    const denied = await client.request('tools/call', { name: 'ns/raw:t' }, { token: narrowed });
    expect(denied.error?.message).toContain('not allowed');
    const foreign = await client.request('tools/call', { name: 'ns/raw:t' }, { token: use.gateway.token('you') });
    expect(foreign.error?.message).toContain('another identity');
  });

  it('is logged with its rule, and without a token or a claim', async () => {
    await using use = await rig();
    const subject = 'somebody-with-a-name';
    const client = await use.open(subject);
    await client.request('tools/call', { name: 'ns/raw:t' });
    use.gateway.config.allow('ns.policy', 'nobody', 'tool', '*');
    use.gateway.config.allow('ns.policy', subject, 'tool', 'ns/raw:t');
    await client.request('tools/call', { name: 'ns/raw:t' });
    const common = { kind: 'tool', name: 'ns/raw:t', caller: expect.stringMatching(/^[0-9a-f]{16}$/) };
    expect(use.gateway.log.lines.filter(({ message }) => /allowed|denied/.test(message))).toEqual([
      { level: 'info', message: 'denied', fields: { ...common, reason: 'no config' } },
      { level: 'info', message: 'allowed', fields: { ...common, config: 'ns.policy', rule: 1 } },
    ]);
    expect(use.gateway.log.text()).not.toMatch(new RegExp(`token-|${subject}`));
  });

  it('is no for everybody when there is no authentication', async () => {
    await using target = await startRawTarget(() => ({ result: { tools: [{ name: 't' }] } }));
    await using gateway = await startGateway({ authn: 'none' });
    gateway.config.putTarget(target.target('ns/raw'));
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

it('names that are none, and parameters that are none, are refused without a word to the target', async () => {
  await using use = await rig();
  for (const kind of ['tool', 'prompt', 'resource'] as const) use.gateway.config.allow('ns.all', 'me', kind, '*');
  const client = await use.open('me');
  const refused = [
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['tools/call', { name: 't' }],
    ['tools/call', { name: 'ns/other:t' }],
    ['tools/call', { name: '__proto__:t' }],
    ['prompts/get', { name: ':' }],
    ['resources/read', { uri: 'file:///a' }],
    ['resources/read', { uri: 'mcp://ns/other/x' }],
    ['resources/read', { uri: 'mcp://ns/raw/%zz' }],
    ['completion/complete', { ref: null }],
    ['completion/complete', { ref: { type: 'ref/other', name: 'x' } }],
    ['tools/list', { cursor: 'x' }],
    ['logging/setLevel', {}],
  ] as const;
  for (const [method, params] of refused) {
    expect((await client.request(method, params)).error?.code, `${method} ${JSON.stringify(params)}`).toBe(-32602);
  }
  for (const method of ['constructor', '__proto__', 'tools', 'sampling/createMessage', 'server/discover']) {
    expect((await client.request(method)).error?.code, method).toBe(-32601);
  }
  expect(use.target.received).toEqual([]);
});
