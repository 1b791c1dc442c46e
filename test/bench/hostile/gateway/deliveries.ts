import type { ServerResponse } from 'node:http';
import { request } from 'node:http';
import { emptyList, sendResult, targetAsked } from '../programs/bare-target.ts';
import { startHostileTarget } from '../programs/hostile-target.ts';
import { attackerAddresses, mcpHeaders, openSession, sendMcp } from '../programs/http-client.ts';
import { signToken } from '../programs/issuer.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { runAll } from '../programs/repeat.ts';

const [from] = attackerAddresses;
const resource = 'file:///a';
const exposed = `mcp://default/hostile-1/${encodeURIComponent(resource)}`;

/** A word of what only a caller with a permission may have. */
const secret = 'a secret of the target';

/** What reaches a caller who may not have it is counted. */
export const deliveryAttacks: readonly Attack[] = [
  ofExpiry('updates on the claims of an expired token', {
    asked: { method: 'resources/subscribe', params: { uri: exposed } },
    told: { method: 'notifications/resources/updated', params: { uri: resource, _meta: { secret } } },
  }),
  ofExpiry('log messages on the claims of an expired token', {
    asked: { method: 'logging/setLevel', params: { level: 'debug' } },
    told: { method: 'notifications/message', params: { level: 'info', data: secret } },
  }),
  ofExpiry('changed lists with parameters for callers who may use nothing', {
    asked: { method: 'tools/list', params: {} },
    told: { method: 'notifications/tools/list_changed', params: { _meta: { secret } } },
  }),
  {
    name: 'duplicate ids of another token',
    row: 5,
    program: 'gateway',
    amount: { full: 50, short: 2 },
    trace: targetAsked('default/hostile-1'),
    start: repeatIds,
  },
];

/** What a caller with a permission asks for, and what the target tells from then on. */
interface Delivery {
  readonly asked: { readonly method: string; readonly params: object };
  readonly told: { readonly method: string; readonly params: object };
}

function ofExpiry(name: string, delivery: Delivery): Attack {
  return {
    name,
    row: 4,
    program: 'gateway',
    amount: { full: 20, short: 1 },
    seconds: 12,
    trace: targetAsked('default/hostile-1'),
    start: (victim, sessions) => askAndExpire(victim, sessions, delivery),
  };
}

/** Seconds that the token of those who ask is valid. */
const validity = 3;

/**
 * Asks with a token that expires, and listens with one that allows nothing. Counts what arrives of the secret, until a
 * second after the expiry at least.
 */
async function askAndExpire(victim: Victim, sessions: number, { asked, told }: Delivery): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const streams = new Set<ServerResponse>();
  const closeTarget = await startHostileTarget(victim, 1, {
    answer: (message, response) =>
      sendResult(response, message, message.method?.endsWith('/list') === true ? emptyList : {}),
    stream(response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      streams.add(response);
    },
  });
  const expiresAt = Math.floor(Date.now() / 1_000) + validity;
  const reader = await signToken(issuerKey, { sub: 'guest', role: 'reader', exp: expiresAt });
  const guest = await signToken(issuerKey, { sub: 'guest' });
  let got = 0;
  const count = (text: string): void => {
    if (text.includes(secret)) got += 1;
  };
  const listeners: (() => void)[] = [];
  await runAll(sessions, 10, async () => {
    const session = await openSession({ port, token: guest, from });
    if (session === undefined) return;
    listeners.push(listen(port, guest, session, count));
    await sendMcp({ port, token: reader, session, from, message: { jsonrpc: '2.0', id: 1, ...asked } });
  });
  const message = `data: ${JSON.stringify({ jsonrpc: '2.0', ...told })}\n\n`;
  const timer = setInterval(() => {
    for (const stream of streams) stream.write(message);
  }, 50);
  return async () => {
    while (Date.now() < (expiresAt + 1) * 1_000) await new Promise((resolve) => setTimeout(resolve, 50));
    clearInterval(timer);
    for (const stop of listeners) stop();
    closeTarget();
    return got;
  };
}

/** Opens the stream of a session's own messages. */
function listen(port: number, token: string, session: string, received: (text: string) => void): () => void {
  const options = { host: '127.0.0.1', port, path: '/mcp', headers: mcpHeaders(token, session), localAddress: from };
  const outgoing = request({ ...options, agent: false }, (response) => {
    response.on('error', () => {});
    response.setEncoding('utf8').on('data', received);
  });
  outgoing.on('error', () => {});
  outgoing.end();
  return () => outgoing.destroy();
}

/**
 * Calls a slow tool with one token, and repeats the id of that request with a token that may use nothing: in a batch,
 * whose stream stays open for its other request, a list of a target that never answers. Counts the answers of the tool
 * that the second one gets.
 */
async function repeatIds(victim: Victim, times: number): Promise<StopAttack> {
  const { gateway: port, issuerKey } = victim;
  const closeTarget = await startHostileTarget(victim, 1, { answer: () => {} });
  const reader = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  const guest = await signToken(issuerKey, { sub: 'guest' });
  let got = 0;
  const done = runAll(times, 10, async (index) => {
    const session = await openSession({ port, token: reader, from, version: '2025-03-26' });
    const id = `id-${index}`;
    const params = { name: 'default/honest:wait', arguments: { ms: 500, text: 'secret' } };
    const call = { jsonrpc: '2.0', id, method: 'tools/call', params };
    const slow = sendMcp({ port, token: reader, session, from, message: call, timeout: 3_000 }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const list = (of: string): object => ({ jsonrpc: '2.0', id: of, method: 'tools/list' });
    const message = [list(id), list(`other-${id}`)];
    const reply = await sendMcp({ port, token: guest, session, from, message, timeout: 8_000 });
    if (reply.text.includes('secret')) got += 1;
    await slow;
  });
  return async () => {
    await done;
    closeTarget();
    return got;
  };
}
