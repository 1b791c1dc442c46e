import { describe, expect, it } from 'vitest';
import { line } from '../../../support/api-server/api-server.ts';
import type { HistoryEvent } from '../../../support/api-server/store.ts';
import { asksFor, type ClusterRig, mcpService, startCluster, waits } from '../cluster-rig.ts';

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
  it('asks for bookmarks, and for an end of its own after five to ten minutes', async () => {
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

  it('delivers what is created, changed and deleted', async () => {
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
    expect(cluster.server.asked(asksFor('Service', 'list'))).toBe(1);
  });
});

describe('the end of a watch', () => {
  it('that is clean goes on at once from the last version, a bookmark included', async () => {
    const cluster = await watched();
    cluster.clock.advance(5000);
    cluster.server.bookmark('Service');
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 1);
    cluster.server.watches('Service')[0]?.end();
    await cluster.server.until(() => cluster.server.asked(asksFor('Service', 'watch')) === 2);
    expect(cluster.server.requests.findLast(asksFor('Service', 'watch'))?.query.get('resourceVersion')).toBe('102');
    expect(cluster.server.asked(asksFor('Service', 'list'))).toBe(1);
    expect(cluster.counters.total('gatehouse_source_watch_failures_total')).toBe(0);
  });

  it('that comes before its time makes the objects of a CRD be read anew, which may be another one', async () => {
    const spec = { targetRefs: [{ name: 'gw' }], rules: [{ matches: [], resource: { kind: 'tool', name: '*' } }] };
    let stored: HistoryEvent | undefined;
    const cluster = await startCluster((server) => {
      stored = server.store.put('MCPAuthPolicy', { name: 'p', spec });
    });
    await cluster.settled();
    const key = 'MCPAuthPolicy default/p';
    expect(cluster.resources.get(key)).toMatchObject({ rules: { ok: true } });
    const batches = cluster.all.length;
    // What an older CRD dropped on the way is there again, under the version that it always had.
    Object.assign(stored?.object ?? {}, { spec: { ...spec, rules: { deny: 'all' } } });
    cluster.server.watches('MCPAuthPolicy')[0]?.end();
    await cluster.until(() => cluster.all.length > batches);
    expect(cluster.resources.has(key)).toBe(false);
    expect(cluster.all.at(-1)?.observations ?? []).toEqual([]);
  });

  it('that comes at once every time makes no hot loop', async () => {
    const cluster = await startCluster((server) =>
      server.fail(asksFor('Service', 'watch'), { does: 'say', text: '', next: 'end' }),
    );
    for (const delay of waits.slice(0, 4)) await cluster.pass(delay);
    await cluster.eventually(() => cluster.clock.waiting().includes(9600));
    expect(cluster.server.asked(asksFor('Service', 'watch'))).toBe(6);
  });

  it('by a reset of the socket is followed by another after a moment, and misses nothing', async () => {
    const cluster = await watched();
    cluster.server.watches('Service')[0]?.reset();
    await cluster.server.until(() => cluster.server.watches('Service').length === 0);
    cluster.server.put('Service', mcpService('tool', 81));
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 81);
    expect(failures(cluster, 'broken')).toBe(1);
    expect(cluster.server.asked(asksFor('Service', 'list'))).toBe(1);
  });

  it('within a line is followed by another from the last whole one', async () => {
    const cluster = await watched();
    cluster.server.put('Service', mcpService('new'));
    await cluster.until(() => cluster.port('default/new') === 80);
    cluster.server.watches('Service')[0]?.send('{"type":"ADDED","obj');
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.server.until(() => cluster.server.asked(asksFor('Service', 'watch')) === 2);
    expect(failures(cluster, 'broken')).toBe(1);
    expect(cluster.server.requests.findLast(asksFor('Service', 'watch'))?.query.get('resourceVersion')).toBe('102');
  });
});

describe('a server that is not there', () => {
  it('is left after 150 s without a byte, and the connections with it', async () => {
    const cluster = await watched();
    cluster.clock.advance(149_000);
    for (const watch of cluster.server.watches('Service')) watch.send(line({ type: 'BOOKMARK', object: bookmark }));
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === 1);
    cluster.clock.advance(1000);
    await cluster.eventually(() => cluster.counters.total('gatehouse_source_watch_failures_total') === 5);
    expect(failures(cluster, 'silent')).toBe(0);
    expect(cluster.connection.told.reconnected).toBeGreaterThanOrEqual(5);
    cluster.clock.advance(149_000);
    await cluster.eventually(() => failures(cluster, 'silent') === 1);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
  });

  it('that is so for long is tried again and again, told once, and nothing is lost at the end', async () => {
    const cluster = await watched();
    cluster.server.fail(asksFor('Service'), { does: 'reset' });
    cluster.server.watches('Service')[0]?.reset();
    for (const delay of waits.slice(0, 6)) await cluster.pass(delay);
    cluster.server.store.put('Service', mcpService('tool', 81));
    const lost = cluster.log.lines.filter(({ message }) => message.startsWith('lost: '));
    expect(lost.map(({ level, fields }) => [level, fields['place']])).toEqual([['warn', '/api/v1/services']]);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
    await cluster.eventually(() => cluster.clock.waiting().includes(22_500));
    cluster.server.behave();
    await cluster.pass(22_500);
    await cluster.until(() => cluster.port('default/tool') === 81);
    await cluster.pass(5000);
    await cluster.log.line('a problem is gone');
    expect(cluster.problems()).toEqual([]);
  });
});

const bookmark = { kind: 'Service', apiVersion: 'v1', metadata: { resourceVersion: '101' } };
const status = (code: number): string =>
  line({ type: 'ERROR', object: { kind: 'Status', code, message: 'on purpose' } });

describe('an error within a watch', () => {
  it('of 410 lists anew at once; again and again, after a moment', async () => {
    const cluster = await watched();
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'answer', status: 410 });
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.send(status(410));
    await cluster.eventually(() => cluster.clock.waiting().includes(600));
    expect(cluster.server.asked(asksFor('Service', 'list'))).toBe(3);
    await cluster.pass(600);
    await cluster.eventually(() => cluster.clock.waiting().includes(1200));
    expect(cluster.server.asked(asksFor('Service', 'list'))).toBe(4);
    expect(cluster.problems()).toEqual([]);
  });

  it.each([500, 429, 504, 0])('of %d ends the watch', async (code) => {
    const cluster = await watched();
    cluster.server.watches('Service')[0]?.send(status(code));
    await cluster.pass(600);
    await cluster.server.until(() => cluster.server.asked(asksFor('Service', 'watch')) === 2);
    expect(cluster.counters.total('gatehouse_source_watch_failures_total', { kind: 'Service' })).toBe(1);
  });

  it('is honoured when it says how long to wait', async () => {
    const cluster = await watched();
    const details = { retryAfterSeconds: 17 };
    cluster.server.watches('Service')[0]?.send(line({ type: 'ERROR', object: { code: 429, details } }));
    await cluster.pass(17_000);
    await cluster.server.until(() => cluster.server.asked(asksFor('Service', 'watch')) === 2);
  });
});

describe('what is no event', () => {
  it.each([
    ['a line that is no JSON', 'abracadabra\n'],
    ['an event of no known type', '{"type":"RENAMED","object":{}}\n'],
    ['an event without metadata', '{"type":"MODIFIED","object":{"kind":"Service"}}\n'],
    ['an event without an object', '{"type":"DELETED"}\n'],
    ['a bookmark without a version', '{"type":"BOOKMARK","object":{"metadata":{}}}\n'],
    ['null', 'null\n'],
    ['a line without an end', 'x'.repeat(16 * 1024 * 1024 + 1)],
  ])('%s ends the watch, and all is listed: the object that it was about is not lost', async (_what, text) => {
    const cluster = await watched();
    cluster.server.store.put('Service', mcpService('tool', 81), 'quietly');
    cluster.server.watches('Service')[0]?.send(text);
    await cluster.pass(600);
    await cluster.until(() => cluster.port('default/tool') === 81);
    expect(failures(cluster, 'unintelligible')).toBe(1);
  });

  it('may come from a proxy, with status 200', async () => {
    const cluster = await watched();
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'html', status: 200 }, 1);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.server.watched('Service');
    expect(failures(cluster, 'unintelligible')).toBe(1);
    expect(cluster.resources.has('Service default/tool')).toBe(true);
  });

  it('does not keep what stands before it from being delivered', async () => {
    const cluster = await watched();
    const { object } = cluster.server.store.put('Service', mcpService('new'));
    cluster.server.watches('Service')[0]?.send(`${line({ type: 'ADDED', object })}abracadabra\n`);
    await cluster.until(() => cluster.port('default/new') === 80);
  });
});

describe('an answer to a watch', () => {
  it('of 401 makes credentials be read anew, and is followed by another attempt at once', async () => {
    const cluster = await watched();
    cluster.clock.advance(5000);
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'answer', status: 401 }, 1);
    cluster.server.watches('Service')[0]?.end();
    await cluster.server.until(() => cluster.server.asked(asksFor('Service', 'watch')) === 3);
    expect(cluster.connection.told.forgotten).toBe(1);
    expect(failures(cluster, 'unauthorized')).toBe(1);
  });

  it.each([429, 503])('of %d is honoured when it says how long to wait', async (code) => {
    const cluster = await watched();
    const headers = { 'retry-after': '23' };
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'answer', status: code, headers }, 1);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(23_000);
    await cluster.server.watched('Service');
  });

  it('of 500 keeps what is known, and is tried again from the same version', async () => {
    const cluster = await watched();
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'answer', status: 500 }, 2);
    cluster.clock.advance(5000);
    cluster.server.watches('Service')[0]?.end();
    await cluster.pass(600);
    await cluster.pass(1200);
    await cluster.server.watched('Service');
    expect(cluster.server.watches('Service')[0]?.query.get('resourceVersion')).toBe('101');
    expect(cluster.all).toHaveLength(1);
  });

  it('of 401 again and again says so, and goes on saying so when the server breaks off other requests', async () => {
    const cluster = await startCluster((server) => {
      server.put('Service', mcpService('tool'));
      server.fail(asksFor('Service'), { does: 'reset' }, 1);
      server.fail(asksFor('Service'), { does: 'answer', status: 401 }, 3);
      server.fail(asksFor('Service'), { does: 'reset' }, 1);
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

  it('of 403 is reported, keeps what is known, and lists go on', async () => {
    const cluster = await watched();
    cluster.server.fail(asksFor('Service', 'watch'), { does: 'answer', status: 403, message: 'may not watch' });
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
  it('that come twice are one change', async () => {
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

  it('of the end of an object do not end the one that has its name now', async () => {
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
