import { floodHalfOpen } from '../programs/half-open.ts';
import { attackerAddresses } from '../programs/http-client.ts';
import { floodKept } from '../programs/kept-connections.ts';
import type { Attack, StopAttack } from '../programs/model.ts';

/** Connections of strangers, without a token. */
export const connectionAttacks: readonly Attack[] = [
  ofConnections('connections with half a request header', {
    amount: { full: 12_000, short: 150 },
    words: 'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ',
    trace: { metric: 'gatehouse_gateway_connections_lost_total', line: 'connections are closed' },
  }),
  ofConnections('connections that say nothing', {
    amount: { full: 12_000, short: 150 },
    words: '',
    trace: { metric: 'gatehouse_gateway_connections_lost_total', line: 'connections are closed' },
  }),
  ofConnections('connections that stay after a response', {
    amount: { full: 12_000, short: 150 },
    words: 'GET /none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    trace: {
      metric: 'gatehouse_gateway_requests_refused_total',
      labels: { reason: 'path' },
      line: 'many requests are refused before their caller is known',
    },
  }),
  ofConnections('ten thousand pipelined requests', {
    amount: { full: 20, short: 1 },
    words: 'GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n'.repeat(10_000),
    trace: {
      metric: 'gatehouse_gateway_connections_lost_total',
      labels: { reason: 'pipelined' },
      line: 'connections are closed because they send requests without waiting',
    },
  }),
  {
    name: 'requests on kept connections to the admin page',
    row: 8,
    program: 'gateway',
    trace: {
      metric: 'gatehouse_gateway_connections_delayed_total',
      labels: { listener: 'admin' },
      line: 'requests on connections that are kept open wait',
    },
    amount: { full: 740, short: 20 },
    start: ({ admin }, count) => floodKept(admin, count, [attackerAddresses[0]]),
  },
];

interface Flood extends Pick<Attack, 'amount' | 'trace'> {
  readonly words: string;
}

function ofConnections(name: string, { words, ...flood }: Flood): Attack {
  return {
    ...flood,
    name,
    row: 8,
    program: 'gateway',
    seconds: 15,
    start: ({ gateway }, count): StopAttack => floodHalfOpen(gateway, count, words),
  };
}
