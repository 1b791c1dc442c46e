import { describe, expect, it } from 'vitest';
import { createUiOwners, referredPages } from '../../../../src/gateway/session/names/ui-owners.ts';
import { createListMemory } from '../../../../src/gateway/upstream/answer-limits.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { type GatewayRig, startGateway } from '../../../support/gateway/gateway-rig.ts';
import { type RawTarget, type Script, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { openRawClient } from '../../../support/nodes/raw-client.ts';

const page = { uri: 'ui://app/x', name: 'page' };
const tool = { name: 'show', inputSchema: {}, _meta: { ui: { resourceUri: page.uri } } };

/** A target that lists the page, and the tools; its page says whose it is. */
function startApp(whose: string, tools: readonly unknown[], state = { failing: false }): Promise<RawTarget> {
  const script: Script = ({ method, params }) => {
    if (state.failing) return { status: 500 };
    if (method === 'tools/list') return { result: { tools } };
    if (method === 'resources/list') return { result: { resources: [{ ...page, title: whose }] } };
    return { result: { contents: [{ uri: params['uri'], text: whose }] } };
  };
  return startRawTarget(script);
}

/** Reads the page in a session of its own. */
async function readPage(gateway: GatewayRig): Promise<unknown> {
  const client = await openRawClient(gateway, gateway.token('me'));
  const { result, error } = await client.request('resources/read', { uri: page.uri });
  const listed = await client.request('resources/list');
  return { page: result?.['contents'] ?? error?.code, listed: listed.result?.['resources'] };
}

const pageOf = (whose: string): object => ({
  page: [{ uri: page.uri, text: whose }],
  listed: [{ ...page, title: whose }],
});
const nobodys = { page: -32602, listed: [] };

it('a target whose tools refer to more pages than it may own is named in the log', () => {
  const log = createRecordedLog();
  const owners = createUiOwners(createManualClock(), log, createListMemory({ evict: () => {}, crowded: () => {} }));
  const pages = Array.from({ length: 1_001 }, (_, nth) => `ui://app/${nth}`);
  for (let times = 0; times < 3; times += 1) owners.toolsListed('default/many', pages);
  expect(owners.claimants('ui://app/999')).toEqual(['default/many']);
  expect(owners.claimants('ui://app/1000')).toEqual([]);
  expect(log.lines.map(({ fields }) => fields)).toEqual([{ target: 'default/many', because: 'more than 1000 pages' }]);
});

describe('the page of an MCP App', () => {
  it('belongs to the target whose tool refers to it, and not to one that sorts before it and lists it, too', async () => {
    await using honest = await startApp('honest', [tool]);
    await using hostile = await startApp('hostile', [{ name: 'other' }]);
    await using gateway = await startGateway();
    gateway.config.allowAll('n.p', 'me');
    gateway.config.putTarget(honest.target('default/good'));
    gateway.config.putTarget(hostile.target('default/bad'));
    expect(await readPage(gateway)).toEqual(pageOf('honest'));
    expect(hostile.received.filter(({ method }) => method === 'resources/read')).toEqual([]);
  });

  it('belongs to nobody while tools of two targets refer to it, and the log says so once', async () => {
    await using honest = await startApp('honest', [tool]);
    await using hostile = await startApp('hostile', [tool]);
    await using gateway = await startGateway();
    gateway.config.allowAll('n.p', 'me');
    gateway.config.putTarget(honest.target('default/good'));
    gateway.config.putTarget(hostile.target('default/bad'));
    for (let times = 0; times < 3; times += 1) expect(await readPage(gateway)).toEqual(nobodys);
    const lines = gateway.log.lines.filter(({ message }) => message.includes('belongs to nobody'));
    expect(lines.map(({ fields }) => fields['targets'])).toEqual([['default/bad', 'default/good']]);
    gateway.config.removeTarget('default/bad');
    expect(await readPage(gateway)).toEqual(pageOf('honest'));
  });

  it('stays with its target while that does not answer', async () => {
    const state = { failing: false };
    await using honest = await startApp('honest', [tool], state);
    await using hostile = await startApp('hostile', [tool]);
    await using gateway = await startGateway();
    gateway.config.allowAll('n.p', 'me');
    gateway.config.putTarget(honest.target('default/good'));
    expect(await readPage(gateway)).toEqual(pageOf('honest'));
    state.failing = true;
    gateway.config.putTarget(hostile.target('default/bad'));
    expect(await readPage(gateway)).not.toMatchObject({ page: [{ text: 'hostile' }] });
    expect(hostile.received.filter(({ method }) => method === 'resources/read')).toEqual([]);
  });

  it('makes the gateway ask no target for a caller who may read it nowhere', async () => {
    await using honest = await startApp('honest', [tool]);
    await using gateway = await startGateway();
    gateway.config.allow('n.p', 'me', 'resource', 'default/good:ui://other');
    gateway.config.putTarget(honest.target('default/good'));
    const client = await openRawClient(gateway, gateway.token('me'));
    expect((await client.request('resources/read', { uri: page.uri })).error?.code).toBe(-32602);
    expect(honest.asked).toEqual([]);
  });
});

describe('the owner of a page', () => {
  const create = () => {
    const log = createRecordedLog();
    return {
      log,
      owners: createUiOwners(createManualClock(), log, createListMemory({ evict: () => {}, crowded: () => {} })),
    };
  };

  it.each([
    [{ ui: { resourceUri: 'ui://a' } }],
    [{ 'ui/resourceUri': 'ui://a' }],
    [{ 'openai/outputTemplate': 'ui://a' }],
  ])('is found by %j', (_meta) => {
    const { owners } = create();
    owners.toolsListed('t', referredPages({ name: 'x', _meta }));
    expect(owners.claimants('ui://a')).toEqual(['t']);
    owners.toolsListed('t', referredPages({ name: 'x' }));
    expect(owners.claimants('ui://a')).toEqual([]);
  });

  it('is nobody for other URIs, odd tools, and more pages than an app has', () => {
    const { owners } = create();
    const refer = (resourceUri: unknown) => referredPages({ name: 'x', _meta: { ui: { resourceUri } } });
    const pages = Array.from({ length: 1_001 }, (_, nth) => `ui://${nth}`);
    const odd = [referredPages({ _meta: 7 }), refer(7), refer('file:///a'), refer(`ui://${'x'.repeat(5_000)}`)];
    owners.toolsListed('t', [...odd.flat(), ...pages]);
    expect(owners.claimants('file:///a')).toEqual([]);
    expect(owners.claimants(`ui://${'x'.repeat(5_000)}`)).toEqual([]);
    expect([owners.claimants('ui://999'), owners.claimants('ui://1000')]).toEqual([['t'], []]);
  });

  it('is forgotten with its target, and a conflict is logged with a bounded text', () => {
    const { owners, log } = create();
    const uri = `ui://${'x'.repeat(1_000)}`;
    for (const target of ['a', 'b', 'a', 'b']) owners.toolsListed(target, [uri]);
    expect(log.lines).toHaveLength(1);
    expect(log.text().length).toBeLessThan(600);
    owners.forget('a');
    expect(owners.claimants(uri)).toEqual(['b']);
  });
});
