import { type ClientHttp2Session, connect } from 'node:http2';
import { AggregatedDiscoveryServiceService as ads } from '../../../../src/gen/envoy/service/discovery/v3/ads.ts';
import { DeltaDiscoveryRequest } from '../../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { ClientStatusDiscoveryServiceService as csds } from '../../../../src/gen/envoy/service/status/v3/csds.ts';
import { mcpKgateway } from '../../../../src/wire/mcp-kgateway.ts';
import { grpcFrame } from '../../../support/nodes/raw-stream.ts';
import { openAndLeave } from '../gateway/pages.ts';
import { floodHalfOpen } from '../programs/half-open.ts';
import { attackerAddresses, send } from '../programs/http-client.ts';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';
import { frameOf, openingFrames, preface, writeWithoutEnd } from './raw-http2.ts';

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
    name: 'client status that nobody reads',
    row: 7,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_lost_total',
      labels: { listener: 'admin', reason: 'flooded' },
      line: 'connections are closed because of their many calls',
    },
    amount: { full: 100, short: 4 },
    world: { services: 1_000 },
    start: askForClientStatus,
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
  {
    name: 'calls of operators that are reset at once',
    row: 9,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_lost_total',
      labels: { listener: 'admin', reason: 'flooded' },
      line: 'connections are closed because of their many calls',
    },
    amount: { full: 300, short: 300 },
    seconds: 15,
    start: ({ admin }, perWrite) => resetCalls(admin, perWrite),
  },
  {
    name: 'connections of operators that say nothing',
    row: 8,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_delayed_total',
      labels: { listener: 'admin' },
      line: 'new connections wait',
      only: 'bench',
    },
    amount: { full: 3_000, short: 60 },
    seconds: 15,
    start: ({ admin }, count) => floodHalfOpen(admin, count, ''),
  },
];

/** Three connections at a time, each of which is opened anew when it is closed. */
function resetCalls(port: number, perWrite: number): StopAttack {
  const { path } = csds.streamClientStatus;
  const calls = (id: number): Buffer => Buffer.concat([openingFrames(id, path), frameOf('reset', id, cancel)]);
  return writeWithoutEnd(port, {
    connections: 3,
    backlog: 2 ** 20,
    interval: 1,
    opening: Buffer.concat([preface, openingFrames(1, path)]),
    begin: () => {
      let sent = 1;
      return () => {
        const first = sent;
        sent += perWrite;
        return Buffer.concat(Array.from({ length: perWrite }, (_, index) => calls(2 * (first + index) + 1)));
      };
    },
  });
}

/** CANCEL (RFC 9113, section 7). */
const cancel = Buffer.from([0, 0, 0, 8]);

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

/** Calls of one connection: as many as there may be at once. */
const callsAtOnce = 100;

/** Connects a node, and asks for its status on each of so many connections, of which none takes an answer. */
async function askForClientStatus({ admin, xds }: Victim, connections: number): Promise<StopAttack> {
  const node = connect(`http://127.0.0.1:${xds}`).on('error', () => {});
  const stream = node.request(post(ads.deltaAggregatedResources.path));
  const asked = { node: { id: 'node', metadata: { role: 'default~gw' } }, typeUrl: mcpKgateway.targetType.typeUrl };
  stream
    .on('error', () => {})
    .resume()
    .write(grpcFrame(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(asked)).finish()));
  const sessions = new Set<ClientHttp2Session>();
  const timer = setInterval(() => {
    if (sessions.size >= connections) return;
    const session = connect(`http://127.0.0.1:${admin}`, { settings: { initialWindowSize: 1 } });
    sessions.add(session);
    session.on('error', () => {}).on('close', () => sessions.delete(session));
    for (let call = 0; call < callsAtOnce; call += 1) {
      session
        .request(post(csds.streamClientStatus.path))
        .on('error', () => {})
        .write(grpcFrame(Buffer.alloc(0)));
    }
  }, 20);
  return () => {
    clearInterval(timer);
    for (const session of [...sessions, node]) session.destroy();
    return 0;
  };
}

function post(path: string): Readonly<Record<string, string>> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
}
