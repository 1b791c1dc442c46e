import { describe, expect, it } from 'vitest';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { type Script, startRawTarget } from '../../../support/gateway/raw-target.ts';
import { startTargetRig, type TargetRig } from '../../../support/gateway/target-rig.ts';
import { type Ask, ask } from '../../../support/nodes/stateless-client.ts';

type Json = Readonly<Record<string, unknown>>;

/** A target of MCP 2026-07-28 alone, whose tool `x` the caller may use. */
async function start(script: Script): Promise<TargetRig> {
  const rig = await startTargetRig(script, { stateless: true });
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  return rig;
}

async function answerTo({ gateway }: TargetRig, request: Omit<Ask, 'token'>): Promise<Json> {
  return JSON.parse(await (await ask(gateway, { token: gateway.token('me'), ...request })).text());
}

const schema = (header: unknown): Json => ({
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': header }, self: { $ref: '#' } },
  $defs: { loop: { $ref: '#/$defs/loop' } },
});
/** Refuses a call without the header, as a server of this revision must. */
const needing =
  (header: unknown): Script =>
  ({ method, headers }) => {
    if (method === 'tools/list') return { result: { tools: [{ name: 'x', inputSchema: schema(header) }] } };
    return headers[`mcp-param-${String(header).toLowerCase()}`] === undefined
      ? { error: { code: -32020, message: 'Header mismatch' } }
      : { result: { content: [] } };
  };
const regional = { name: 'a:x', arguments: { region: 'Zürich' } };

describe('a parameter that a header repeats', () => {
  it.each(['Region', 'authorization'])(
    'reaches the target as %s, which an earlier client knows nothing of',
    async (header) => {
      await using rig = await start(needing(header));
      const client = await rig.open();
      expect((await client.request('tools/call', regional)).result).toEqual({ content: [] });
      const { headers } = await rig.target.arrival('tools/call', 2);
      expect(headers[`mcp-param-${header.toLowerCase()}`]).toBe(
        `=?base64?${Buffer.from('Zürich').toString('base64')}?=`,
      );
      expect(headers.authorization).toBeUndefined();
      await client.request('tools/call', regional);
      expect(rig.target.asked.map(({ method }) => method)).toEqual([
        'tools/call',
        'tools/list',
        'tools/call',
        'tools/call',
      ]);
    },
  );

  it.each(['not a token', '', 7, null])('has no header when the schema names %j', async (header) => {
    await using rig = await start(needing(header));
    const client = await rig.open();
    expect((await client.request('tools/call', regional)).error?.code).toBe(-32020);
  });
});

describe('a parameter that a header repeats', () => {
  it.each([
    ['another value', { 'mcp-param-region': 'Bern' }, 400],
    ['no value', {}, 400],
    ['a value that is not encoded', { 'mcp-param-region': '=?base64?!?=' }, 400],
    ['the value itself, which no header may have', { 'mcp-param-region': 'Zürich' }, 400],
    ['another beginning', { 'mcp-param-region': `=?BASE64?${Buffer.from('Zürich').toString('base64')}?=` }, 400],
    ['the same value', { 'mcp-param-region': `=?base64?${Buffer.from('Zürich').toString('base64')}?=` }, 200],
  ])('is compared with the header of a client of MCP 2026-07-28: %s', async (_, headers, status) => {
    await using rig = await start(needing('Region'));
    await answerTo(rig, { method: 'tools/list' });
    const token = rig.gateway.token('me');
    const response = await ask(rig.gateway, { token, method: 'tools/call', params: regional, headers });
    expect(response.status).toBe(status);
    if (status === 400)
      expect(JSON.parse(await response.text())).toMatchObject({ id: 'mine', error: { code: -32020 } });
  });
});

describe('a parameter that a header repeats, of a tool that nobody has listed,', () => {
  it.each([
    ['of MCP 2026-07-28, which misses it itself', true, ['tools/call', 'tools/list']],
    ['of an earlier revision, which does not get the call', false, ['tools/list']],
  ])('is missed before anything was listed, at a target %s', async (_, stateless, asked) => {
    await using rig = await startTargetRig(needing('Region'), { stateless });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const token = rig.gateway.token('me');
    for (let times = 0; times < 2; times += 1) {
      const response = await ask(rig.gateway, { token, method: 'tools/call', params: regional });
      expect(response.status).toBe(400);
      expect(JSON.parse(await response.text())).toMatchObject({ id: 'mine', error: { code: -32020 } });
    }
    expect(rig.target.asked.map(({ method }) => method)).toEqual(asked);
  });

  it('is looked for once for all calls that come at once, and not at all at a target that lists no tools', async () => {
    const listed = Promise.withResolvers<void>();
    await using rig = await startTargetRig(async ({ method }) => {
      if (method !== 'tools/list') return { result: { content: [] } };
      await listed.promise;
      return { error: { code: -32601, message: 'Method not found' } };
    });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const token = rig.gateway.token('me');
    const call = () => ask(rig.gateway, { token, method: 'tools/call', params: regional });
    const calls = Array.from({ length: 20 }, call);
    await rig.target.arrival('tools/list');
    // Its answer follows those of the calls that came before it on the way to the gateway.
    await ask(rig.gateway, { token, method: 'server/discover', params: {} });
    listed.resolve();
    for (const { status } of [...(await Promise.all(calls)), await call()]) expect(status).toBe(200);
    expect(rig.target.asked.filter(({ method }) => method === 'tools/list')).toHaveLength(1);
  });

  it.each<[string, boolean, Json]>([
    ['of MCP 2026-07-28', true, { region: 'Zürich' }],
    ['of an earlier revision', false, { region: 'Zürich' }],
    ['whose call has no such argument', true, {}],
  ])('is compared before anything was listed, at a target %s', async (_, stateless, args) => {
    await using rig = await startTargetRig(needing('Region'), { stateless });
    rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
    const token = rig.gateway.token('me');
    const params = { name: 'a:x', arguments: args };
    const headers = { 'mcp-param-region': 'Bern' };
    for (let times = 0; times < 2; times += 1) {
      expect((await ask(rig.gateway, { token, method: 'tools/call', params, headers })).status).toBe(400);
    }
    expect(rig.target.asked.map(({ method }) => method)).toEqual(['tools/list']);
  });
});

it('a header is compared although the headers of so many tools are not kept', async () => {
  const inputSchema = schema('Region');
  const tools = Array.from({ length: 1_001 }, (_, index) => ({
    name: index === 1_000 ? 'x' : `t${index}`,
    inputSchema,
  }));
  await using rig = await startTargetRig(({ method }) => ({
    result: method === 'tools/list' ? { tools } : { content: [] },
  }));
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:x');
  const token = rig.gateway.token('me');
  const call = (headers: Readonly<Record<string, string>>) =>
    ask(rig.gateway, {
      token,
      method: 'tools/call',
      params: { name: 'a:x', arguments: { region: 'Bern' } },
      headers,
    });
  expect((await call({})).status).toBe(400);
  expect((await call({ 'mcp-param-region': 'Basel' })).status).toBe(400);
  expect((await call({ 'mcp-param-region': 'Bern' })).status).toBe(200);
});

describe('a header of a tool on the first of two pages, of which what is kept was evicted before the second,', () => {
  /** Tools whose names take about four times their bytes of what is kept. */
  const bulk = (count: number): readonly Json[] =>
    Array.from({ length: count }, (_, index) => {
      const name = `${index}-`.padEnd(7_800, 'n');
      return { name, inputSchema: schema('Region'), execution: { taskSupport: 'required' } };
    });

  it('is compared, after one list more', async () => {
    const evicted = Promise.withResolvers<void>();
    await using rig = await startTargetRig(
      async ({ method, params }) => {
        if (method !== 'tools/list') return { result: { content: [] } };
        if (params['cursor'] === undefined) {
          const isFirst = rig.target.asked.filter((asked) => asked.method === method).length === 1;
          const tools = [{ name: 'x', inputSchema: schema('Region') }, ...bulk(isFirst ? 900 : 0)];
          return { result: { tools, nextCursor: 'second' } };
        }
        await evicted.promise;
        return { result: { tools: [{ name: 'y', inputSchema: schema('Region') }, { name: 'z' }] } };
      },
      // With a clock that stands still, the list is none that the gateway asks for again because it is slow.
      { list: 'filtered', clock: createManualClock() },
    );
    const { gateway } = rig;
    for (const tool of ['x', 'z']) gateway.config.allow(`n.${tool}`, 'me', 'tool', `a:${tool}`);
    const listed = ask(gateway, { token: gateway.token('me'), method: 'tools/list' });
    await rig.target.arrival('tools/list', 2);
    for (const name of ['b', 'c']) {
      await using other = await startRawTarget(() => ({ result: { tools: bulk(680) } }));
      gateway.config.putTarget(other.target(name));
      gateway.config.allow(`n.${name}`, name, 'tool', `${name}:*`);
      const response = await ask(gateway, { token: gateway.token(name), method: 'tools/list', params: {} });
      await response.text();
    }
    evicted.resolve();
    await (await listed).text();
    const call = (name: string, headers: Readonly<Record<string, string>>) =>
      ask(gateway, { token: gateway.token('me'), method: 'tools/call', params: { ...regional, name }, headers });
    for (let times = 0; times < 2; times += 1) {
      expect((await call('a:x', { 'mcp-param-region': 'Bern' })).status).toBe(400);
      expect((await call('a:z', {})).status).toBe(200);
    }
    expect(rig.target.asked.filter(({ method }) => method === 'tools/list')).toHaveLength(4);
  });
});

it('a header is compared for a tool on a later page, also when that was not answered at first', async () => {
  const tool = needing('Region');
  let unanswered = 1;
  const script: Script = (message, say) => {
    if (message.method !== 'tools/list') return tool(message, say);
    if (message.params['cursor'] === undefined) return { result: { tools: [{ name: 'y' }], nextCursor: 'more' } };
    unanswered -= 1;
    return unanswered >= 0 ? { error: { code: -32603, message: 'try again' } } : tool(message, say);
  };
  await using rig = await start(script);
  const common = { token: rig.gateway.token('me'), method: 'tools/call', params: regional };
  const call = async () => (await ask(rig.gateway, { ...common, headers: { 'mcp-param-region': 'Bern' } })).text();
  expect(await call()).toContain('does not list its tools');
  expect(await call()).toContain('-32020');
  expect(rig.target.asked.filter(({ method }) => method === 'tools/call')).toEqual([]);
});
