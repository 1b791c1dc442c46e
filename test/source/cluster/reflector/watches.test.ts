import { describe, expect, it } from 'vitest';
import { line } from '../../../support/api-server/api-server.ts';
import type { HistoryEvent } from '../../../support/api-server/store.ts';
import { type ClusterRig, mcpService, requestsFor, startCluster, waits } from '../cluster-rig.ts';

/** A cluster with one Service, `default/tool` at port 80, that is watched. */
async function watched(): Promise<ClusterRig> {
  const cluster = await startCluster((server) => server.put('Service', mcpService('tool')));
  await cluster.settled();
  return cluster;
}

function failures(cluster: ClusterRig, reason: string): number {
  return cluster.counters.total('gatehouse_source_watch_failures_total', { kind: 'Service', reason });
}

describe('a watch', () => {
  it('requests bookmarks, and a timeout of five to ten minutes', async () => {
    const cluster = await watched();
    expect(Object.fromEntries(cluster.server.watches('Service')[0]?.query ?? [])).toEqual({
      watch: 'true',
      resourceVersion: '101',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
    });
    for (const [chance, seconds] of [
      [0, '300'],
      [0.999_999, '600'],
    ] as const) {
      const other = await startCluster(undefined, { random: () => chance });
      await other.settled();
      expect(other.server.watches('Service')[0]?.query.get('timeoutSeconds')).toBe(seconds);
    }
  });

  it('delivers created, changed and deleted objects', async () => {
    const cluster = await watched();
    cluster.server.put('Service', mcpService('new'));
    await cluster.until(() => cluster.port('default/new') === 80);
    cluster.clock.advance(10);
    cluster.server.put('Service', mcpService('new', 81));
    await cluster.until(() => cluster.port('default/new') === 81);
    cluster.clock.advance(10);
    cluster.server.remove('Service', 'default/new');
    await cluster.until(() => !cluster.resources.has('Service default/new'));
    expect(cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' })).toBe(3);
    expect(cluster.counters.level('gatehouse_source_last_event_seconds')).toBe(cluster.clock.now() / 1000);
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(1);
  });
});

describe('the end of a watch', () => {
  it('in good order is followed by another at once, from the last version or bookmark', async () => {
    const cluster = await watched();
    cluster.clock.advance(5000);
    cluster.server.bookmark('Service');
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 1);
    cluster.server.watches('Service')[0]?.end();
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) === 2);
    expect(cluster.server.requests.findLast(requestsFor('Service', 'watch'))?.query.get('resourceVersion')).toBe('102');
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(1);
    expect(cluster.counters.total('gatehouse_source_watch_failures_total')).toBe(0);
  });

  it('before its time relists custom resources, whose CRD may have changed', async () => {
    const spec = { targetRefs: [{ name: 'gw' }], rules: [{ matches: [], resource: { kind: 'tool', name: '*' } }] };
    let stored: HistoryEvent | undefined;
    const cluster = await startCluster((server) => {
      stored = server.store.put('MCPAuthPolicy', { name: 'p', spec });
    });
    await cluster.settled();
    const key = 'MCPAuthPolicy default/p';
    expect(cluster.resources.get(key)).toMatchObject({ rules: { ok: true } });
    const batches = cluster.all.length;
    // A field that an older CRD pruned is there again, under an unchanged version.
    Object.assign(stored?.object ?? {}, { spec: { ...spec, rules: { deny: 'all' } } });
    cluster.server.watches('MCPAuthPolicy')[0]?.end();
    await cluster.until(() => cluster.all.length > batches);
    expect(cluster.resources.has(key)).toBe(false);
    expect(cluster.all.at(-1)?.observations ?? []).toEqual([]);
  });

  it('at once, every time, makes no hot loop', async () => {
    const cluster = await startCluster((server) =>
      server.injectFault(requestsFor('Service', 'watch'), { does: 'say', text: '', next: 'end' }),
    );
    for (const delay of waits.slice(0, 4)) await cluster.pass(delay);
    await cluster.eventually(() => cluster.clock.waiting().includes(9600));
    expect(cluster.server.requestCount(requestsFor('Service', 'watch'))).toBe(6);
  });

  it('by a connection reset is followed by another after a backoff, and misses nothing', async () => {
    const cluster = await watched();
    cluster.server.watches('Service')[0]?.reset();
    await cluster.server.until(() => cluster.server.watches('Service').length === 0);
    cluster.server.put('Service', mcpService('tool', 81));
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 81);
    expect(failures(cluster, 'broken')).toBe(1);
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(1);
  });

  it('within a line is followed by another from the last complete one', async () => {
    const cluster = await watched();
    cluster.server.put('Service', mcpService('new'));
    await cluster.until(() => cluster.port('default/new') === 80);
    cluster.server.watches('Service')[0]?.send('{"type":"ADDED","obj');
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) === 2);
    expect(failures(cluster, 'broken')).toBe(1);
    expect(cluster.server.requests.findLast(requestsFor('Service', 'watch'))?.query.get('resourceVersion')).toBe('102');
  });
});

describe('a server that does not answer', () => {
  it('is given up after 150 s without a byte, with all connections', async () => {
    const cluster = await watched();
    cluster.clock.advance(149_000);
    for (const watch of cluster.server.watches('Service')) watch.send(line({ type: 'BOOKMARK', object: bookmark }));
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 1);
    cluster.clock.advance(1000);
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_watch_failures_total') === 5);
    expect(failures(cluster, 'silent')).toBe(0);
    expect(cluster.connection.calls.reconnected).toBeGreaterThanOrEqual(5);
    cluster.clock.advance(149_000);
    await cluster.eventually(() => failures(cluster, 'silent') === 1);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
  });

  it('is retried for ever and reported once, and nothing is lost in the end', async () => {
    const cluster = await watched();
    cluster.server.injectFault(requestsFor('Service'), { does: 'reset' });
    cluster.server.watches('Service')[0]?.reset();
    for (const delay of waits.slice(0, 6)) await cluster.pass(delay);
    cluster.server.store.put('Service', mcpService('tool', 81));
    const lost = cluster.log.lines.filter(({ message }) => message.startsWith('lost: '));
    expect(lost.map(({ level, message }) => [level, message.includes('(Service: ')])).toEqual([['warn', true]]);
    expect(cluster.problems()).toEqual([expect.stringContaining('/api/v1/services')]);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
    await cluster.eventually(() => cluster.clock.waiting().includes(22_500));
    cluster.server.clearFaults();
    await cluster.pass(22_500);
    await cluster.until(() => cluster.port('default/tool') === 81);
    await cluster.pass(5000);
    await cluster.log.line('tells of changes of every kind again');
    expect(cluster.problems()).toEqual([]);
  });
});

const bookmark = { kind: 'Service', apiVersion: 'v1', metadata: { resourceVersion: '101' } };
const status = (code: number): string =>
  line({ type: 'ERROR', object: { kind: 'Status', code, message: 'on purpose' } });

describe('an ERROR event', () => {
  it('of 410 relists at once; if it recurs, after a backoff', async () => {
    const cluster = await watched();
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'answer', status: 410 });
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.send(status(410));
    await cluster.eventually(() => cluster.clock.waiting().includes(600));
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(3);
    await cluster.pass(600);
    await cluster.eventually(() => cluster.clock.waiting().includes(1200));
    expect(cluster.server.requestCount(requestsFor('Service', 'list'))).toBe(4);
    expect(cluster.problems()).toEqual([]);
  });

  it.each([500, 429, 504, 0])('of %d ends the watch', async (code) => {
    const cluster = await watched();
    cluster.server.watches('Service')[0]?.send(status(code));
    await cluster.pass(600);
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) === 2);
    expect(cluster.counters.total('gatehouse_source_watch_failures_total', { kind: 'Service' })).toBe(1);
  });

  it('is retried after its retryAfterSeconds', async () => {
    const cluster = await watched();
    const details = { retryAfterSeconds: 17 };
    cluster.server.watches('Service')[0]?.send(line({ type: 'ERROR', object: { code: 429, details } }));
    await cluster.pass(17_000);
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) === 2);
  });
});

describe('a line that is no event', () => {
  it.each([
    ['no JSON', 'abracadabra\n'],
    ['an unknown type', '{"type":"RENAMED","object":{}}\n'],
    ['an object without metadata', '{"type":"MODIFIED","object":{"kind":"Service"}}\n'],
    ['no object', '{"type":"DELETED"}\n'],
    ['a bookmark without a resource version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
    ['a bookmark of any state', '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"0"}}}\n'],
    ['null', 'null\n'],
    ['an endless line', 'x'.repeat(16 * 1024 * 1024 + 1)],
  ])('ends the watch, and a relist recovers its object: %s', async (_what, text) => {
    const cluster = await watched();
    cluster.server.store.put('Service', mcpService('tool', 81), 'quietly');
    cluster.server.watches('Service')[0]?.send(text);
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 81);
    expect(failures(cluster, 'unintelligible')).toBe(1);
  });

  it('may be sent by a proxy with status 200', async () => {
    const cluster = await watched();
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'html', status: 200 }, 1);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.server.watchOpened('Service');
    expect(failures(cluster, 'unintelligible')).toBe(1);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
  });

  it('does not hold back the events before it', async () => {
    const cluster = await watched();
    const { object } = cluster.server.store.put('Service', mcpService('new'));
    cluster.server.watches('Service')[0]?.send(`${line({ type: 'ADDED', object })}abracadabra\n`);
    await cluster.until(() => cluster.port('default/new') === 80);
  });
});

describe('a response to a watch', () => {
  it('of 401 reads credentials anew, and is retried at once', async () => {
    const cluster = await watched();
    cluster.clock.advance(5000);
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'answer', status: 401 }, 1);
    cluster.server.watches('Service')[0]?.end();
    await cluster.server.until(() => cluster.server.requestCount(requestsFor('Service', 'watch')) === 3);
    expect(cluster.connection.calls.forgotten).toBe(1);
    expect(failures(cluster, 'unauthorized')).toBe(1);
  });

  it.each([429, 503])('of %d is retried after its Retry-After', async (code) => {
    const cluster = await watched();
    const headers = { 'retry-after': '23' };
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'answer', status: code, headers }, 1);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(23_000);
    await cluster.server.watchOpened('Service');
  });

  it('of 500 keeps the objects, and is retried from the same version', async () => {
    const cluster = await watched();
    cluster.server.injectFault(requestsFor('Service', 'watch'), { does: 'answer', status: 500 }, 2);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.pass(1200);
    await cluster.server.watchOpened('Service');
    expect(cluster.server.watches('Service')[0]?.query.get('resourceVersion')).toBe('101');
    expect(cluster.all).toHaveLength(1);
  });
});

describe('a refusal of a watch', () => {
  it('of 401 again and again is reported, and stays so when the server breaks other requests', async () => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.injectFault(requestsFor('Service'), { does: 'reset' }, 1);
      server.injectFault(requestsFor('Service'), { does: 'answer', status: 401 }, 3);
      server.injectFault(requestsFor('Service'), { does: 'reset' }, 1);
    });
    await cluster.log.line('lost: ');
    await cluster.pass(600);
    await cluster.eventually(() => cluster.problems().some((one) => one.includes('Renew the token')));
    await cluster.pass(1200);
    await cluster.pass(2400);
    expect(cluster.problems()[0]).toContain('Renew the token');
    await cluster.pass(4800);
    await cluster.settled();
    cluster.clock.advance(5000);
    await cluster.eventually(() => cluster.problems().length === 0);
  });

  it('of 403 is reported, keeps the objects, and lists go on', async () => {
    const cluster = await watched();
    cluster.server.injectFault(requestsFor('Service', 'watch'), {
      does: 'answer',
      status: 403,
      message: 'may not watch',
    });
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.log.line('forbidden: grant list and watch on services in all namespaces.');
    expect(cluster.problems()[0]).toContain('may not watch');
    cluster.server.store.put('Service', mcpService('tool', 81));
    await cluster.pass(30_000);
    await cluster.until(() => cluster.port('default/tool') === 81);
    await cluster.pass(30_000);
    expect(cluster.log.lines.filter(({ message }) => message.includes('forbidden'))).toHaveLength(1);
  });
});

describe('events', () => {
  it('that are repeated are one change', async () => {
    const cluster = await watched();
    const { object } = cluster.server.store.put('Service', mcpService('new'));
    const gone = line({
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: '105' } },
    });
    const [watch] = cluster.server.watches('Service');
    watch?.send(line({ type: 'ADDED', object }).repeat(2));
    await cluster.until(() => cluster.port('default/new') === 80);
    cluster.clock.advance(10);
    watch?.send(gone.repeat(3));
    await cluster.until(() => !cluster.resources.has('Service default/new'));
    expect(cluster.all.slice(1).map(({ changes }) => changes.length)).toEqual([1, 1]);
  });

  it('of a deletion do not delete a new object of the same name', async () => {
    const cluster = await watched();
    const { object } = cluster.server.store.put('Service', mcpService('tool', 81));
    const [watch] = cluster.server.watches('Service');
    const other = { ...object, metadata: { ...object.metadata, uid: 'uid-0' } };
    watch?.send(line({ type: 'DELETED', object: other }) + line({ type: 'MODIFIED', object }));
    await cluster.until(() => cluster.port('default/tool') === 81);
    expect(cluster.all.flatMap(({ changes }) => changes).every(({ resource }) => resource !== undefined)).toBe(true);
  });

  it('may have characters that are split over two chunks', async () => {
    const cluster = await watched();
    const annotations = { 'kgateway.dev/mcp-path': '/größe' };
    const { object } = cluster.server.store.put('Service', { ...mcpService('new'), annotations });
    const bytes = Buffer.from(line({ type: 'ADDED', object }));
    const at = bytes.indexOf('ö') + 1;
    const [watch] = cluster.server.watches('Service');
    watch?.send(bytes.subarray(0, at));
    await cluster.server.until(() => true);
    watch?.send(bytes.subarray(at));
    await cluster.until(() => cluster.resources.has('Service default/new'));
    expect(cluster.resources.get('Service default/new')).toMatchObject({ path: { ok: true, value: '/größe' } });
  });
});
