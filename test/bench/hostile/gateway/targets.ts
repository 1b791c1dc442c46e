import type { ServerResponse } from 'node:http';
import { isSubject, policyWith } from '../../../support/worlds/manifests.ts';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { callInNewSessions, startHostileTarget, streamMessages } from '../programs/hostile-target.ts';
import { attackerAddresses, mcpHeaders, openSession, send } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Targets that misbehave at the lists and streams of honest clients. */
export const targetAttacks: readonly Attack[] = [
  {
    name: 'a target that never answers',
    row: 14,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    amount: { full: 1, short: 1 },
    seconds: 30,
    start: (victim) => startHostileTarget(victim, 1, { answer: () => {} }),
  },
  {
    name: 'thirty-two targets that never answer',
    row: 14,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    amount: { full: 32, short: 8 },
    seconds: 30,
    start: (victim, count) => startHostileTarget(victim, count, { answer: () => {} }),
  },
  {
    name: 'a target that answers a byte a second',
    row: 14,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    amount: { full: 1, short: 1 },
    seconds: 30,
    start: (victim) => startHostileTarget(victim, 1, { answer: (_, response) => dripInto(response) }),
  },
  {
    name: 'sixteen targets whose lists take two seconds',
    row: 14,
    program: 'gateway',
    // In the tests the attacks before it may have had the target left out for up to a minute.
    trace: { ...targetAsked('default/hostile-1', 'its list takes longer'), only: 'bench' },
    amount: { full: 16, short: 1 },
    seconds: 60,
    start: (victim, count) =>
      startHostileTarget(victim, count, {
        answer: (message, response) => void setTimeout(() => sendResult(response, message, emptyList), 2_000),
      }),
  },
  {
    name: 'sixteen targets whose lists take two seconds, but not for the gateway itself',
    row: 14,
    program: 'gateway',
    trace: { ...targetAsked('default/hostile-1', 'its list takes longer'), only: 'bench' },
    amount: { full: 16, short: 1 },
    seconds: 60,
    start: listSlowlyForClients,
  },
  {
    name: '15,000 rules and 20,000 tools',
    row: 15,
    program: 'gateway',
    // As many as rules and lists may have: nothing is refused.
    trace: targetAsked('default/hostile-1'),
    amount: { full: 15_000, short: 300 },
    seconds: 30,
    world: { list: 'filtered' },
    start: multiply,
  },
  {
    name: 'capabilities of 200,000 values',
    row: 3,
    program: 'gateway',
    trace: targetAsked('default/hostile-1'),
    amount: { full: 90_000, short: 1_000 },
    seconds: 20,
    start: declareCapabilities,
  },
  {
    name: 'pages and headers of the tools of thirty-two targets',
    row: 3,
    program: 'gateway',
    trace: targetAsked('default/hostile-1'),
    amount: { full: 900, short: 10 },
    seconds: 25,
    start: referToPages,
  },
  ofMessages('pings without an end', () => {
    sent += 1;
    return `{"jsonrpc":"2.0","id":${sent},"method":"ping"}`;
  }),
  ofMessages('changed lists without an end', () => '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'),
  {
    ...ofMessages('log messages without an end', () => {
      return '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}';
    }),
    trace: {
      metric: 'gatehouse_gateway_notifications_delayed_total',
      line: 'notifications of a target are read slowly',
      // As above: a target that is left out is not asked, and floods nobody.
      only: 'bench',
    },
  },
  ofMessages('messages that are no JSON-RPC', () => '{"x":1}'),
  {
    name: 'requests of a target to its clients without an end',
    row: 15,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    amount: { full: 100, short: 1 },
    seconds: 15,
    start: askClients,
  },
];

let sent = 0;

/** The first session that lists at a target is a client's: the gateway lists itself after a list that was slow. */
function listSlowlyForClients(victim: Victim, count: number): Promise<StopAttack> {
  const first = new Map<string | undefined, unknown>();
  return startHostileTarget(victim, count, {
    sessions: true,
    answer(message, response) {
      const { host, 'mcp-session-id': session } = response.req.headers;
      const key = `${host} ${message.method}`;
      if (!first.has(key)) first.set(key, session);
      const delay = first.get(key) === session ? 2_000 : 0;
      setTimeout(() => sendResult(response, message, emptyList), delay);
    },
  });
}

function dripInto(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 1_000);
  response.on('close', () => clearInterval(timer));
}

/** Sessions of a caller who may use something at each of the targets, whose handshakes are as large as they may be. */
async function declareCapabilities(victim: Victim, size: number): Promise<StopAttack> {
  const listChanged = JSON.parse(`[${'{},'.repeat(size)}{}]`);
  const closeTarget = await startHostileTarget(victim, 32, {
    answer: (message, response) => sendResult(response, message, emptyList),
    capabilities: { tools: { listChanged, ...Object.fromEntries(listChanged.slice(0, size / 10).entries()) } },
  });
  const stop = await callInNewSessions(victim, 4);
  return async () => {
    await stop();
    return closeTarget();
  };
}

/** Targets without handshake whose tools have as many pages and headers of parameters as a list has room for. */
async function referToPages(victim: Victim, count: number): Promise<StopAttack> {
  const tools = Array.from({ length: count }, (_, index) => {
    const properties = Object.fromEntries(
      Array.from({ length: 12 }, (__, header) => [
        `p${header}`,
        { type: 'string', 'x-mcp-header': `h${index}-${header}-${'h'.repeat(470)}` },
      ]),
    );
    const _meta = { ui: { resourceUri: `ui://${index}/${'u'.repeat(1_900)}` } };
    return { name: `tool-${index}`, inputSchema: { type: 'object', properties }, _meta };
  });
  return startHostileTarget(victim, 32, {
    stateless: true,
    answer: (message, response) =>
      sendResult(response, message, message.method === 'tools/list' ? { tools, resultType: 'complete' } : emptyList),
  });
}

/** Rules of one policy: as many as the CRD allows. */
const rulesPerPolicy = 256;
/** Tools of one target: as many as a list holds. */
const toolsPerTarget = 10_000;

/** Adds rules for others, and two targets whose tools each have to be decided on. */
async function multiply(victim: Victim, rules: number): Promise<StopAttack> {
  const policies = Array.from({ length: Math.ceil(rules / rulesPerPolicy) }, (_, policy) => {
    const own = Array.from({ length: rulesPerPolicy }, (__, index) => {
      const name = `default/hostile-1:tool-${policy * rulesPerPolicy + index}`;
      return `{ matches: [${isSubject(`other-${index}`)}], resource: { kind: tool, name: "${name}" } }`;
    });
    return policyWith(`default/others-${policy}`, '[{ name: gw }]', `[${own}]`);
  });
  writeManifest(victim.folder, 'rules.yaml', policies.join('---\n'));
  const count = Math.min(toolsPerTarget, rules);
  const tools = Array.from({ length: count }, (_, index) => ({
    name: `tool-${index}`,
    inputSchema: { type: 'object' },
  }));
  const closeTarget = await startHostileTarget(victim, 2, {
    answer: (message, response) =>
      sendResult(response, message, message.method === 'tools/list' ? { tools } : emptyList),
  });
  return () => {
    removeManifest(victim.folder, 'rules.yaml');
    return closeTarget();
  };
}

/** A client of the attackers that can do everything calls a tool, and the target asks it for more and more meanwhile. */
async function askClients(victim: Victim, perTurn: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const text = 'x'.repeat(1_000);
  const methods = ['sampling/createMessage', 'elicitation/create', 'roots/list'];
  const closeTarget = await startHostileTarget(victim, 1, {
    answer(message, response) {
      if (message.method !== 'tools/call') return sendResult(response, message, emptyList);
      streamMessages(response, perTurn, () => {
        sent += 1;
        const method = methods[sent % methods.length];
        const params = { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 1, message: text };
        return JSON.stringify({ jsonrpc: '2.0', id: sent, method, params });
      });
    },
  });
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const capabilities = { sampling: {}, elicitation: {}, roots: {} };
  const session = await openSession({ port, token, from, capabilities });
  const leaving = new AbortController();
  const params = { name: 'default/hostile-1:large', arguments: {} };
  const headers = mcpHeaders(token, session);
  void send({ port, path: '/mcp', headers, from, timeout: 120_000, leave: leaving.signal }).catch(() => undefined);
  const call = repeat(4, (index) => {
    const message = JSON.stringify({ jsonrpc: '2.0', id: index, method: 'tools/call', params });
    return send({ port, method: 'POST', path: '/mcp', headers, body: message, from, leave: leaving.signal });
  });
  return async () => {
    await call();
    leaving.abort();
    return closeTarget();
  };
}

/** Sends messages on the stream of the target's own messages, as fast as they are read. */
function ofMessages(name: string, message: () => string): Attack {
  return {
    name,
    row: 15,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'target does not answer'),
    amount: { full: 100, short: 1 },
    seconds: 15,
    start: (victim, perTurn) =>
      startHostileTarget(victim, 1, {
        answer: (request, response) => sendResult(response, request, emptyList),
        stream: (response) => streamMessages(response, perTurn, message),
      }),
  };
}
