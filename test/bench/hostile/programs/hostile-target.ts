import type { ServerResponse } from 'node:http';
import { type BareTargetOptions, startBareTarget } from './bare-target.ts';
import { attackerAddresses, openSession, sendMcp } from './http-client.ts';
import { signToken } from './issuer.ts';
import { addHostileServices } from './manifest-folder.ts';
import type { StopAttack, Victim } from './model.ts';
import { repeat } from './repeat.ts';

const [from] = attackerAddresses;

/** Starts the target of the attackers behind this many Services of theirs. Returns what removes both. */
export async function startHostileTarget(
  victim: Victim,
  services: number,
  options: Omit<BareTargetOptions, 'port'>,
): Promise<() => 0> {
  const target = await startBareTarget({ ...options, port: victim.target });
  const remove = await addHostileServices(victim, services);
  return () => {
    remove();
    target.close();
    return 0;
  };
}

/** Bytes that the attackers keep unsent on a stream. */
const backlog = 2 ** 20;

/** Answers with an event stream, on which it sends messages as fast as they are read. */
export function streamMessages(response: ServerResponse, perTurn: number, message: () => string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const timer = setInterval(() => {
    if (response.writableLength > backlog) return;
    for (let index = 0; index < perTurn; index += 1) response.write(`data: ${message()}\n\n`);
  }, 1);
  response.on('close', () => clearInterval(timer));
}

/** Opens sessions without an end, each of which calls a tool at one of the Services of the attackers. */
export async function callInNewSessions({ gateway: port, issuerKey }: Victim, atOnce: number): Promise<StopAttack> {
  const token = await signToken(issuerKey, { sub: 'guest', role: 'reader' });
  return repeat(atOnce, async () => {
    const session = await openSession({ port, token, from });
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'default/hostile-1:large' } };
    await sendMcp({ port, token, session, from, message });
  });
}
