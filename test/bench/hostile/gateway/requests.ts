import { connect, type Socket } from 'node:net';
import { emptyList, sendResult, startBareTarget } from '../programs/bare-target.ts';
import { attackerAddresses, handshake, mcpHeaders, openSession, send, sendMcp } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import { addHostileServices } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Requests of callers with a token that are odd in their form. */
export const requestAttacks: readonly Attack[] = [
  {
    name: 'tokens with as many claims as a header holds',
    row: 1,
    program: 'gateway',
    amount: { full: 1_000, short: 20 },
    async start({ gateway: port, issuerKey }, count) {
      const claims = Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, []]));
      const depth = count * 5;
      const deep: unknown = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
      const tokens = await Promise.all(
        Array.from({ length: 2_000 }, (_, jti) =>
          signToken(issuerKey, { jti: String(jti), ...(jti % 2 === 0 ? claims : { deep }) }),
        ),
      );
      let sent = 0;
      return repeat(8, () => {
        sent += 1;
        return sendMcp({ port, token: tokens[sent % tokens.length] ?? '', from, message: handshake });
      });
    },
  },
  {
    name: 'header fields by the thousand',
    row: 1,
    program: 'gateway',
    amount: { full: 1_500, short: 20 },
    async start({ gateway: port, issuerKey }, count) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const fields = Object.fromEntries(Array.from({ length: count }, (_, index) => [`mcp-param-${index}`, '']));
      return repeat(8, () => sendMcp({ port, token, from, message: handshake, headers: fields }));
    },
  },
  ofBodies('chunked bodies of single bytes', (body) => [...body].map((byte) => `1\r\n${byte}\r\n`).join('')),
  ofBodies('chunks with long extensions', (body) =>
    [...body].map((byte) => `1;${'x'.repeat(4_000)}\r\n${byte}\r\n`).join(''),
  ),
  ofBodies(
    'bodies with trailers by the thousand',
    (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n${'x: y\r\n'.repeat(2_000)}`,
  ),
  {
    name: 'requests that wait for leave to send their bodies',
    row: 2,
    program: 'gateway',
    amount: { full: 2_000, short: 20 },
    async start({ gateway: port, issuerKey }, count): Promise<StopAttack> {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const head = headOf(port, token, { expect: '100-continue', 'content-length': '1000000' });
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
    start: resume,
  },
  {
    name: 'tasks without an end',
    row: 7,
    program: 'gateway',
    amount: { full: 16, short: 1 },
    seconds: 15,
    start: createTasks,
  },
  {
    name: 'calls whose parameters are large',
    row: 2,
    program: 'gateway',
    amount: { full: 900_000, short: 20_000 },
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

function headOf(port: number, token: string, more: Readonly<Record<string, string>>): string {
  const fields = { ...mcpHeaders(token, undefined), host: `127.0.0.1:${port}`, ...more };
  return `POST /mcp HTTP/1.1\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}

function open(port: number, text: string): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from }, () => socket.write(text));
  return socket.on('error', () => {}).resume();
}

/** Sends a body of 2,000 characters again and again. @param encode writes it in chunks, but for the last one */
function ofBodies(name: string, encode: (body: string) => string): Attack {
  return {
    name,
    row: 2,
    program: 'gateway',
    amount: { full: 32, short: 2 },
    async start({ gateway: port, issuerKey }, atOnce) {
      const token = await signToken(issuerKey, { sub: 'nobody' });
      const text = `${headOf(port, token, { 'transfer-encoding': 'chunked', connection: 'close' })}${encode(JSON.stringify(handshake).padEnd(2_000))}0\r\n\r\n`;
      return repeat(atOnce, async () => {
        const socket = open(port, text);
        await new Promise((resolve) => socket.once('close', resolve));
      });
    },
  };
}

async function startTarget(victim: Victim): Promise<() => number> {
  const target = await startBareTarget({
    port: victim.target,
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
  const remove = await addHostileServices(victim, 1);
  return () => {
    remove();
    target.close();
    return 0;
  };
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
