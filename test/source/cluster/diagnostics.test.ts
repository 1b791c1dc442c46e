import { describe, expect, it } from 'vitest';
import { line } from '../../support/api-server/api-server.ts';
import { type ClusterRig, mcpService, startCluster, waits } from './cluster-rig.ts';

const place = '/api/v1/namespaces/default/services/tool';
const badPath = { ...mcpService('tool'), annotations: { 'kgateway.dev/mcp-path': 'no slash' } };

/** Levels and messages of the log lines about an object. */
function linesAbout(cluster: ClusterRig, object: string): readonly string[] {
  return cluster.log.lines
    .filter(({ fields }) => fields['object'] === object)
    .map(({ level, message }) => `${level} ${message}`);
}

describe('a diagnostic of an object', () => {
  it('is logged with its API path when it appears, and once more when it is gone', async () => {
    const cluster = await startCluster((server) => server.put('Service', badPath));
    await cluster.settled();
    expect(cluster.source.diagnostics()).toEqual([
      {
        severity: 'error',
        place,
        object: 'Service default/tool',
        field: 'metadata.annotations["kgateway.dev/mcp-path"]',
        message: expect.stringContaining('mcp-path'),
      },
    ]);
    cluster.clock.advance(5000);
    cluster.server.put('Service', mcpService('tool'));
    await cluster.log.line('a problem is gone');
    expect(cluster.source.diagnostics()).toEqual([]);
    expect(linesAbout(cluster, 'Service default/tool')).toHaveLength(2);
  });

  it('is gone when the object is deleted', async () => {
    const cluster = await startCluster((server) => server.put('Service', badPath));
    await cluster.settled();
    cluster.clock.advance(5000);
    cluster.server.remove('Service', 'default/tool');
    await cluster.log.line('a problem is gone');
  });

  it('that appears and disappears all the time is logged every five seconds at most', async () => {
    const cluster = await startCluster();
    await cluster.settled();
    for (let step = 1; step <= 1000; step += 1) {
      cluster.server.put('Service', step % 2 === 0 ? mcpService('tool') : badPath);
      await cluster.eventually(
        () => cluster.counters.total('gatehouse_source_events_total', { kind: 'Service' }) === step,
      );
      cluster.clock.advance(20);
    }
    expect(linesAbout(cluster, 'Service default/tool').length).toBeLessThanOrEqual(5);
  });

  it('is omitted for a Service without MCP ports', async () => {
    const cluster = await startCluster((server) =>
      server.put('Service', {
        name: 'tool',
        annotations: { 'kgateway.dev/mcp-path': 'no slash' },
        spec: { clusterIP: 'nonsense', fieldOfTheFuture: true, ports: [{ port: 80 }] },
      }),
    );
    await cluster.settled();
    expect(cluster.source.diagnostics()).toEqual([]);
  });
});

describe('an object whose frame is unreadable', () => {
  it('counts as absent, and is reported', async () => {
    const cluster = await startCluster((server) => server.put('Service', { name: 'tool', spec: 'nonsense' }));
    await cluster.settled();
    expect(cluster.resources.has('Service default/tool')).toBe(false);
    expect(cluster.problems()).toEqual([expect.stringContaining(place)]);
    expect(cluster.source.identify('Service', 'default/tool')?.uid).toBe('uid-1');
  });

  it('is deleted when its frame becomes unreadable, and added when it is readable again', async () => {
    const cluster = await startCluster((server) => server.put('Service', mcpService('tool')));
    await cluster.settled();
    cluster.server.put('Service', { name: 'tool', spec: 'nonsense' });
    await cluster.until(() => !cluster.resources.has('Service default/tool'));
    cluster.clock.advance(10);
    cluster.server.put('Service', mcpService('tool', 81));
    await cluster.until(() => cluster.port('default/tool') === 81);
  });

  it('leaves the labels of a namespace unknown', async () => {
    const cluster = await startCluster((server) => server.put('Namespace', { name: 'Not A Label' }));
    await cluster.settled();
    expect([...cluster.resources.keys()]).toEqual([]);
    expect(cluster.unlisted).toBe('unknown');
  });
});

it('an API server that goes is logged once for all its kinds, and once when it is back', async () => {
  const cluster = await startCluster((server) => server.put('Service', mcpService('tool')));
  await cluster.settled();
  cluster.server.injectFault(() => true, { does: 'reset' });
  const watched = ['Service', 'Gateway', 'GatewayClass', 'MCPAuthPolicy', 'GatewayParameters', 'Namespace'] as const;
  for (const kind of watched) for (const watch of cluster.server.watches(kind)) watch.reset();
  /** Every kind waits this long after a failure, and all of them try again. */
  const passFor = async (delay: number | undefined): Promise<void> => {
    await cluster.eventually(() => cluster.clock.waiting().filter((time) => time === delay).length === watched.length);
    cluster.clock.advance(delay ?? 0);
  };
  await passFor(waits[0]);
  await cluster.eventually(() => cluster.problems().length === watched.length);
  const lines = (text: string): number => cluster.log.lines.filter(({ message }) => message.includes(text)).length;
  expect(lines('does not tell of changes')).toBe(1);
  cluster.server.clearFaults();
  await passFor(waits[1]);
  await cluster.eventually(() => cluster.problems().length === 0);
  await cluster.pass(5000);
  await cluster.log.line('tells of changes of every kind again');
  expect(lines('tells of changes of every kind again')).toBe(1);
  expect(lines('does not tell of changes')).toBe(1);
  expect(lines('a problem is gone')).toBe(0);
});

it('the log contains nothing of a line that is no event', async () => {
  const cluster = await startCluster();
  await cluster.settled();
  cluster.server.injectFault(({ verb }) => verb !== 'get', {
    does: 'say',
    text: `${line({ type: 'secret', object: 'hunter2' })}`,
    next: 'end',
  });
  cluster.server.watches('Service')[0]?.send('{"type":"secret","object":"hunter2"}\n');
  await cluster.pass(600);
  await cluster.log.line('lost: ');
  expect(cluster.log.text()).not.toContain('hunter2');
});
