import { describe, expect, it } from 'vitest';
import { type GatewayRig, startGateway } from '../../../support/gateway/gateway-rig.ts';
import { type RawTarget, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { openRawClient } from '../../../support/nodes/raw-client.ts';
import { openTextClient } from '../../../support/nodes/text-client.ts';

type Json = Readonly<Record<string, unknown>>;

/** A target that lists these tools on pages, each of which says something in `_meta`. */
function listing(
  ...pages: readonly { readonly names: readonly string[]; readonly _meta?: Json }[]
): Promise<RawTarget> {
  return startRawTarget(({ params }) => {
    const page = Number(params['cursor'] ?? 0);
    const { names = [], ...said } = pages[page] ?? {};
    const more = page + 1 < pages.length ? { nextCursor: String(page + 1) } : {};
    return { result: { tools: names.map((name) => ({ name })), ...said, ...more } };
  });
}

async function metaFor(gateway: GatewayRig): Promise<unknown> {
  const client = await openRawClient(gateway, gateway.token('me'));
  return (await client.request('tools/list')).result?.['_meta'];
}

describe('what a target says of its list in _meta', () => {
  it('is that of the list, if there is no other target', async () => {
    await using target = await listing({ names: ['x'], _meta: { 'example.com/release': { n: 1 } } });
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    expect(await metaFor(gateway)).toEqual({ 'example.com/release': { n: 1 } });
  });

  it('is that of all its pages, of which the first one with a member counts', async () => {
    await using target = await listing(
      { names: ['x'], _meta: { one: 1, both: 'first' } },
      { names: ['y'] },
      { names: ['z'], _meta: { both: 'third', three: 3 } },
    );
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    expect(await metaFor(gateway)).toEqual({ one: 1, both: 'first', three: 3 });
  });

  it('has its target beside others, so that nothing is said of entries of another one', async () => {
    await using one = await listing({ names: ['x'], _meta: { trusted: true } });
    await using other = await listing({ names: ['y'], _meta: { trusted: false } });
    await using silent = await listing({ names: ['z'] });
    await using gateway = await startGateway();
    gateway.config.putTarget(one.target('n/a'));
    gateway.config.putTarget(other.target('n/b'));
    gateway.config.putTarget(silent.target('n/c'));
    expect(await metaFor(gateway)).toEqual({
      'kgateway.dev/targetMeta': { 'n/a': { trusted: true }, 'n/b': { trusted: false } },
    });
  });

  it('says nothing in the name of the gateway or of the protocol', async () => {
    const _meta = {
      'kgateway.dev/missingTargets': ['b'],
      'kgateway.dev/targetMeta': { b: {} },
      'io.modelcontextprotocol/serverInfo': { name: 'raw', version: '0' },
    };
    await using target = await listing({ names: ['x'], _meta });
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    expect(await metaFor(gateway)).toBeUndefined();
  });

  it.each<[string, string, Json | undefined]>([
    ['those who see the whole list of the target', '*', { hints: ['x', 'secret'] }],
    ['nobody from whom something of it is hidden', 'a:x', undefined],
  ])('is for %s', async (_, allowed, said) => {
    await using target = await listing({ names: ['x', 'secret'], _meta: { hints: ['x', 'secret'] } });
    await using gateway = await startGateway({ list: 'filtered' });
    gateway.config.putTarget(target.target('a'));
    gateway.config.allow('n.p', 'me', 'tool', allowed);
    expect(await metaFor(gateway)).toEqual(said);
  });

  it('is passed on as it was written', async () => {
    const written = '{ "a" : 1.0, "b":12345678901234567890 }';
    await using target = await startRawTarget(({ id }) => ({
      raw: 'application/json',
      chunks: [`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"tools":[{"name":"x"}],"_meta":${written}}}`],
    }));
    await using gateway = await startGateway();
    gateway.config.putTarget(target.target('a'));
    await using client = await openTextClient(gateway, '/mcp', gateway.token('me'), '2025-11-25');
    const [text = ''] = await client.request('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    expect(text).toContain(`"_meta":${written}`);
  });
});
