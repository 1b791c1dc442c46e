import { openAndLeave } from '../gateway/pages.ts';
import { attackerAddresses, send } from '../programs/http-client.ts';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

const manyRequests: Trace = {
  metric: 'gatehouse_http_requests_total',
  labels: { listener: 'debug' },
  line: 'many requests arrive at a listener for a few',
};

/** The listener of people, for those who reach it. */
export const operatorAttacks: readonly Attack[] = [
  {
    name: 'pages that follow the status',
    row: 7,
    program: 'serve',
    trace: manyRequests,
    amount: { full: 1_000, short: 50 },
    start: follow,
  },
  {
    name: 'explanations without an end',
    row: 2,
    program: 'serve',
    trace: manyRequests,
    amount: { full: 60_000, short: 1_000 },
    start: (victim, size) => {
      const claims = {
        sub: 'a'.repeat(1_000),
        groups: Array.from({ length: size / 20 }, (_, index) => `group-${index}`),
      };
      const kinds = ['tool', 'prompt', 'resource'];
      return repeat(16, (index) => {
        const request = { kind: kinds[index % 3], name: `default/${'honset'.repeat(index % 5)}:eco` };
        return explain(victim, JSON.stringify({ gateway: 'default/gw', request, claims }));
      });
    },
  },
  {
    name: 'explanations of bodies that are no question',
    row: 2,
    program: 'serve',
    trace: manyRequests,
    amount: { full: 4_190_000, short: 50_000 },
    start: (victim, size) => {
      const body = `{"claims":[${'{},'.repeat(size / 3)}{}]}`;
      return repeat(14, () => explain(victim, body));
    },
  },
  {
    name: 'snapshots of a large world without an end',
    row: 15,
    program: 'serve',
    trace: manyRequests,
    amount: { full: 16, short: 8 },
    seconds: 15,
    world: { services: 5_000 },
    start: askForSnapshots,
  },
  {
    name: 'connections to the health listener that are opened and left',
    row: 8,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_delayed_total',
      labels: { listener: 'metrics' },
      line: 'new connections wait',
    },
    amount: { full: 250, short: 50 },
    seconds: 15,
    start: ({ metrics }, perTurn) => openAndLeave(metrics, perTurn),
  },
  {
    name: 'connections to the health listener from many addresses',
    row: 8,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_delayed_total',
      labels: { listener: 'metrics' },
      line: 'new connections wait',
    },
    amount: { full: 72, short: 48 },
    seconds: 15,
    start: ({ metrics }, perTurn) => openAndLeave(metrics, perTurn, 'GET / HTTP/1.1\r\n', manyAddresses),
  },
];

const manyAddresses = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);

function explain({ debug: port }: Victim, body: string): ReturnType<typeof send> {
  const headers = { 'content-type': 'application/json' };
  return send({ port, method: 'POST', path: '/debug/explain', headers, body, from });
}

/** Asks for everything that there is, this often at once. */
function askForSnapshots({ debug: port }: Victim, atOnce: number): StopAttack {
  const paths = ['/snapshots/xds', '/snapshots/graph', '/debug/graph', '/debug/problems', '/debug/status'];
  return repeat(atOnce, (index) => {
    const path = paths[(index + Math.floor(Math.random() * paths.length)) % paths.length] ?? '/';
    return send({ port, path, from, timeout: 60_000 });
  });
}

/** Opens event streams of the status page, and leaves them all at the end. */
function follow({ debug: port }: Victim, count: number): StopAttack {
  const leaving = new AbortController();
  const stop = repeat(count, () =>
    send({ port, path: '/debug/events', from, timeout: 120_000, leave: leaving.signal }),
  );
  return () => {
    leaving.abort();
    return stop();
  };
}
