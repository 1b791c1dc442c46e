import { expect, it, onTestFinished } from 'vitest';
import { startCollector } from '../support/otlp-collector.ts';
import {
  isSubject,
  mcpClass,
  mcpGateway,
  mcpService,
  policy,
  policyWith,
  together,
} from '../support/worlds/manifests.ts';
import { startWorld } from '../support/worlds/running-world.ts';

/** Each in another place from which it could reach the log. */
const secrets = {
  claim: 'claim-value-4711',
  brokenClaim: 'claim-value-4712',
  nearClaim: 'claim-value-4713',
  token: 'eyJhbGciOiJub25lIn0.c2VjcmV0LTQ3MTQ.c2lnbmF0dXJl',
  asked: 'claim-value-4715',
};

const worlds = {
  good: together(
    mcpClass,
    mcpGateway('default/gw'),
    mcpService('default/tool'),
    policy('default/p', 'gw', secrets.claim),
  ),
  // A policy that names no Gateway, one with a broken rule beside a good one, and one with a value that is no string.
  broken: together(
    policy('default/q', 'wg', secrets.nearClaim),
    policyWith(
      'default/r',
      '[{ name: gw }]',
      `[{ matches: [${isSubject(secrets.brokenClaim)}], resource: { kind: tol, name: "*" } }]`,
    ),
    policyWith(
      'default/s',
      '[{ name: gw }]',
      `[{ matches: [{ type: JWT, jwt: { claim: sub, value: [${secrets.brokenClaim}] } }], resource: { kind: tool, name: "*" } }]`,
    ),
  ),
};

it('a run with tokens and claims leaves none of them in the log, the metrics or the traces', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector[Symbol.asyncDispose]());
  const running = await startWorld(
    { 'a.yaml': worlds.good, 'b.yaml': worlds.broken },
    { tracesUrl: `${collector.endpoint}/v1/traces` },
  );
  const claims = { headers: { authorization: `Bearer ${secrets.token}` } };
  const node = running
    .node('default/gw', { ...claims, node: { id: 'a', metadata: { role: 'x~default~gw' } } })
    .connect();
  await node.settled();
  const { host, port } = running.app.listening.debug;
  const answer = await fetch(`http://${host}:${port}/debug/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      claims: { sub: secrets.asked },
      request: { kind: 'tool', name: 'default/tool:x' },
    }),
  });
  expect(answer.status).toBe(200);
  await running.write({ 'c.yaml': policy('default/t', 'gw', secrets.claim), 'b.yaml': undefined });
  await node.settled();
  await running.log.line('a problem is gone');
  const metrics = await running.get('metrics', '/metrics');
  await running[Symbol.asyncDispose]();
  expect(collector.spans.length).toBeGreaterThan(0);
  const spans = collector.spans.map(({ attributes, resource }) => ({ attributes, resource }));
  const written = { log: running.log.text(), metrics: metrics.body, traces: JSON.stringify(spans) };
  for (const [place, text] of Object.entries(written)) {
    expect(text.length, place).toBeGreaterThan(100);
    for (const [name, secret] of Object.entries(secrets))
      expect(text.includes(secret), `${name} in ${place}`).toBe(false);
  }
});
