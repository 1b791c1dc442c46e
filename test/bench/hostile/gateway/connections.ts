import { floodHalfOpen } from '../programs/half-open.ts';
import type { Attack, StopAttack } from '../programs/model.ts';

/** Connections of strangers, without a token. */
export const connectionAttacks: readonly Attack[] = [
  ofConnections(
    'connections with half a request header',
    12_000,
    50,
    'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ',
  ),
  ofConnections('connections that say nothing', 12_000, 50, ''),
  ofConnections('connections that stay after a response', 12_000, 50, 'GET /none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
  ofConnections(
    'ten thousand pipelined requests',
    20,
    1,
    'GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n'.repeat(10_000),
  ),
];

function ofConnections(name: string, full: number, short: number, words: string): Attack {
  return {
    name,
    row: 8,
    program: 'gateway',
    amount: { full, short },
    seconds: 15,
    start: ({ gateway }, count): StopAttack => floodHalfOpen(gateway, count, words),
  };
}
