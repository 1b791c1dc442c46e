import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import { attackerAddresses, mcpHeaders, openSession, send, sendMcp, sendUnread } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat, runAll } from '../programs/repeat.ts';

const [from] = attackerAddresses;
const mebibyte = 2 ** 20;

/** Sessions and streams of callers with a valid token. */
export const sessionAttacks: readonly Attack[] = [
  {
    name: 'event streams that nobody reads',
    row: 7,
    program: 'gateway',
    trace: targetAsked('default/hostile-1', 'answers of targets are given up'),
    amount: { full: 1_000, short: 40 },
    seconds: 20,
    start: neverRead,
  },
  {
    name: 'sessions without a permission at three targets',
    row: 7,
    program: 'gateway',
    trace: { metric: 'gatehouse_gateway_sessions', line: undefined },
    amount: { full: 600, short: 6 },
    seconds: 20,
    start: listWithoutPermission,
  },
  {
    name: 'handshakes without an end',
    row: 7,
    program: 'gateway',
    trace: { metric: 'gatehouse_gateway_sessions', line: undefined },
    amount: { full: 16, short: 1 },
    async start({ gateway: port, issuerKey }, atOnce) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      return repeat(atOnce, () => openSession({ port, token, from }));
    },
  },
  {
    name: 'event streams that are opened and left',
    row: 7,
    program: 'gateway',
    trace: { metric: 'gatehouse_gateway_sessions', line: undefined },
    amount: { full: 1_500, short: 6 },
    start: openStreams,
  },
  {
    name: 'sessions that have many answers to resume after',
    row: 7,
    program: 'gateway',
    trace: { metric: 'gatehouse_gateway_sessions', line: undefined },
    amount: { full: 1_000, short: 6 },
    seconds: 60,
    start: askOften,
  },
];

/** As many answers as a session keeps. */
const keptAnswers = 64;

/** Opens sessions that ask for what needs no target until each keeps as many answers as it may. */
async function askOften({ gateway: port, issuerKey }: Victim, count: number): Promise<StopAttack> {
  const token = await signToken(issuerKey, { sub: 'nobody' });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const leaving = new AbortController();
  const asking = runAll(count, 8, async () => {
    const session = await openSession({ port, token, from, agent });
    for (let id = 1; id <= keptAnswers && !leaving.signal.aborted; id += 1) {
      await sendMcp({ port, token, session, from, agent, message: { jsonrpc: '2.0', id, method: 'ping' } });
    }
  });
  return async () => {
    leaving.abort();
    await asking;
    agent.destroy();
    return 0;
  };
}

/** Calls a tool whose answers are large, at a target of the attackers, and reads none of them. */
async function neverRead(victim: Victim, streams: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  // One buffer for all answers: the attackers must not run out of memory themselves.
  const text = Buffer.alloc(7 * mebibyte, 'x');
  const closeTarget = await startHostileTarget(victim, 1, {
    answer(message, response) {
      if (message.method !== 'tools/call') return sendResult(response, message, emptyList);
      const id = JSON.stringify(message.id);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`);
      response.write(text);
      response.end('"}]}}');
    },
  });
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const sockets: Socket[] = [];
  const perSession = 50;
  const opening = runAll(Math.ceil(streams / perSession), 5, async () => {
    const session = await openSession({ port, token, from });
    for (let id = 0; id < Math.min(streams, perSession); id += 1) {
      const params = { name: 'default/hostile-1:large', arguments: {} };
      const message = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
      sockets.push(sendUnread(port, mcpHeaders(token, session), message, from));
    }
  });
  return async () => {
    await opening;
    for (const socket of sockets) socket.destroy();
    return closeTarget();
  };
}

/** Opens sessions that list the tools of three targets, of which they may use none. */
async function listWithoutPermission(victim: Victim, count: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const closeTarget = await startHostileTarget(victim, 3, {
    answer: (message, response) => sendResult(response, message, emptyList),
    // Kept open: a connection for each session and target.
    stream: (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders(),
  });
  const token = await signToken(issuerKey, { sub: 'nobody' });
  const listing = runAll(count, 20, async () => {
    const session = await openSession({ port, token, from });
    await sendMcp({ port, token, session, from, message: { jsonrpc: '2.0', id: 1, method: 'tools/list' } });
  });
  return async () => {
    await listing;
    return closeTarget();
  };
}

/** Opens sessions, each with the stream of its own messages, and HTTP+SSE sessions, which begin with theirs. */
async function openStreams({ gateway: port, issuerKey }: Victim, count: number): Promise<StopAttack> {
  const token = await signToken(issuerKey, { sub: 'nobody' });
  const leaving = new AbortController();
  const open = (path: string, session?: string): void => {
    const headers = mcpHeaders(token, session);
    void send({ port, path, headers, from, timeout: 120_000, leave: leaving.signal }).catch(() => undefined);
  };
  void runAll(count, 20, async () => open('/mcp', await openSession({ port, token, from })));
  void runAll(count, 20, async () => {
    open('/sse');
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  return () => {
    leaving.abort();
    return 0;
  };
}
