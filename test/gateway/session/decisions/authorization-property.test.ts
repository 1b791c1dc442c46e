import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PrimitiveKind } from '../../../../src/authz/model.ts';
import type { TargetFetch } from '../../../../src/gateway/model.ts';
import { startGateway } from '../../../support/gateway/gateway-rig.ts';
import { openRawClient } from '../../../support/nodes/raw-client.ts';

/** A request to a target, as RBAC rules name it. */
interface Sent {
  readonly kind: PrimitiveKind;
  readonly id: string;
}

interface Asked {
  readonly id?: number;
  readonly method: string;
  readonly params: {
    readonly name?: string;
    readonly uri?: string;
    readonly ref?: Ref;
    readonly protocolVersion?: string;
  };
}

interface Ref {
  readonly type: string;
  readonly name?: string;
  readonly uri?: string;
}

/** Some of these become equal when decoded, when split elsewhere, or when looked up in an object. */
const targets = ['n', 'n/a', 'n/a/b', 'n%2Fa', 'N/a', '__proto__', 'n/😀', 'n/a b', 'n/a?b#c', 'mcp', '..'];
const names = [
  'x',
  'x:y',
  ':x',
  'x%3Ay',
  'a/x',
  'a:x',
  '../x',
  'ui://x',
  'ui://a',
  'X',
  '%78',
  'e\u0301',
  '\u00e9',
  '*',
];
const pieces = [
  'n',
  'a',
  'b',
  'x',
  '/',
  ':',
  '%2F',
  '%3A',
  '%252F',
  '%78',
  '%',
  '..',
  '?',
  '#',
  ' ',
  '😀',
  '\ud800',
  '*',
];

const target = fc.constantFrom(...targets);
const name = fc.oneof(fc.constantFrom(...names), fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map(joined));
const qualified = fc.oneof(
  { arbitrary: fc.tuple(target, name).map((parts) => parts.join(':')), weight: 4 },
  { arbitrary: fc.array(fc.constantFrom(...targets, ...names, ...pieces), { maxLength: 6 }).map(joined), weight: 1 },
);
const uri = fc.oneof(
  fc.tuple(target, name).map(([at, what]) => `mcp://${at}/${encodeURIComponent(what.toWellFormed())}`),
  fc.tuple(target, name).map(([at, what]) => `mcp://${at}/:${what}`),
  fc.tuple(target, name).map(([at, what]) => `mcp://${encodeURIComponent(at)}/${what}`),
  // As clients ask that decode the path of a resource.
  fc.tuple(target, name).map(([at, what]) => `mcp://${at}/${what}`),
  fc.constantFrom('ui://x', 'ui://a', 'ui://nobody', 'UI://x'),
  qualified,
);
const read = (asked: string) => ({ method: 'resources/read', params: { uri: asked } });
const request = fc.oneof(
  qualified.map((asked) => ({ method: 'tools/call', params: { name: asked } })),
  qualified.map((asked) => ({ method: 'prompts/get', params: { name: asked } })),
  uri.map(read),
  uri.map((asked) => ({ method: 'resources/subscribe', params: { uri: asked } })),
  qualified.map((asked) => ({ method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: asked } } })),
  uri.map((asked) => ({ method: 'completion/complete', params: { ref: { type: 'ref/resource', uri: asked } } })),
);

it('a target gets exactly the requests that a rule allows, for any spelling of names and URIs', {
  timeout: 120_000,
}, async () => {
  const sent: Sent[] = [];
  await using gateway = await startGateway({ fetchFor: ({ name: at }) => answering(at, sent) });
  for (const at of targets) gateway.config.putTarget({ name: at, host: 'h', port: 1, path: '/mcp' });
  const client = await openRawClient(gateway, gateway.token('me'));
  const ask = async ({
    method,
    params,
  }: {
    readonly method: string;
    readonly params: object;
  }): Promise<readonly Sent[]> => {
    sent.length = 0;
    await client.request(method, { ...params });
    return [...sent];
  };
  let meaningful = 0;
  const property = fc.asyncProperty(request, qualified, async (asked, other) => {
    // With everything allowed, the target shows what the request refers to; a rule for exactly that must allow it.
    gateway.config.allowAll('n.p', 'me');
    const meant = await ask(asked);
    expect(meant.length).toBeLessThanOrEqual(1);
    meaningful += meant.length;
    gateway.config.removeConfig('n.p');
    for (const kind of ['tool', 'prompt', 'resource'] as const) {
      gateway.config.allow('n.p', 'me', kind, other);
      for (const it of meant) if (it.kind !== kind) gateway.config.allow('n.p', 'me', kind, it.id);
    }
    expect(await ask(asked)).toEqual(other === '*' ? meant : meant.filter(({ id }) => id === other));
    for (const { kind, id } of meant) gateway.config.allow('n.p', 'me', kind, id);
    expect(await ask(asked)).toEqual(meant);
    gateway.config.removeConfig('n.p');
  });
  await fc.assert(property, { numRuns: 300, examples: [[read('mcp://N/a/'), 'N/a:']] });
  expect(meaningful).toBeGreaterThan(100);
});

/** A target that responds to everything, owns the MCP App of {@link apps}, and records its requests. */
function answering(at: string, sent: Sent[]): TargetFetch {
  return (_, init) => {
    if (init?.method !== 'POST') return Promise.resolve(new Response(null, { status: 405 }));
    const asked: Asked = JSON.parse(String(init.body));
    if (asked.id === undefined) return Promise.resolve(new Response(null, { status: 202 }));
    const use = useOf(asked);
    if (use !== undefined) sent.push({ kind: use[0], id: `${at}:${use[1]}` });
    return Promise.resolve(Response.json({ jsonrpc: '2.0', id: asked.id, result: resultOf(at, asked) }));
  };
}

function useOf({
  method,
  params: { name: named, uri: at, ref },
}: Asked): readonly [PrimitiveKind, string | undefined] | undefined {
  if (method === 'tools/call') return ['tool', named];
  if (method === 'prompts/get') return ['prompt', named];
  if (method === 'resources/read' || method === 'resources/subscribe') return ['resource', at];
  if (ref === undefined) return undefined;
  return ref.type === 'ref/prompt' ? ['prompt', ref.name] : ['resource', ref.uri];
}

/** The owners of MCP Apps. */
const apps: Readonly<Record<string, string>> = { 'n/a': 'ui://x', mcp: 'ui://a' };

function resultOf(at: string, { method, params }: Asked): object {
  const capabilities = { tools: {}, resources: { subscribe: true } };
  if (method === 'initialize') return { protocolVersion: params.protocolVersion, capabilities, serverInfo: {} };
  const resourceUri = Object.hasOwn(apps, at) ? apps[at] : undefined;
  return method === 'tools/list' ? { tools: [{ name: 'app', _meta: { ui: { resourceUri } } }] } : {};
}

function joined(parts: readonly string[]): string {
  return parts.join('');
}
