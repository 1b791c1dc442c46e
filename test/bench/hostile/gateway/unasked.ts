import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { callInNewSessions, startHostileTarget, streamMessages } from '../programs/hostile-target.ts';
import { attackerAddresses, mcpHeaders, openSession, send, sendMcp } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import { addHostileServices } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/**
 * What is asked of the targets of the attackers is all that is seen of what costs nothing. In the tests, an attack just
 * before may have made the gateway suspend the target, which then gets no calls for some seconds.
 */
const asked: Trace = { ...targetAsked('default/hostile-1'), only: 'bench' };

/** What nobody waits for, from callers who may use a target of the attackers and from that target. */
export const unaskedAttacks: readonly Attack[] = [
  ofCaller('notifications to a target that accepts none', 'notifications/roots/list_changed', () => ({
    jsonrpc: '2.0',
    method: 'notifications/roots/list_changed',
  })),
  ofCaller('log levels to a target that does not answer', 'logging/setLevel', (id) => {
    const level = id % 2 === 0 ? 'debug' : 'error';
    return { jsonrpc: '2.0', id, method: 'logging/setLevel', params: { level } };
  }),
  ofCaller('calls that are cancelled at a target that accepts nothing', 'notifications/cancelled', (id) => {
    const isCancellation = id % 2 === 1;
    return isCancellation
      ? { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id - 1 } }
      : { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'default/hostile-1:large' } };
  }),
  ofCaller('answers that nobody asked for', 'none', (id) => ({ jsonrpc: '2.0', id, result: { x: 'x'.repeat(1_000) } })),
  {
    name: 'progress of a call without an end',
    row: 15,
    program: 'gateway',
    amount: { full: 100, short: 1 },
    seconds: 15,
    trace: asked,
    start: reportProgress,
  },
  {
    name: 'instructions of 30 MB',
    row: 7,
    program: 'gateway',
    amount: { full: 30_000_000, short: 100_000 },
    seconds: 25,
    trace: asked,
    async start(victim, size): Promise<StopAttack> {
      const closeTarget = await startHostileTarget(victim, 32, {
        instructions: 'x'.repeat(size),
        answer: (message, response) => sendResult(response, message, emptyList),
      });
      const stop = await callInNewSessions(victim, 2);
      return async () => {
        await stop();
        return closeTarget();
      };
    },
  },
  {
    name: 'long errors of thirty-two targets',
    row: 3,
    program: 'gateway',
    amount: { full: 32, short: 4 },
    seconds: 25,
    trace: { ...asked, line: 'target does not answer' },
    async start(victim, targets): Promise<StopAttack> {
      let answers = 0;
      return startHostileTarget(victim, targets, {
        answer(message, response) {
          answers += 1;
          const error = { code: -1, message: `${answers} ${'x'.repeat(longError)}` };
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, error }));
        },
      });
    },
  },
  ofBytes('informational responses without an end', 'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n', ''),
  ofBytes(
    'a chunk extension without an end',
    'x=y;',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5;',
  ),
  ofBytes(
    'trailers without an end',
    'x: y\r\n',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n0\r\n',
  ),
  ofBytes(
    'trailers without values without an end',
    'a:\r\n',
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n0\r\n',
  ),
  ofBytes(
    'chunks of one byte without an end',
    '1\r\n \r\n',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  ),
  ofBytes(
    'events of one byte without an end',
    '1\r\n:\r\n1\r\n\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
  ),
];

/** Characters of an error: a little less than a list may have. */
const longError = 7_500_000;

/** @param held the method that the target does not answer */
function ofCaller(name: string, held: string, message: (id: number) => object): Attack {
  return {
    name,
    row: 7,
    program: 'gateway',
    amount: { full: 16, short: 1 },
    seconds: 15,
    trace: asked,
    async start(victim, atOnce): Promise<StopAttack> {
      const { gateway: port, issuerKey } = victim;
      const closeTarget = await startHostileTarget(victim, 1, {
        answer(received, response) {
          if (received.method === held) return;
          sendResult(response, received, received.method === 'tools/call' ? { content: [] } : emptyList);
        },
        held,
      });
      const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
      const capabilities = { roots: { listChanged: true } };
      const sessions = await Promise.all(
        Array.from({ length: atOnce }, () => openSession({ port, token, from, capabilities })),
      );
      const call = { jsonrpc: '2.0', id: 'first', method: 'tools/call', params: { name: 'default/hostile-1:large' } };
      for (const session of sessions) await sendMcp({ port, token, session, from, message: call });
      const ids = sessions.map(() => 0);
      const stop = repeat(atOnce, (index) => {
        const id = ids[index] ?? 0;
        ids[index] = id + 1;
        return sendMcp({ port, token, session: sessions[index], from, message: message(id) });
      });
      return async () => {
        await stop();
        return closeTarget();
      };
    },
  };
}

/** A target that reports the progress of each call, which its caller reads. */
async function reportProgress(victim: Victim, perTurn: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const closeTarget = await startHostileTarget(victim, 1, {
    answer(message, response) {
      if (message.method !== 'tools/call') return sendResult(response, message, emptyList);
      const meta: unknown = message.params?.['_meta'];
      const { progressToken } = Object(meta);
      let progress = 0;
      streamMessages(response, perTurn, () => {
        progress += 1;
        const params = { progressToken, progress, message: 'x'.repeat(200) };
        return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params });
      });
    },
  });
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const leaving = new AbortController();
  const stop = repeat(16, async (index) => {
    const session = await openSession({ port, token, from });
    const params = { name: 'default/hostile-1:large', _meta: { progressToken: index } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: index, method: 'tools/call', params });
    const headers = mcpHeaders(token, session);
    await send({ port, method: 'POST', path: '/mcp', headers, body, from, leave: leaving.signal, timeout: 120_000 });
  });
  return async () => {
    leaving.abort();
    await stop();
    return closeTarget();
  };
}

/** A target that answers each request by these bytes, again and again. @param head comes first */
function ofBytes(name: string, unit: string, head: string): Attack {
  return {
    name,
    row: 3,
    program: 'gateway',
    amount: { full: 65_536, short: 1_024 },
    seconds: 20,
    trace: { ...asked, line: 'target does not answer' },
    async start(victim, size): Promise<StopAttack> {
      const block = unit.repeat(Math.ceil(size / unit.length));
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => sockets.delete(socket));
        const write = (): void => {
          while (!socket.destroyed && socket.write(block)) {}
        };
        socket.on('drain', write);
        socket.once('data', () => {
          if (head !== '') socket.write(head);
          write();
        });
      });
      await new Promise<void>((resolve) => server.listen(victim.target, '127.0.0.1', resolve));
      const remove = await addHostileServices(victim, 4);
      return () => {
        remove();
        server.close();
        for (const socket of sockets) socket.destroy();
        return 0;
      };
    },
  };
}
