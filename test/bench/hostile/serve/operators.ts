import { openAndLeave } from '../gateway/pages.ts';
import { attackerAddresses, send } from '../programs/http-client.ts';
import { mcpTarget, removeManifest, writeManifest } from '../programs/manifest-folder.ts';
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
    amount: { full: 5_000, short: 50 },
    seconds: 15,
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
];

function explain({ debug: port }: Victim, body: string): ReturnType<typeof send> {
  const headers = { 'content-type': 'application/json' };
  return send({ port, method: 'POST', path: '/debug/explain', headers, body, from });
}

/** Asks for everything that there is, in a world of this many Services. */
function askForSnapshots({ debug: port, folder }: Victim, count: number): StopAttack {
  const services = Array.from({ length: count }, (_, index) => mcpTarget(`default/large-${index}`));
  // Few in a file: the parser of long ones is not what is attacked.
  const files = Array.from({ length: Math.ceil(count / 200) }, (_, index) => `large-${index}.yaml`);
  for (const [index, name] of files.entries()) {
    writeManifest(folder, name, services.slice(index * 200, (index + 1) * 200).join('---\n'));
  }
  const paths = ['/snapshots/xds', '/snapshots/graph', '/debug/graph', '/debug/problems', '/debug/status'];
  const stop = repeat(16, (index) => {
    const path = paths[(index + Math.floor(Math.random() * paths.length)) % paths.length] ?? '/';
    return send({ port, path, from, timeout: 60_000 });
  });
  return () => {
    for (const name of files) removeManifest(folder, name);
    return stop();
  };
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
