import { describe, expect, it } from 'vitest';
import { line } from '../../support/api-server/api-server.ts';
import { type ClusterRig, mcpService, startCluster } from './cluster-rig.ts';

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
});

describe('a diagnostic of a Service without MCP ports', () => {
  it('is omitted', async () => {
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

  it('is kept for a misspelt app protocol, which is why it has none', async () => {
    const ports = [{ port: 80 }, { port: 81, appProtocol: 'kgateway.dev/mpc' }];
    const cluster = await startCluster((server) =>
      server.put('Service', { name: 'tool', spec: { fieldOfTheFuture: true, ports } }),
    );
    await cluster.settled();
    expect(cluster.source.diagnostics()).toEqual([
      expect.objectContaining({ severity: 'warning', place, field: 'spec.ports[1].appProtocol' }),
    ]);
  });

  it('is kept for an MCP port that is no TCP port, which is why it has none', async () => {
    const ports = [
      { port: 80, protocol: 'UDP' },
      { port: 81, protocol: 'UDP', appProtocol: 'kgateway.dev/mcp' },
    ];
    const cluster = await startCluster((server) =>
      server.put('Service', { name: 'tool', spec: { fieldOfTheFuture: true, ports } }),
    );
    await cluster.settled();
    expect(cluster.source.diagnostics()).toEqual([
      expect.objectContaining({ severity: 'error', place, field: 'spec.ports[1].protocol' }),
    ]);
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
