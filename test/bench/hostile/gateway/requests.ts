import { connect, type Socket } from 'node:net';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import {
  attackerAddresses,
  mcpHeaders,
  openSession,
  send,
  sendMcp,
  statelessRequest,
} from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Each request gets as far as the decision on what it asks for. */
const denied: Trace = {
  metric: 'gatehouse_gateway_decisions_total',
  labels: { outcome: 'denied' },
  line: undefined,
};

/**
 * Not different from honest calls of a target. In the tests, an attack just before may have made the gateway suspend the
 * target, which then gets no calls for some seconds.
 */
const smallChunks: Trace = {
  metric: 'gatehouse_gateway_connections_lost_total',
  labels: { reason: 'chunks' },
  line: 'the bodies of requests in chunks of a few bytes',
};

const malformed: Trace = {
  metric: 'gatehouse_gateway_requests_malformed_total',
  line: 'requests are refused because they are not as HTTP/1.1 has them',
};

const answered: Trace = { ...targetAsked('default/hostile-1'), only: 'bench' };

/** Requests of callers with a token that are odd in their form. */
export const requestAttacks: readonly Attack[] = [
  {
    name: 'tokens with as many claims as a header holds',
    row: 1,
    program: 'gateway',
    amount: { full: 1_000, short: 20 },
    trace: denied,
    async start({ gateway: port, issuerKey }, count) {
      const claims = Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, []]));
      const depth = count * 5;
      const deep: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
      const claimsOf = (jti: number) => ({ jti: String(jti), ...(jti % 2 === 0 ? claims : { deep }) });
      // More than the gateway remembers, made as they are needed: all at once they would take longer than the attack.
      const tokens: Promise<string>[] = [];
      let sent = 0;
      return repeat(8, async () => {
        const index = sent % 2_000;
        sent += 1;
        tokens[index] ??= signToken(issuerKey, claimsOf(index));
        return callInVain(port, await tokens[index]);
      });
    },
  },
  {
    name: 'header fields by the thousand',
    row: 1,
    program: 'gateway',
    amount: { full: 1_000, short: 1_000 },
    trace: malformed,
    async start({ gateway: port, issuerKey }, count) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const fields = Object.fromEntries(Array.from({ length: count }, (_, index) => [`mcp-param-${index}`, '']));
      return repeat(8, () => callInVain(port, token, fields));
    },
  },
  ofBodies('chunked bodies of single bytes', smallChunks, (body) => chunksOf(body, '')),
  ofBodies(
    'chunks with long extensions',
    smallChunks,
    // Node takes 16 KiB of extensions in all, and refuses the others: more than is read at once would only keep the
    // machine busy with writing it.
    (body) => chunksOf(body, `;${'x'.repeat(7)}`),
    (body) => chunksOf(body.slice(0, 30), `;${'x'.repeat(4_000)}`),
  ),
  ofBodies(
    'bodies with trailers by the thousand',
    malformed,
    (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n${'x: y\r\n'.repeat(2_000)}\r\n`,
  ),
  {
    name: 'requests that wait for leave to send their bodies',
    row: 2,
    program: 'gateway',
    amount: { full: 3_000, short: 20 },
    // A caller may have half of 4,096 requests.
    trace: {
      metric: 'gatehouse_gateway_requests_refused_total',
      labels: { reason: 'caller' },
      line: 'requests are refused: too many are being answered at once',
      only: 'bench',
    },
    async start({ gateway: port, issuerKey }, count): Promise<StopAttack> {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const fields = { ...mcpHeaders(token, undefined), expect: '100-continue', 'content-length': '1000000' };
      const head = headOf(port, fields);
      const sockets: Socket[] = [];
      for (let index = 0; index < count; index += 1) sockets.push(open(port, head));
      return () => {
        for (const socket of sockets) socket.destroy();
        return 0;
      };
    },
  },
  {
    name: 'streams that are resumed without an end',
    row: 7,
    program: 'gateway',
    amount: { full: 16, short: 1 },
    seconds: 15,
    trace: answered,
    start: resume,
  },
  {
    name: 'tasks without an end',
    row: 7,
    program: 'gateway',
    amount: { full: 16, short: 1 },
    seconds: 15,
    trace: answered,
    start: createTasks,
  },
  {
    name: 'calls whose parameters are large',
    row: 2,
    program: 'gateway',
    amount: { full: 900_000, short: 20_000 },
    trace: answered,
    async start(victim, size): Promise<StopAttack> {
      const { gateway: port, issuerKey } = victim;
      const stop = await startTarget(victim);
      const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
      const session = await openSession({ port, token, from });
      const _meta = { progressToken: 'p'.repeat(1_000), x: 'x'.repeat(size) };
      const params = { name: 'default/hostile-1:large', arguments: {}, _meta };
      let id = 0;
      const stopCalls = repeat(8, () => {
        id += 1;
        return sendMcp({ port, token, session, from, message: { jsonrpc: '2.0', id, method: 'tools/call', params } });
      });
      return async () => {
        await stopCalls();
        return stop();
      };
    },
  },
];

/** Calls a tool that the caller may not use. */
function callInVain(port: number, token: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const { headers, body } = statelessRequest(token, 'tools/call', callOfNobody);
  // What is needed comes first: the gateway ignores fields beyond a number.
  const all = { host: `127.0.0.1:${port}`, ...headers, ...more };
  return send({ port, method: 'POST', path: '/mcp', headers: all, body, from });
}

const callOfNobody = { name: 'default/honest:echo', arguments: {} } as const;

function headOf(port: number, headers: Readonly<Record<string, string>>): string {
  const fields = { host: `127.0.0.1:${port}`, ...headers };
  return `POST /mcp HTTP/1.1\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}

function open(port: number, text: string): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(text));
  return socket.on('error', () => {}).resume();
}

/** Chunks of a byte, and the end of them. */
function chunksOf(body: string, extension: string): string {
  return `${[...body].map((byte) => `1${extension}\r\n${byte}\r\n`).join('')}0\r\n\r\n`;
}

/** Sends a body of 2,000 characters again and again. @param encodings each writes it in chunks, with their end */
function ofBodies(name: string, trace: Trace, ...encodings: readonly ((body: string) => string)[]): Attack {
  return {
    name,
    row: 2,
    program: 'gateway',
    amount: { full: 32, short: 2 },
    trace,
    async start({ gateway: port, issuerKey }, atOnce) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const { headers, body } = statelessRequest(token, 'tools/call', callOfNobody);
      const head = headOf(port, { ...headers, 'transfer-encoding': 'chunked', connection: 'close' });
      const texts = encodings.map((encode) => `${head}${encode(body.padEnd(2_000))}`);
      let sent = 0;
      return repeat(atOnce, async () => {
        sent += 1;
        const socket = open(port, texts[sent % texts.length] ?? head);
        await new Promise((resolve) => socket.once('close', resolve));
      });
    },
  };
}

async function startTarget(victim: Victim): Promise<() => number> {
  return startHostileTarget(victim, 1, {
    answer(message, response) {
      if (message.method !== 'tools/call') return sendResult(response, message, emptyList);
      const isTask = message.params?.['task'] !== undefined;
      const now = new Date().toISOString();
      created += 1;
      const task = { taskId: `task-${created}`, status: 'working', createdAt: now, lastUpdatedAt: now, ttl: null };
      const result = isTask ? { task } : { content: [{ type: 'text', text: 'x'.repeat(100_000) }] };
      return sendResult(response, message, result);
    },
    capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
  });
}

let created = 0;

/** Calls a tool, and continues the stream of its response from the beginning again and again. */
async function resume(victim: Victim, atOnce: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const stop = await startTarget(victim);
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const events: (readonly [string | undefined, string])[] = await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const session = await openSession({ port, token, from });
      const params = { name: 'default/hostile-1:large' };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const { text } = await sendMcp({ port, token, session, from, message });
      return [session, /^id: (\S+)/m.exec(text)?.[1] ?? ''] as const;
    }),
  );
  const stopCalls = repeat(atOnce, (index) => {
    const [session, event = ''] = events[index] ?? [];
    const headers = { ...mcpHeaders(token, session), 'last-event-id': event };
    return send({ port, path: '/mcp', headers, from });
  });
  return async () => {
    await stopCalls();
    return stop();
  };
}

async function createTasks(victim: Victim, atOnce: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const stop = await startTarget(victim);
  let sent = 0;
  const stopCalls = repeat(atOnce, async (index) => {
    const token = await signToken(issuerKey, { sub: `guest-${index}`, role: 'reader' });
    const session = await openSession({ port, token, from });
    for (let call = 0; call < 300; call += 1) {
      sent += 1;
      const params = { name: 'default/hostile-1:large', task: { ttl: 3_600_000 } };
      await sendMcp({
        port,
        token,
        session,
        from,
        message: { jsonrpc: '2.0', id: sent, method: 'tools/call', params },
      });
    }
    await sendMcp({ port, token, session, from, message: { jsonrpc: '2.0', id: 'list', method: 'tasks/list' } });
  });
  return async () => {
    await stopCalls();
    return stop();
  };
}
