import { expect, it, onTestFinished } from 'vitest';
import { mcpClass, mcpGateway, mcpService } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

const targetType = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';

async function start(): Promise<RunningWorld> {
  const running = await startWorld({
    'a.yaml': `${mcpClass}\n---\n${mcpGateway('default/gw')}`,
    'b.yaml': mcpService('default/one'),
  });
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** The value of a series; NaN if there is none. */
async function value(running: RunningWorld, series: string): Promise<number> {
  const { body } = await running.get('metrics', '/metrics');
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length));
}

it('a change is measured once, from its event to the last ACK, whatever the number of nodes', async () => {
  const running = await start();
  const nodes = ['default/gw', 'default/gw', 'default/gw'].map((gateway) => running.node(gateway));
  for (const node of nodes) await node.settled();
  expect(await value(running, 'gatehouse_xds_convergence_sent_seconds_count'), 'a first connection is no change').toBe(
    0,
  );
  await running.write({ 'b.yaml': mcpService('default/one', '10.0.0.7') });
  for (const node of nodes) await node.settled();
  // The change settles a second after the last ACK.
  while ((await value(running, 'gatehouse_xds_convergence_acked_seconds_count')) < 1);
  expect(await value(running, 'gatehouse_xds_convergence_sent_seconds_count')).toBe(1);
  expect(await value(running, 'gatehouse_xds_convergence_acked_seconds_count')).toBe(1);
  const commits = await value(running, 'gatehouse_commits_total');
  expect(await value(running, 'gatehouse_translation_seconds_count')).toBe(commits);
  expect(await value(running, 'gatehouse_encoding_seconds_count')).toBe(commits);
});

it('sizes and bytes are counted by type, nodes by variant, and the build is named', async () => {
  const running = await start();
  const label = `{type="${targetType}"}`;
  const size = await value(running, `gatehouse_snapshot_bytes${label}`);
  expect(await value(running, `gatehouse_snapshot_resources${label}`)).toBe(1);
  expect(size).toBeGreaterThan(50);
  await running.node('default/gw').settled();
  expect(await value(running, `gatehouse_xds_response_bytes_total${label}`)).toBeGreaterThan(size);
  expect(await value(running, 'gatehouse_xds_nodes_by_variant{variant="delta"}')).toBe(1);
  await running.write({ 'c.yaml': mcpService('default/two') });
  expect(await value(running, `gatehouse_snapshot_resources${label}`)).toBe(2);
  expect(await value(running, `gatehouse_snapshot_bytes${label}`)).toBe(2 * size);
  await running.write({ 'c.yaml': undefined });
  expect(await value(running, `gatehouse_snapshot_bytes${label}`)).toBe(size);
  const { body } = await running.get('metrics', '/metrics');
  expect(body).toMatch(/^gatehouse_build_info\{version="\d+\.\d+\.\d+",node_version="\d+\.\d+\.\d+"\} 1$/m);
});
