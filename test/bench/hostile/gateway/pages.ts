import { connect } from 'node:net';
import { attackerAddresses, send } from '../programs/http-client.ts';
import type { Attack, StopAttack } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

/** Requests of strangers, each on a connection of its own. */
export const pageAttacks: readonly Attack[] = [
  {
    name: 'metadata for clients without an end',
    row: 8,
    program: 'gateway',
    trace: {
      metric: 'gatehouse_gateway_requests_refused_total',
      labels: { reason: 'path' },
      line: 'many requests are refused before their caller is known',
    },
    amount: { full: 16, short: 8 },
    start: ({ gateway: port }, atOnce) =>
      repeat(atOnce, (index) => {
        const path = `/.well-known/oauth-protected-resource${index % 2 === 0 ? '' : `/${'x'.repeat(8_000)}`}`;
        return send({ port, path, from });
      }),
  },
  {
    name: 'preflights without an end',
    row: 8,
    program: 'gateway',
    trace: {
      metric: 'gatehouse_gateway_requests_open_total',
      labels: { kind: 'preflight' },
      line: 'many requests are answered that need no token',
      only: 'bench',
    },
    amount: { full: 16, short: 1 },
    start: ({ gateway: port }, atOnce) =>
      repeat(atOnce, () => {
        const headers = { origin: 'http://localhost', 'access-control-request-headers': 'x'.repeat(8_000) };
        return send({ port, method: 'OPTIONS', path: '/mcp', headers, from });
      }),
  },
  {
    name: 'scrapes and probes of the gateway without an end',
    row: 8,
    program: 'gateway',
    trace: {
      metric: 'gatehouse_gateway_connections_delayed_total',
      labels: { listener: 'admin' },
      line: 'new connections wait',
      only: 'bench',
    },
    amount: { full: 16, short: 1 },
    start: ({ admin: port }, atOnce) =>
      repeat(atOnce, (index) => {
        const path = ['/metrics', '/readyz', '/targets', '/healthz'][index % 4] ?? '/';
        return send({ port, path, from, timeout: 60_000 });
      }),
  },
  {
    name: 'connections that are opened and left without an end',
    row: 8,
    program: 'gateway',
    trace: {
      metric: 'gatehouse_gateway_connections_delayed_total',
      labels: { listener: 'mcp' },
      line: 'new connections wait',
      only: 'bench',
    },
    amount: { full: 250, short: 5 },
    seconds: 15,
    start: ({ gateway }, perTurn) => openAndLeave(gateway, perTurn),
  },
];

/** Milliseconds between two turns, in each of which as many connections begin. */
const turn = 25;

/** Opens connections, sends the beginning of a request, and resets them. @param addresses that take turns */
export function openAndLeave(
  port: number,
  perTurn: number,
  words = 'GET / HTTP/1.1\r\n',
  addresses: readonly string[] = [from],
): StopAttack {
  const timer = setInterval(() => {
    for (let index = 0; index < perTurn; index += 1) {
      const localAddress = addresses[index % addresses.length] ?? from;
      const socket = connect({ host: '127.0.0.1', port, localAddress }, () => {
        socket.write(words, () => socket.resetAndDestroy());
      });
      socket.on('error', () => {});
    }
  }, turn);
  return () => {
    clearInterval(timer);
    return 0;
  };
}
