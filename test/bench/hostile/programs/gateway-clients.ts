import { Agent } from 'node:http';
import { type HonestClients, type Probe, timed, untilServed } from './honest.ts';
import { handshake, messageIn, openSession, send, sendMcp } from './http-client.ts';
import type { Victim } from './model.ts';

/** Requests of one round that use an open session, before the list and the handshake. */
const callsPerRound = 6;

/**
 * Honest callers of the gateway: calls and a list in an open session, on a kept connection; and in each round one
 * handshake on a new connection.
 */
export async function gatewayClients({ gateway: port }: Victim, token: string): Promise<HonestClients> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let session: string | undefined;
  let sent = 0;

  const request = async (method: string, params: object): Promise<unknown> => {
    session ??= await openSession({ port, token, agent });
    if (session === undefined) throw new Error('no session');
    sent += 1;
    const message = { jsonrpc: '2.0', id: sent, method, params };
    const reply = await sendMcp({ port, token, agent, session, message });
    if (reply.status === 404) session = undefined;
    const { result, error } = messageIn(reply) ?? {};
    if (result === undefined) throw new Error(`${method}: ${reply.status} ${JSON.stringify(error)}`.slice(0, 200));
    return result;
  };
  const call = async (): Promise<string | undefined> => {
    const text = JSON.stringify(
      await request('tools/call', { name: 'default/honest:echo', arguments: { text: 'hi' } }),
    );
    return text.includes('"hi"') ? undefined : `a wrong answer: ${text.slice(0, 100)}`;
  };
  const list = async (): Promise<string | undefined> => {
    const text = JSON.stringify(await request('tools/list', {}));
    return text.includes('"default/honest:echo"') ? undefined : 'a list without the honest tool';
  };
  const greet = async (): Promise<string | undefined> => {
    const { status, session: opened } = await sendMcp({ port, token, message: handshake });
    if (opened !== undefined) await closeSession(port, token, opened);
    return status === 200 ? undefined : `initialize: status ${status}`;
  };

  const clients: HonestClients = {
    async probe() {
      const probes: Probe[] = [];
      for (let index = 0; index < callsPerRound; index += 1) probes.push(await timed(call, 'call'));
      return [...probes, await timed(list, 'list'), await timed(greet, 'handshake')];
    },
    async close() {
      agent.destroy();
    },
  };
  await untilServed(clients);
  return clients;
}

/** Ends a session, so that what is left over is not the honest clients'. */
async function closeSession(port: number, token: string, session: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'mcp-session-id': session };
  await send({ port, method: 'DELETE', path: '/mcp', headers });
}
