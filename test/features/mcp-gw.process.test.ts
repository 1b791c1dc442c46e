import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { callerAt, outcomeOf, tokenOf, toolsOf } from '../support/agentgateway/agentgateway-caller.ts';
import { startMcpGwGuide } from '../support/mcp-gw/mcp-gw-guide.ts';
import { type McpGwProcess, mcpGwBinary } from '../support/mcp-gw/mcp-gw-process.ts';
import { guideToken } from '../support/processes/guide.ts';
import type { GuidePrograms } from '../support/processes/guide-programs.ts';
import { isSubject, policy, policyWith, serviceWith } from '../support/worlds/manifests.ts';

/** The guide's manifests unchanged, the gateway of spring 2025, unmodified, and the official client. */
const tool = 'default/mcp-tool:convert_to_markdown';
const args = { uri: 'data:text/html,<h1>We the People</h1>' };
const converted = '# We the People';
const denied = 'not allowed';

const patient = { timeout: 120_000 };

let guide: GuidePrograms<McpGwProcess>;

beforeAll(async () => {
  if (mcpGwBinary !== undefined) guide = await startMcpGwGuide();
}, 120_000);
afterAll(() => guide?.[Symbol.asyncDispose]());

/** A client with a session of its own: a session keeps the claims, and the targets, that it began with. */
async function caller(): Promise<Client> {
  const client = await guide.connect('/sse');
  onTestFinished(() => client.close());
  return client;
}

const call = (client: Client, name: string = tool): Promise<string> => outcomeOf(client, name, args);

/** A Service that changes what the gateway is sent, so that it can be known when it has the rest too. */
const other = (port: number): string =>
  serviceWith('default/other', `{ ports: [{ port: ${port}, appProtocol: kgateway.dev/mcp }] }`);

describe.skipIf(mcpGwBinary === undefined)('the gateway of spring 2025 with the guide', patient, () => {
  it('lists the tool and denies calls, allows them with the policy, and denies them again when it goes', async () => {
    const client = await caller();
    expect(await toolsOf(client)).toEqual([tool]);
    expect(await call(client)).toContain(denied);
    await guide.addPolicy();
    expect(await call(client)).toContain(converted);
    expect(await call(client, 'default/mcp-tool:other')).toContain(denied);
    await guide.removePolicy();
    expect(await call(client)).toContain(denied);
    expect(await call(await caller())).toContain(denied);
  });

  it('answers 400 without a valid token', async () => {
    for (const headers of [{}, { authorization: 'Bearer no' }, { authorization: `Bearer ${await tokenOf('me')}` }]) {
      const response = await fetch(`${guide.url}/sse`, { headers });
      await response.body?.cancel();
      expect(response.status).toBe(400);
    }
    const response = await fetch(`${guide.url}/sse`, { headers: { authorization: `Bearer ${guideToken}` } });
    await response.body?.cancel();
    expect(response.status).toBe(200);
  });

  it('denies what a policy allowed that is deleted while the control plane is away', async () => {
    await guide.addPolicy();
    const client = await caller();
    await guide.whileControlPlaneIsDown(async () => {
      expect(await call(client)).toContain(converted);
      await guide.deletePolicyFile();
    });
    expect(await call(client)).toContain(denied);
  });

  it('goes on after restarts of the control plane, and obeys what changes after them', async () => {
    const client = await caller();
    for (const port of [1, 2, 3]) {
      await guide.whileControlPlaneIsDown(() => guide.writeOnly({ 'other.yaml': other(port) }));
      await guide.addPolicy();
      expect(await call(client)).toContain(converted);
      await guide.removePolicy();
      expect(await call(client)).toContain(denied);
    }
    await guide.write({ 'other.yaml': undefined });
  });

  it('shows no tool of a Service that is gone, and calls none of it in new sessions', async () => {
    await guide.addPolicy();
    const text = await guide.read('5-mcp-tool.yaml');
    await guide.write({ '5-mcp-tool.yaml': undefined });
    const client = await caller();
    expect(await toolsOf(client)).toEqual([]);
    expect(await call(client)).toContain('invalid service name');
    await guide.write({ '5-mcp-tool.yaml': text });
    expect(await toolsOf(client)).toEqual([tool]);
    expect(await call(client)).toContain(converted);
    await guide.removePolicy();
    expect(guide.gateway.death()).toBeUndefined();
  });
});

const isMe = isSubject('me');

/** Policies that allow nothing, in all the ways in which rules can be missing or broken. */
const withoutRules: readonly string[] = [
  '[]',
  'null',
  '{}',
  '[null]',
  '[{}]',
  `[{ matches: [${isMe}] }]`,
  `[{ matches: [${isMe}], resource: null }]`,
  `[{ matches: [${isMe}], resource: {} }]`,
  `[{ matches: [${isMe}], resource: { kind: tool } }]`,
  `[{ matches: [${isMe}], resource: { kind: tool, name: "" } }]`,
  `[{ matches: [${isMe}], resource: { kind: toolbox, name: "*" } }]`,
  `[{ matches: [${isMe}], resource: { kind: 7, name: "*" } }]`,
  '[{ resource: { kind: tool, name: "*" } }]',
  '[{ matches: [], resource: { kind: tool, name: "*" } }]',
  '[{ matches: [{ type: JWT }], resource: { kind: tool, name: "*" } }]',
  '[{ matches: [{ type: X, jwt: { claim: sub, value: me } }], resource: { kind: tool, name: "*" } }]',
  '[{ matches: [{ type: JWT, jwt: { claim: sub, value: me, matcher: 1 } }], resource: { kind: tool, name: "*" } }]',
];

describe.skipIf(mcpGwBinary === undefined)('a policy without a usable rule', patient, () => {
  it('opens nothing and ends no gateway, alone, beside others, and in place of one with rules', async () => {
    const client = await caller();
    const empty = (rules: string): string => policyWith('default/empty', '[{ name: mcp-gateway }]', rules);
    for (const [index, rules] of withoutRules.entries()) {
      await guide.write({
        'empty.yaml': policy('default/empty', 'mcp-gateway', 'me', `{ kind: tool, name: "${tool}" }`),
      });
      expect(await call(client), rules).toContain(converted);
      await guide.write({ 'empty.yaml': empty(rules), 'other.yaml': other(1_000 + index) });
      expect(await call(client), rules).toContain(denied);
      expect(guide.gateway.death(), rules).toBeUndefined();
    }
    await guide.whileControlPlaneIsDown(() => guide.writeOnly({ 'other.yaml': other(2_000) }));
    expect(await call(client)).toContain(denied);
    await guide.addPolicy();
    expect(await call(client)).toContain(converted);
    await guide.removePolicy();
    expect(await call(client)).toContain(denied);
    await guide.write({ 'empty.yaml': undefined, 'other.yaml': undefined });
  });
});

/** Edits, each of which the gateway acknowledges before the next one. */
const edits = 1_000;

describe.skipIf(mcpGwBinary === undefined)('a thousand edits under load', () => {
  it('fail no call that stays allowed, let nobody in, and end no gateway', { timeout: 1_200_000 }, async () => {
    await using own = await startMcpGwGuide('own');
    await own.addPolicy();
    const [me, you] = await Promise.all([tokenOf('me'), tokenOf('you')]);
    const callers = { me: await callerAt(own.url, me, '/sse'), you: await callerAt(own.url, you, '/sse') };
    const outcomes = { me: new Set<string>(), you: new Set<string>() };
    let calls = 0;
    let over = false;
    const calling = (['me', 'you', 'me'] as const).map(async (who) => {
      for (; !over; calls += 1) outcomes[who].add(await call(callers[who]));
    });
    for (let edit = 0; edit < edits; edit += 1) {
      const rules = withoutRules[edit % withoutRules.length] ?? '';
      const elsewhere = policy('default/p', 'mcp-gateway', 'you', `{ kind: tool, name: "default/other:t${edit}" }`);
      await own.write({
        'other.yaml': other(1 + edit),
        'edited.yaml': edit % 3 === 0 ? elsewhere : policyWith('default/p', '[{ name: mcp-gateway }]', rules),
      });
    }
    over = true;
    await Promise.all(calling);
    expect(calls).toBeGreaterThan(edits / 10);
    expect([...outcomes.me]).toEqual([expect.stringContaining(converted)]);
    expect([...outcomes.you]).toEqual([expect.stringContaining(denied)]);
    expect(own.gateway.death()).toBeUndefined();
  });
});
