import type { Socket } from 'node:net';
import { key } from '../../../support/nodes/stateless-client.ts';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import { attackerAddresses, send, sendUnread, statelessRequest } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat, runAll } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** What MCP 2026-07-28 has and earlier revisions have not. */
export const statelessAttacks: readonly Attack[] = [
  {
    name: 'stateless calls of ever new callers and capabilities',
    row: 7,
    program: 'gateway',
    trace: targetAsked('default/hostile-1'),
    amount: { full: 16, short: 2 },
    seconds: 20,
    start: callAnew,
  },
  {
    name: 'subscriptions to a thousand resources each',
    row: 7,
    program: 'gateway',
    trace: targetAsked('default/hostile-1'),
    amount: { full: 1_000, short: 6 },
    seconds: 20,
    start: listen,
  },
  {
    name: 'calls that wait for input of their clients',
    row: 7,
    program: 'gateway',
    trace: targetAsked('default/hostile-1'),
    amount: { full: 3_000, short: 20 },
    seconds: 20,
    start: waitForInput,
  },
];

/** Each with other capabilities, for which the gateway has a session at the target. */
async function callAnew(victim: Victim, atOnce: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const closeTarget = await startHostileTarget(victim, 1, {
    answer: (message, response) => sendResult(response, message, { content: [] }),
    // Kept open: a connection for each session.
    stream: (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  });
  let sent = 0;
  const stop = repeat(atOnce, async () => {
    sent += 1;
    const token = await signToken(issuerKey, { sub: `guest-${sent % 3_000}`, role: 'reader' });
    const meta = { [key('clientCapabilities')]: { [`x-${sent}`]: {}, ...(sent % 2 === 0 && { sampling: {} }) } };
    const { headers, body } = statelessRequest(token, 'tools/call', { name: 'default/hostile-1:large' }, meta);
    await send({ port, method: 'POST', path: '/mcp', headers, body, from });
  });
  return async () => {
    await stop();
    return closeTarget();
  };
}

async function listen(victim: Victim, count: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const closeTarget = await startHostileTarget(victim, 3, {
    answer: (message, response) =>
      sendResult(response, message, message.method === 'resources/subscribe' ? {} : emptyList),
    stream: (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  });
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const uris = Array.from({ length: 1_000 }, (_, index) => (index === 0 ? 'file:///a' : `file:///${index}`));
  const notifications = { toolsListChanged: true, resourcesListChanged: true, resourceSubscriptions: uris };
  const sockets: Socket[] = [];
  let stopped = false;
  const opening = runAll(count, 20, async () => {
    if (stopped) return;
    const { headers, body } = statelessRequest(token, 'subscriptions/listen', { notifications });
    const socket = sendUnread(port, headers, body, from).resume();
    sockets.push(socket);
    await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
  });
  return async () => {
    stopped = true;
    for (const socket of sockets) socket.destroy();
    await opening;
    for (const socket of sockets) socket.destroy();
    return closeTarget();
  };
}

/** The target asks for as much input as it may, with large questions; the clients never answer, and call again. */
async function waitForInput(victim: Victim, count: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const messages = [{ role: 'user', content: { type: 'text', text: 'x'.repeat(10_000) } }];
  const ask = { method: 'sampling/createMessage', params: { messages, maxTokens: 1 } };
  const inputRequests = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`q${index}`, ask]));
  const closeTarget = await startHostileTarget(victim, 1, {
    stateless: true,
    answer(message, response) {
      const isCall = message.method === 'tools/call';
      const result = { resultType: 'input_required', inputRequests, requestState: 's'.repeat(1_000) };
      sendResult(response, message, isCall ? result : emptyList);
    },
  });
  const leaving = new AbortController();
  const calling = runAll(count, 20, async (index) => {
    if (leaving.signal.aborted) return;
    const token = await signToken(issuerKey, { sub: `guest-${index % 100}`, role: 'reader' });
    const meta = { [key('clientCapabilities')]: { sampling: {}, elicitation: {} } };
    const { headers, body } = statelessRequest(token, 'tools/call', { name: 'default/hostile-1:large' }, meta);
    await send({ port, method: 'POST', path: '/mcp', headers, body, from, leave: leaving.signal });
  });
  return async () => {
    leaving.abort();
    await calling;
    return closeTarget();
  };
}
