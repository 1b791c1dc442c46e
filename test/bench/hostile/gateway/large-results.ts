import type { ServerResponse } from 'node:http';
import { emptyList, sendResult, type TargetMessage, targetAsked } from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import {
  attackerAddresses,
  mcpHeaders,
  openSession,
  sendMcp,
  sendUnread,
  statelessRequest,
} from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;
const mebibyte = 2 ** 20;

const trace = targetAsked('default/hostile-1');

/** Large results that their callers read, and large lists of many targets. The amount is that of bytes. */
export const largeResultAttacks: readonly Attack[] = [
  results('results of 31 MB for many callers', 'text'),
  results('results of 31 MB with a URI to rename for many callers', 'blob'),
  {
    name: 'lists of 7 MB of sixteen targets',
    row: 3,
    program: 'gateway',
    amount: { full: 7 * mebibyte, short: 30_000 },
    seconds: 20,
    trace,
    async start(victim, size): Promise<StopAttack> {
      const entry = `{"name":"${'n'.repeat(50)}","description":"${'d'.repeat(950)}"}`;
      const tools = `[${Array.from({ length: size / entry.length }, () => entry).join(',')}]`;
      return startHostileTarget(victim, 16, {
        answer(message, response) {
          if (message.method !== 'tools/list') return sendResult(response, message, emptyList);
          response.writeHead(200, { 'content-type': 'application/json' });
          response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"tools":${tools}}}`);
        },
      });
    },
  },
  {
    name: 'lists of empty objects for many callers',
    row: 3,
    program: 'gateway',
    amount: { full: 96, short: 2 },
    seconds: 20,
    trace,
    start: (victim, callersAtOnce) => listAtOnce(victim, callersAtOnce, `[${'{},'.repeat(emptyObjects)}{}]`),
  },
  {
    name: 'lists of long texts for many callers',
    row: 3,
    program: 'gateway',
    amount: { full: 96, short: 2 },
    seconds: 20,
    trace,
    start: (victim, callersAtOnce) => listAtOnce(victim, callersAtOnce, `"${'x'.repeat(longText)}"`),
  },
];

/** Empty objects of one target's list: as many as are not too large for one list of all, and too few to be large. */
const emptyObjects = 7_000;

/** Characters of one target's list: no message of more than 64 KiB, with which others would take turns. */
const longText = 56_000;

/** Callers who may use everything, so that each gets lists of its own from every target, all at once. */
async function listAtOnce(victim: Victim, callersAtOnce: number, content: string): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const tools = JSON.parse(`[{"name":"a","x":${content}}]`);
  const closeTarget = await startHostileTarget(victim, 32, {
    answer: (message, response) => sendResult(response, message, { ...emptyList, tools }),
  });
  const sessions = await Promise.all(
    Array.from({ length: callersAtOnce }, async (_, index) => {
      const token = await signToken(issuerKey, { sub: `guest-${index}`, role: 'all' });
      return { token, session: await openSession({ port, token, from }) };
    }),
  );
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const stop = repeat(callersAtOnce, async (index) => {
    const own = sessions[index];
    if (own !== undefined) await sendMcp({ port, ...own, from, message, timeout: 60_000 });
  });
  return async () => {
    await stop();
    return closeTarget();
  };
}

/** Callers with a subject of their own: half of them in sessions, half without. */
const callers = 16;

function results(name: string, member: 'text' | 'blob'): Attack {
  return {
    name,
    row: 3,
    program: 'gateway',
    amount: { full: 31_000_000, short: 100_000 },
    seconds: 20,
    trace,
    async start(victim, size) {
      // One buffer for all answers: the attackers must not run out of memory themselves.
      const text = Buffer.alloc(size, 'x');
      const closeTarget = await startHostileTarget(victim, 1, {
        answer: (message, response) => answerWith(text, member, message, response),
      });
      const clients = await Promise.all(Array.from({ length: callers }, (_, index) => callerOf(victim, index)));
      const stop = repeat(callers, (index) => clients[index]?.() ?? Promise.resolve());
      return async () => {
        await stop();
        return closeTarget();
      };
    },
  };
}

const block = {
  text: '{"type":"text","text":"',
  blob: '{"type":"resource","resource":{"uri":"file:///a","blob":"',
} as const;

function answerWith(text: Buffer, member: 'text' | 'blob', message: TargetMessage, response: ServerResponse): void {
  if (message.method !== 'tools/call') {
    sendResult(response, message, emptyList);
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":{"content":[${block[member]}`);
  response.write(text);
  response.end(member === 'text' ? '"}]}}' : '"}}]}}');
}

/** Returns what calls the tool, reads the response and forgets it. */
async function callerOf({ gateway: port, issuerKey }: Victim, index: number): Promise<() => Promise<void>> {
  const token = await signToken(issuerKey, { sub: `guest-${index}`, role: 'reader' });
  const params = { name: 'default/hostile-1:large', arguments: {} };
  if (index % 2 === 1) {
    const { headers, body } = statelessRequest(token, 'tools/call', params);
    return () => read(port, headers, body);
  }
  const session = await openSession({ port, token, from });
  let id = 0;
  return () => {
    id += 1;
    return read(port, mcpHeaders(token, session), JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
  };
}

async function read(port: number, headers: Readonly<Record<string, string>>, body: string): Promise<void> {
  const socket = sendUnread(port, { ...headers, connection: 'close' }, body, from);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume();
  await closed;
}
