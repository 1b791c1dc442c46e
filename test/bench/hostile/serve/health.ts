import { floodHalfOpen } from '../programs/half-open.ts';
import { attackerAddresses, send } from '../programs/http-client.ts';
import { floodKept, manyAddresses } from '../programs/kept-connections.ts';
import type { Attack, Trace } from '../programs/model.ts';
import { repeat } from '../programs/repeat.ts';

const [from] = attackerAddresses;

const keptRequests: Trace = {
  metric: 'gatehouse_http_connections_delayed_total',
  labels: { listener: 'metrics' },
  line: 'requests on connections that are kept open wait',
};

const emptyRequest = 'POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';

/** With a body that is kept until it is the request's turn. */
const largeRequest = `POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(60_000)}`;

/** The listener of health and metrics, which the kubelet asks. */
export const healthAttacks: readonly Attack[] = [
  {
    name: 'half a request header at the health listener',
    row: 8,
    program: 'serve',
    trace: { metric: 'gatehouse_http_connections_lost_total', labels: { listener: 'metrics' }, line: undefined },
    amount: { full: 12_000, short: 50 },
    seconds: 15,
    start: ({ metrics }, count) => floodHalfOpen(metrics, count, 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: '),
  },
  {
    name: 'scrapes without an end',
    row: 8,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_requests_total',
      labels: { listener: 'metrics' },
      line: 'many requests arrive at a listener for a few',
    },
    amount: { full: 16, short: 8 },
    start: ({ metrics: port }, atOnce) => repeat(atOnce, () => send({ port, path: '/metrics', from, timeout: 60_000 })),
  },
  {
    name: 'requests on kept connections to the health listener',
    row: 8,
    program: 'serve',
    trace: keptRequests,
    amount: { full: 740, short: 20 },
    start: ({ metrics }, count) => floodKept(metrics, count, [from]),
  },
  {
    name: 'requests on kept connections of many addresses to the health listener',
    row: 8,
    program: 'serve',
    trace: keptRequests,
    amount: { full: 960, short: 48 },
    start: ({ metrics }, count) => floodKept(metrics, count, manyAddresses),
  },
  {
    name: 'large requests behind others to the health listener',
    row: 8,
    program: 'serve',
    trace: {
      metric: 'gatehouse_http_connections_lost_total',
      labels: { listener: 'metrics', reason: 'pipelined' },
      line: 'connections are closed because they send requests without waiting',
      only: 'bench',
    },
    amount: { full: 740, short: 40 },
    start: ({ metrics }, count) => floodHalfOpen(metrics, count, `${emptyRequest}${largeRequest.repeat(8)}`),
  },
  {
    name: 'half a preface at the xDS listener',
    row: 8,
    program: 'serve',
    trace: { metric: 'gatehouse_xds_connections_refused_total', line: 'connections are refused' },
    amount: { full: 12_000, short: 50 },
    seconds: 15,
    start: ({ xds }, count) => floodHalfOpen(xds, count, 'PRI * HTTP/2.0\r\n'),
  },
];
