import { generateKeyPairSync } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { AgentgatewayNode } from '../support/agentgateway/node.ts';
import type { Files } from '../support/worlds/fresh-world.ts';
import {
  gatewayWith,
  isSubject,
  mcpClass,
  mcpGateway,
  mcpPort,
  mcpService,
  openGateway,
  policy,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

const files: Files = {
  'a.yaml': openGateway,
  'b.yaml': together(mcpService('default/echo'), mcpService('other/time', '10.0.0.2')),
  'c.yaml': policy('default/p', 'gw', 'me', '{ kind: tool, name: "default/echo:say" }'),
};

const ofGateway = [
  'policy/sentinel:default/gw',
  'policy/jwt:default/gw',
  'route/8080/default/gw.mcp',
  'listener/8080/default/gw.mcp',
  'bind/8080/default/gw',
];
const everything = [
  ...ofGateway,
  'policy/default/p:mcp-authorization:default/gw',
  'backend/echo.default',
  'backend/time.other',
  'backend/mcp/all',
].sort();

async function start(given: Files = files): Promise<RunningWorld> {
  const running = await startWorld(given);
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

function nodeOf(running: RunningWorld, gateway = 'default/gw', options = {}): AgentgatewayNode {
  const node = new AgentgatewayNode(`127.0.0.1:${running.app.listening.xds.port}`, gateway, options);
  onTestFinished(() => node.close());
  return node;
}

async function encodes(running: RunningWorld): Promise<string> {
  const { body } = await running.get('metrics', '/metrics');
  return body
    .split('\n')
    .filter((line) => /^gatehouse_wire_encodes_total.*agentgateway/.test(line))
    .join('\n');
}

it('a node of agentgateway is served the same objects, opens its port, and finds itself', async () => {
  const running = await start();
  const node = nodeOf(running);
  expect((await node.connect()).names.toSorted()).toEqual(everything);
  expect(node.open).toBe(true);
  expect(node.knowsItself).toBe(true);
  expect(node.dataPlane.ports()).toEqual([8080]);
  const call = { port: 8080, kind: 'tool', target: 'echo.default', name: 'say' } as const;
  expect(node.dataPlane.call(call), 'nobody may sign, so nobody has claims').toBe('unauthenticated');
  expect(node.dataPlane.call({ ...call, token: { kid: 'k', claims: { sub: 'me' } } })).toBe('unauthenticated');
});

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }] });

/** The guide's policy, with who may sign. */
function signedPolicy(rules: string): string {
  return `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { namespace: default, name: p }
spec:
  targetRefs: [{ name: gw }]
  rules: ${rules}
  jwt: { providers: [{ issuer: me, jwks: { inline: '${jwks}' } }] }
`;
}

it("the guide's story: denied without a policy, allowed with it, denied again when it goes, and when its rules go", async () => {
  const running = await start({ 'a.yaml': openGateway, 'b.yaml': mcpService('default/echo') });
  const node = nodeOf(running);
  const call = (claims: Record<string, unknown>): string =>
    node.dataPlane.call({
      port: 8080,
      kind: 'tool',
      target: 'echo.default',
      name: 'say',
      token: { kid: 'k', claims: { iss: 'me', ...claims } },
    });
  await node.connect();
  expect(call({ sub: 'me' })).toBe('unauthenticated');
  const resource = '{ kind: tool, name: "default/echo:say" }';
  const rules = `[{ matches: [${isSubject('me')}], resource: ${resource} }]`;
  await running.write({ 'c.yaml': signedPolicy(rules) });
  await node.settle();
  expect([call({ sub: 'me' }), call({ sub: 'you' }), call({})]).toEqual(['allowed', 'denied', 'denied']);
  await running.write({ 'c.yaml': signedPolicy('[]') });
  await node.settle();
  expect(call({ sub: 'me' }), 'its rules are gone, its signers are not').toBe('denied');
  await running.write({ 'c.yaml': signedPolicy(rules) });
  await node.settle();
  expect(call({ sub: 'me' })).toBe('allowed');
  node.disconnect();
  await running.write({ 'c.yaml': undefined });
  expect(call({ sub: 'me' }), 'what it holds stays in force while nobody tells it').toBe('allowed');
  await node.connect();
  expect(call({ sub: 'me' })).toBe('unauthenticated');
});

it('what guards is sent before what it guards, and removed after it', async () => {
  const running = await start();
  const node = nodeOf(running);
  const { names } = await node.connect();
  const kinds = ['policy/sentinel', 'policy/', 'backend/', 'backend/mcp/', 'route/', 'listener/', 'bind/'];
  const ranks = names.map((name) => kinds.findLastIndex((kind) => name.startsWith(kind)));
  expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  await running.write({ 'a.yaml': mcpClass });
  const { removed } = await node.settle();
  expect(removed.toSorted()).toEqual(everything);
  const backwards = removed.map((name) => kinds.findLastIndex((kind) => name.startsWith(kind)));
  expect(backwards).toEqual(backwards.toSorted((a, b) => b - a));
  expect(node.dataPlane.ports()).toEqual([]);
});

it('a node that has everything is shown as in sync, its own Workload included', async () => {
  const running = await start();
  const node = nodeOf(running);
  await node.connect();
  const { states, nodes } = JSON.parse((await running.get('debug', '/debug/nodes')).body);
  expect(states).toEqual({ inSync: 1, behind: 0, refusing: 0 });
  const [address] = nodes[0].types;
  expect(address).toMatchObject({ typeUrl: 'type.googleapis.com/istio.workload.Address', lagSeconds: 0 });
  expect(address.current).toBe(address.acked.version);
});

it('both kinds of nodes are served at one Gateway, each in its own dialect', async () => {
  const running = await start();
  const [old, node] = [running.node('default/gw'), nodeOf(running)];
  const before = await old.settled();
  await node.connect();
  expect(await old.settled()).toEqual(before);
  await running.write({ 'd.yaml': mcpService('default/more') });
  expect((await node.settle()).names).toEqual(['backend/more.default', 'backend/mcp/all']);
  expect(Object.keys((await old.settled()).targets)).toEqual(['default/echo', 'default/more', 'other/time']);
});

it('a dialect that no node asks for is not encoded, and one that is asked for encodes a change once', async () => {
  const running = await start();
  await running.node('default/gw').settled();
  await running.write({ 'd.yaml': mcpService('default/more') });
  expect(await encodes(running)).toBe(
    'gatehouse_wire_encodes_total{type="type.googleapis.com/agentgateway.dev.resource.Resource"} 0',
  );
  const nodes = [nodeOf(running), nodeOf(running), nodeOf(running)];
  for (const node of nodes) await node.connect();
  await running.write({ 'd.yaml': mcpService('default/more', '10.0.0.7') });
  for (const node of nodes) expect((await node.settle()).names).toEqual(['backend/more.default']);
  expect(await encodes(running)).toMatch(/ 1$/);
});

it('Gateways with the same namespaces share one list of targets', async () => {
  const running = await start({ ...files, 'd.yaml': mcpGateway('default/second') });
  const [node, second] = [nodeOf(running), nodeOf(running, 'default/second')];
  await node.connect();
  expect((await second.connect()).names).toEqual(
    expect.arrayContaining(['backend/mcp/all', 'policy/sentinel:default/second']),
  );
  expect(second.dataPlane.names()).not.toContain('policy/sentinel:default/gw');
  await running.write({ 'e.yaml': mcpService('default/more') });
  for (const one of [node, second])
    expect((await one.settle()).names).toEqual(['backend/more.default', 'backend/mcp/all']);
  expect(await encodes(running)).toMatch(/ 2$/);
});

it.each([true, false])(
  'C22 a node that returns is sent what is due, and what is gone is removed (versions: %s)',
  async (sendsVersions) => {
    const running = await start();
    const node = nodeOf(running, 'default/gw', { sendsVersions });
    await node.connect();
    node.disconnect();
    await running.write({ 'b.yaml': mcpService('default/echo', '10.0.0.3'), 'c.yaml': undefined });
    const { names, removed } = await node.connect();
    const changed = ['backend/echo.default', 'backend/mcp/all'];
    expect(names.toSorted()).toEqual(sendsVersions ? changed : everything.filter((name) => !removed.includes(name)));
    expect(removed.toSorted()).toEqual(['backend/time.other', 'policy/default/p:mcp-authorization:default/gw']);
  },
);

it('a listener that moves to another port leaves nothing behind, also when two exchange theirs', async () => {
  const listener = (name: string, port: number): string =>
    `{ name: ${name}, port: ${port}, protocol: kgateway.dev/mcp, allowedRoutes: { namespaces: { from: All } } }`;
  const two = (one: number, other: number): string =>
    together(mcpClass, gatewayWith('default/gw', `[${listener('one', one)}, ${listener('two', other)}]`));
  const running = await start({ ...files, 'a.yaml': two(8080, 9090) });
  const node = nodeOf(running);
  await node.connect();
  await running.write({ 'a.yaml': two(9090, 8080) });
  await node.settle();
  expect(node.dataPlane.ports()).toEqual([8080, 9090]);
  await running.write({ 'a.yaml': together(mcpClass, gatewayWith('default/gw', `[${listener('two', 8080)}]`)) });
  await node.settle();
  expect(node.dataPlane.ports()).toEqual([8080]);
  const call = { kind: 'tool', target: 'echo.default', name: 'say' } as const;
  expect(node.dataPlane.call({ ...call, port: 8080 })).toBe('unauthenticated');
  expect(node.dataPlane.call({ ...call, port: 9090 })).toBe('refused');
});

it('G11 an answer with warnings alone is an ACK, and the node is shown with them', async () => {
  const running = await start();
  const node = nodeOf(running);
  node.remarks = [{ key: 'policy/default/p:mcp-authorization:default/gw', warn: 'odd' }];
  await node.connect();
  const { body } = await running.get('debug', '/snapshots/xds?gateway=default/gw');
  const [gateway] = JSON.parse(body).gateways;
  expect(gateway.nodes).toMatchObject([{ synced: true }]);
  expect(gateway.types.map(({ typeUrl }: { typeUrl: string }) => typeUrl)).toContain(
    'type.googleapis.com/agentgateway.dev.resource.Resource',
  );
});

it('one resource that a node rejects keeps none of the others from it', async () => {
  const running = await start();
  const node = nodeOf(running);
  await node.connect();
  node.remarks = [{ key: 'backend/mcp/all', error: 'no' }];
  await running.write({ 'd.yaml': mcpService('default/more') });
  await node.settle();
  await running.write({
    'e.yaml': serviceWith('default/further', `{ clusterIP: 10.0.0.4, ports: [${mcpPort(80)}, ${mcpPort(81)}] }`),
  });
  expect((await node.settle()).names).toEqual([
    'backend/81.further.default',
    'backend/further.default',
    'backend/mcp/all',
  ]);
});

it('a node of a Gateway that does not exist is open for nobody, and gets its content with the Gateway', async () => {
  const running = await start({ 'b.yaml': files['b.yaml'] ?? '' });
  const node = nodeOf(running);
  expect(await node.connect()).toEqual({ names: [], removed: [] });
  expect(node.open, 'the proxy is ready, with no port').toBe(true);
  expect(node.dataPlane.ports()).toEqual([]);
  await running.write({ 'a.yaml': openGateway });
  expect((await node.settle()).names).toEqual(expect.arrayContaining(ofGateway));
});
