import { describe, expect, it } from 'vitest';
import type { NameMode } from '../../../../src/gateway/model.ts';
import { type GatewayRig, startGateway } from '../../../support/gateway/gateway-rig.ts';
import { type RawTarget, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { openRawClient, type RawClient } from '../../../support/nodes/raw-client.ts';

type Json = Readonly<Record<string, unknown>>;

interface Listed {
  readonly tools?: readonly string[];
  readonly prompts?: readonly string[];
}

/** Lists these, and answers anything else with what it was asked. */
function startNamed({ tools = [], prompts = [] }: Listed): Promise<RawTarget> {
  const named = (names: readonly string[]): readonly Json[] => names.map((name) => ({ name }));
  return startRawTarget(({ method, params }) => {
    if (method === 'tools/list') return { result: { tools: named(tools) } };
    if (method === 'prompts/list') return { result: { prompts: named(prompts) } };
    if (method === 'resources/list') return { result: { resources: [{ uri: 'file:///a', name: 'a' }] } };
    if (method === 'resources/templates/list') {
      return { result: { resourceTemplates: [{ uriTemplate: 'file:///{x}', name: 'a' }] } };
    }
    const content = [{ type: 'resource_link', uri: 'file:///a', name: 'a' }];
    return { result: { content, contents: [{ uri: params['uri'] }], asked: params } };
  });
}

interface ModeRig extends AsyncDisposable {
  readonly gateway: GatewayRig;
  readonly client: RawClient;
  readonly targets: readonly RawTarget[];
  listed(): Promise<readonly unknown[]>;
}

/** A gateway with targets `ns/t0`, `ns/t1` …, of which `me` may use everything. */
async function startMode(names: NameMode, ...lists: readonly Listed[]): Promise<ModeRig> {
  const targets = await Promise.all(lists.map(startNamed));
  const gateway = await startGateway({ names, list: 'filtered' });
  for (const [index, target] of targets.entries()) gateway.config.putTarget(target.target(`ns/t${index}`));
  gateway.config.allowAll('n.p', 'me');
  const client = await openRawClient(gateway, gateway.token('me'));
  return {
    gateway,
    client,
    targets,
    async listed() {
      const tools: unknown = (await client.request('tools/list')).result?.['tools'];
      return Array.isArray(tools) ? tools.map(({ name }) => name) : [];
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      for (const target of targets) await target[Symbol.asyncDispose]();
    },
  };
}

const calledAt = ({ asked }: RawTarget): readonly unknown[] =>
  asked.filter(({ method }) => method === 'tools/call').map(({ params }) => params['name']);

describe('with portable names', () => {
  it('what is listed can be called, and rules and the log have the qualified name', async () => {
    await using rig = await startMode('portable', { tools: ['convert_to_markdown', 'files.read'], prompts: ['p q'] });
    expect(await rig.listed()).toEqual(['ns_t0__convert_to_markdown', 'ns_t0__files--dread']);
    const { result } = await rig.client.request('tools/call', { name: 'ns_t0__files--dread' });
    expect(result).toMatchObject({ asked: { name: 'files.read' } });
    expect(await rig.gateway.log.line('allowed')).toMatchObject({ fields: { name: 'ns/t0:files.read' } });
    const ref = { type: 'ref/prompt', name: 'ns_t0__p--x20zq' };
    const completed = await rig.client.request('completion/complete', { ref, argument: {} });
    expect(completed.result).toMatchObject({ asked: { ref: { type: 'ref/prompt', name: 'p q' } } });
    expect((await rig.client.request('tools/call', { name: 'ns/t0:files.read' })).error?.code).toBe(-32602);
  });

  it('a long name is found by its hash, also by a gateway that has listed nothing yet', async () => {
    const long = 'x'.repeat(100);
    await using rig = await startMode('portable', { tools: ['short'] }, { tools: [long] });
    const [, exposed] = await rig.listed();
    await using other = await startMode('portable', { tools: ['short'] }, { tools: [long] });
    const { result } = await other.client.request('tools/call', { name: exposed });
    expect(result).toMatchObject({ asked: { name: long } });
    const unknown = String(exposed).replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect((await other.client.request('tools/call', { name: unknown })).error?.code).toBe(-32602);
  });
});

it('ten thousand names that no host takes get portable ones that differ, of which a repeated one has the first', async () => {
  const names = Array.from({ length: 9_999 }, (_, nth) => `ä ${'/'.repeat(nth % 40)}.${nth}`);
  await using rig = await startMode('portable', { tools: [...names, ...names.slice(0, 1)] });
  const listed = (await rig.listed()).map(String);
  expect(listed).toHaveLength(names.length);
  expect(new Set(listed).size).toBe(names.length);
  expect(listed.filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([]);
  for (const nth of [0, 39, 9_998]) await rig.client.request('tools/call', { name: listed[nth] });
  expect(rig.targets.map(calledAt)).toEqual([[names[0], names[39], names[9_998]]]);
});

describe('with bare names', () => {
  it('one target is passed on as it is: names, URIs, templates, and those in results', async () => {
    await using rig = await startMode('bare', { tools: ['a:b'] });
    expect(await rig.listed()).toEqual(['a:b']);
    const call = await rig.client.request('tools/call', { name: 'a:b' });
    expect(call.result).toMatchObject({ content: [{ uri: 'file:///a' }], asked: { name: 'a:b' } });
    const [resources, templates, read] = [
      await rig.client.request('resources/list'),
      await rig.client.request('resources/templates/list'),
      await rig.client.request('resources/read', { uri: 'file:///z' }),
    ];
    expect(resources.result).toMatchObject({ resources: [{ uri: 'file:///a' }] });
    expect(templates.result).toMatchObject({ resourceTemplates: [{ uriTemplate: 'file:///{x}' }] });
    expect(read.result).toMatchObject({ contents: [{ uri: 'file:///z' }] });
  });

  it('a name that two targets list is shown with its target, others are not, and each call goes to its own', async () => {
    await using rig = await startMode('bare', { tools: ['same', 'one'] }, { tools: ['same', 'other'] });
    expect(await rig.listed()).toEqual(['ns/t0:same', 'one', 'ns/t1:same', 'other']);
    for (const name of ['one', 'other', 'ns/t1:same']) await rig.client.request('tools/call', { name });
    expect(rig.targets.map(calledAt)).toEqual([['one'], ['other', 'same']]);
    expect((await rig.client.request('tools/call', { name: 'same' })).error).toEqual({
      code: -32602,
      message: 'Ambiguous tool: same; use ns/t0:same or ns/t1:same',
    });
  });

  it('a name means what the caller may use under it, and nobody learns that another target has it', async () => {
    await using rig = await startMode('bare', { tools: ['same'] }, { tools: ['same'] });
    rig.gateway.config.allow('n.q', 'you', 'tool', 'ns/t1:same');
    const you = await openRawClient(rig.gateway, rig.gateway.token('you'));
    expect((await you.request('tools/list')).result).toEqual({ tools: [{ name: 'same' }] });
    await you.request('tools/call', { name: 'same' });
    expect(rig.targets.map(calledAt)).toEqual([[], ['same']]);
    const stranger = await openRawClient(rig.gateway, rig.gateway.token('stranger'));
    expect((await stranger.request('tools/call', { name: 'same' })).error).toEqual({
      code: -32602,
      message: 'Unknown tool: same',
    });
  });

  it('a name that is new at a target is found, and one of a removed target is not', async () => {
    const tools = ['old'];
    await using rig = await startMode('bare', { tools }, { tools: ['other'] });
    await rig.listed();
    tools.push('new');
    expect((await rig.client.request('tools/call', { name: 'new' })).result).toMatchObject({ asked: { name: 'new' } });
    rig.gateway.config.putTarget({ name: 'ns/t2', host: '127.0.0.1', port: 1, path: '/mcp' });
    rig.gateway.config.removeTarget('ns/t0');
    expect((await rig.client.request('tools/call', { name: 'new' })).error?.message).toBe('Unknown tool: new');
  });

  it('a name in the form of another target and its name is that one, whoever lists it', async () => {
    await using rig = await startMode('bare', { tools: ['ns/t1:same', 'same'] }, { tools: ['same'] });
    expect(await rig.listed()).toEqual(['ns/t0:ns/t1:same', 'ns/t0:same', 'ns/t1:same']);
    for (const name of ['ns/t1:same', 'ns/t0:ns/t1:same']) await rig.client.request('tools/call', { name });
    expect(rig.targets.map(calledAt)).toEqual([['ns/t1:same'], ['same']]);
  });
});
