import { generateKeyPairSync } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { AgentgatewayNode } from '../support/agentgateway/node.ts';
import { isSubject, mcpGateway, mcpService, openGateway, together } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

/**
 * Bad input about signers and callers at one Gateway, beside another one: each gets one message that says where it is, lets
 * nobody in, and changes nothing for nodes of the other Gateway.
 */
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = (kid: string): object => ({ ...publicKey.export({ format: 'jwk' }), kid });
const good = JSON.stringify({ keys: [key('k')] });

/** A policy with a rule for `me`. @param jwt the YAML of `spec.jwt`, if it has one */
function policyOf(name: string, gateway: string, jwt: string, match = isSubject('me')): string {
  return `
apiVersion: gateway.kgateway.dev/v1alpha1
kind: MCPAuthPolicy
metadata: { name: ${name}, namespace: default }
spec:
  targetRefs: [{ name: ${gateway} }]
  rules: [{ matches: [${match}], resource: { kind: tool, name: "*" } }]
  ${jwt === '' ? '' : `jwt: ${jwt}`}
`;
}

function signedBy(jwks: string, issuer = 'me'): string {
  return `{ providers: [{ issuer: ${issuer}, audiences: [me.com], jwks: { inline: ${JSON.stringify(jwks)} } }] }`;
}

interface Problem {
  readonly severity: string;
  readonly key: string | null;
  readonly field: string;
  readonly message: string;
}

/** The errors about one object, or about all. */
async function errorsOf(world: RunningWorld, object?: string): Promise<readonly Problem[]> {
  const { items }: { readonly items: readonly Problem[] } = JSON.parse(
    (await world.get('debug', '/debug/problems')).body,
  );
  return items.filter(({ severity, key }) => severity === 'error' && (object === undefined || key === object));
}

async function start(): Promise<{ world: RunningWorld; bad: AgentgatewayNode; other: AgentgatewayNode }> {
  const world = await startWorld({
    'a.yaml': together(openGateway, mcpGateway('default/other'), mcpService('default/echo')),
    'b.yaml': policyOf('other', 'other', signedBy(good)),
  });
  onTestFinished(() => world[Symbol.asyncDispose]());
  const nodeOf = async (gateway: string): Promise<AgentgatewayNode> => {
    const node = new AgentgatewayNode(`127.0.0.1:${world.app.listening.xds.port}`, gateway);
    onTestFinished(() => node.close());
    await node.connect();
    return node;
  };
  return { world, bad: await nodeOf('default/gw'), other: await nodeOf('default/other') };
}

/** The answer to a call by a token of the issuer `me`. */
function callAt(node: AgentgatewayNode, claims: Readonly<Record<string, unknown>> = { sub: 'me' }): string {
  const token = { kid: 'k', claims: { iss: 'me', aud: 'me.com', ...claims } };
  return node.dataPlane.call({ port: 8080, kind: 'tool', target: 'echo.default', name: 'say', token });
}

const keysField = /^spec\.jwt\.providers\[0\]\.jwks\.inline$/;

it.each<[what: string, jwt: string, field: RegExp, message: RegExp]>([
  ['keys that are no JSON', signedBy('<html>'), keysField, /not JSON/],
  [
    'a private key',
    signedBy(JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'k' })),
    keysField,
    /private key/,
  ],
  ['a symmetric key', signedBy('{"kty":"oct","kid":"k","k":"c2VjcmV0"}'), keysField, /shared secret/],
  ['no keys', signedBy('{"keys":[]}'), keysField, /no key/],
  ['10,000 keys', signedBy(`{"keys":[${'{},'.repeat(9_999)}{}]}`), keysField, /10000 keys|too many values/],
  [
    'two keys of one id',
    signedBy(
      JSON.stringify({
        keys: [key('k'), { kty: 'OKP', crv: 'Ed25519', x: 'd_t7nAu2sG2EB2emi8kwd1nNk-ytjjciz6GJrz1o_HE', kid: 'k' }],
      }),
    ),
    keysField,
    /2 times/,
  ],
  [
    'an issuer with a control character',
    signedBy(good, '"me\\u0000"'),
    /^spec\.jwt\.providers\[0\]\.issuer$/,
    /issuer/,
  ],
])('%s: one message, nobody gets in, and nothing else suffers', async (_, jwt, field, message) => {
  const { world, bad, other } = await start();
  expect(callAt(other)).toBe('allowed');
  await world.write({ 'c.yaml': policyOf('bad', 'gw', jwt) });
  let errors: readonly Problem[] = [];
  // A long text is read by another thread, and no log line says when.
  while (errors.length === 0) errors = await errorsOf(world, 'default/bad');
  await bad.settle();
  expect(callAt(bad)).toBe('unauthenticated');
  expect(errors.map((error) => [error.field, error.message])).toEqual([
    [expect.stringMatching(field), expect.stringMatching(message)],
  ]);
  expect(JSON.stringify(errors)).not.toContain('c2VjcmV0');
  expect(await other.settle()).toEqual({ names: [], removed: [] });
  expect(callAt(other)).toBe('allowed');
  await world.write({ 'c.yaml': policyOf('bad', 'gw', signedBy(good)) });
  await bad.settle();
  expect(callAt(bad), 'mended').toBe('allowed');
});

it('two policies with jwt: one message, and the first by name counts', async () => {
  const { world, bad } = await start();
  await world.write({
    'c.yaml': policyOf('first', 'gw', signedBy(good)),
    'd.yaml': policyOf('second', 'gw', signedBy(good, 'you'), isSubject('you')),
  });
  await bad.settle();
  expect([callAt(bad), callAt(bad, { sub: 'you' })]).toEqual(['allowed', 'denied']);
  const errors = await errorsOf(world);
  expect(errors.map((error) => [error.key, error.message])).toEqual([
    ['default/second', expect.stringContaining('keep spec.jwt in one of them')],
  ]);
});

const odd = (claim: string, value: string): string =>
  `{ type: JWT, jwt: { claim: ${JSON.stringify(claim)}, value: ${JSON.stringify(value)} } }`;

it.each([
  ['quotes', 'a"b', '" || true || "'],
  ['CEL syntax', 'sub"] != "" || jwt["sub', 'x" || mcp.tool.name != "'],
  ['backslashes', '\\', '\\"'],
])('a claim with %s is compared as it is written', async (_, claim, value) => {
  const { world, bad } = await start();
  await world.write({ 'c.yaml': policyOf('odd', 'gw', signedBy(good), odd(claim, value)) });
  await bad.settle();
  expect(callAt(bad, { [claim]: value })).toBe('allowed');
  expect(callAt(bad)).toBe('denied');
  expect(await errorsOf(world)).toEqual([]);
});

it.each([
  ['a line break', 'me\n'],
  ['a NUL', 'me\u0000'],
])('a claim with %s: one message, and nobody is meant', async (_, value) => {
  const { world, bad } = await start();
  const matches = `${odd('sub', value)}, ${isSubject('you')}`;
  await world.write({ 'c.yaml': policyOf('odd', 'gw', signedBy(good), matches) });
  await bad.settle();
  expect([callAt(bad), callAt(bad, { sub: value }), callAt(bad, { sub: 'you' })]).toEqual([
    'denied',
    'denied',
    'allowed',
  ]);
  const errors = await errorsOf(world);
  expect(errors.map((error) => error.field)).toEqual(['spec.rules[0].matches[0].jwt.value']);
});

it('a node that refuses one resource of many: one log line, and every other change reaches it', async () => {
  const { world, bad, other } = await start();
  await world.write({ 'c.yaml': policyOf('p', 'gw', signedBy(good)) });
  await bad.settle();
  bad.remarks = [{ key: 'backend/mcp/all', error: 'invalid target name' }];
  await world.write({ 'd.yaml': mcpService('default/more') });
  await bad.settle();
  await other.settle();
  const refusals = world.log.lines.filter(({ message }) => message === 'the node refuses a response');
  expect(refusals.map(({ level, fields }) => [level, fields['message']])).toEqual([
    ['warn', '[{"key":"backend/mcp/all","error":"invalid target name"}]'],
  ]);
  expect((await world.get('metrics', '/metrics')).body).toMatch(/^gatehouse_xds_nacks_total\{.*Resource"\} 1$/m);
  expect(JSON.parse((await world.get('debug', '/debug/nodes')).body)).toMatchObject({
    states: { inSync: 1, behind: 0, refusing: 1 },
  });
  await world.write({ 'c.yaml': undefined });
  await bad.settle();
  expect(callAt(bad)).toBe('unauthenticated');
  expect(callAt(other)).toBe('allowed');
});
