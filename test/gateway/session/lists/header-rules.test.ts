import { describe, expect, it } from 'vitest';
import type { Script } from '../../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';
import { ask } from '../../../support/nodes/stateless-client.ts';

const tool = (name: string, region: object): object => ({
  name,
  inputSchema: { type: 'object', properties: { region: { type: 'string', ...region } } },
});
const tools = [
  tool('plain', {}),
  tool('good', { 'x-mcp-header': 'Region' }),
  tool('authorization', { 'x-mcp-header': 'authorization' }),
  tool('blank', { 'x-mcp-header': 'My Region' }),
  tool('number', { type: 'number', 'x-mcp-header': 'Region' }),
];
const listing: Script = () => ({ result: { tools } });

const namesIn = (result: unknown): readonly unknown[] =>
  Object(result).tools.map(({ name }: { readonly name: string }) => name);

/** The names that a client of MCP 2026-07-28 is given. */
async function namesOf({ gateway }: TargetRig): Promise<readonly unknown[]> {
  const response = await ask(gateway, { token: gateway.token('me'), method: 'tools/list' });
  return namesIn(JSON.parse(await response.text()).result);
}

const valid = ['a:plain', 'a:good', 'a:authorization'];
const all = [...valid, 'a:blank', 'a:number'];

describe('tools whose schema breaks the rules of headers', () => {
  it.each([true, false])(
    'are left out for a client of MCP 2026-07-28, if its target is of that revision: %s',
    async (stateless) => {
      await using rig = await startTargetRig(listing, { stateless });
      expect(await namesOf(rig)).toEqual(valid);
      rig.gateway.config.allowAll('n.p', 'me');
      expect(await namesOf(rig)).toEqual(valid);
    },
  );

  it('are left out of what a target of MCP 2026-07-28 lists for an earlier client, as the gateway has to send the headers', async () => {
    await using rig = await startTargetRig(listing, { stateless: true });
    rig.gateway.config.allowAll('n.p', 'me');
    expect(namesIn((await (await rig.open()).request('tools/list')).result)).toEqual(valid);
  });

  it('are shown where nobody sends headers: to an earlier client, of an earlier target', async () => {
    await using rig = await startTargetRig(listing);
    rig.gateway.config.allowAll('n.p', 'me');
    expect(namesIn((await (await rig.open()).request('tools/list')).result)).toEqual(all);
  });

  it('are named in the log, one of a target in a while', async () => {
    await using rig = await startTargetRig(listing, { stateless: true });
    await namesOf(rig);
    await namesOf(rig);
    const lines = rig.gateway.log.lines.filter(({ message }) => message.includes('x-mcp-header'));
    expect(lines).toEqual([
      {
        level: 'warn',
        message: 'a tool is left out of lists, because MCP forbids the x-mcp-header in its inputSchema: correct it',
        fields: {
          target: 'a',
          tool: 'blank',
          because: 'the parameter "region" names what is no name of a header',
        },
      },
    ]);
  });
});
