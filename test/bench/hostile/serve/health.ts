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
    name: 'half a preface at the xDS listener',
    row: 8,
    program: 'serve',
    trace: { metric: 'gatehouse_xds_connections_refused_total', line: 'connections are refused' },
    amount: { full: 12_000, short: 50 },
    seconds: 15,
    start: ({ xds }, count) => floodHalfOpen(xds, count, 'PRI * HTTP/2.0\r\n'),
  },
];
