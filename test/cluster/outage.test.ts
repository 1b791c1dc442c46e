import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { formatHostPort } from '../../src/net/host-port.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import { type ClusterWorld, heldBy, type Replica, startClusterWorld } from '../support/cluster/world.ts';
import { createAdsClient } from '../support/nodes/ads-client.ts';
import type { GatewayNode } from '../support/nodes/gateway-node.ts';
import { startTcpProxy, type TcpProxy } from '../support/processes/tcp-proxy.ts';
import { targetType } from '../support/worlds/hand-made-world.ts';
import type { VersionedResources } from '../support/worlds/held-resources.ts';
import { mcpPort, openGateway, policy, serviceWith, together } from '../support/worlds/manifests.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

const tool = (name: string, port = 80): string =>
  serviceWith(`default/${name}`, `{ ports: [${mcpPort(port)}] }`, 'labels: { made: here }');

/** Each Service as a node is told of it. */
const jsonPath =
  'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.spec.clusterIP}:{.spec.ports[0].port}{"\\n"}{end}';
const sorted = (lines: readonly string[]): string => lines.toSorted().join();
const targets = ({ targets: held }: VersionedResources): readonly string[] => Object.keys(held);
const configs = ({ configs: held }: VersionedResources): readonly string[] => Object.keys(held);

/** An outage never stops serving and never ends the process, and what changed meanwhile arrives afterwards. */

const skipped = kubeAssets() === undefined;
let world: ClusterWorld;
let way: TcpProxy;
let replica: Replica;
let node: GatewayNode;

beforeAll(async () => {
  if (!skipped) world = await startClusterWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

beforeEach(async () => {
  way = await startTcpProxy(Number(new URL(world.api.url).port));
  await world.apply(together(openGateway, tool('first'), policy('default/mine', 'gw')));
  replica = await world.replica({ through: way.port });
  await replica.synced;
  node = replica.node('default/gw');
  await heldBy(node, (held) => targets(held).includes('default/first') && configs(held).includes('default.mine'));
});
afterEach(async () => {
  await replica[Symbol.asyncDispose]();
  await way[Symbol.asyncDispose]();
  await world.api.kubectl(['delete', '--wait=false', 'services', '-l', 'made=here']);
  await world.api.kubectl(['delete', '--wait=false', 'mcpauthpolicies', '--all']);
});

describe.skipIf(skipped)('while the API server cannot be reached', () => {
  it('serves what it knows, to nodes that come in between as well', async () => {
    const before = node.holds();
    way.cut();
    await replica.log.line('lost: ');
    expect(await node.settled()).toEqual(before);
    expect(await replica.node('default/gw').settled()).toEqual(before);
    expect((await replica.get('metrics', '/readyz')).status).toBe(200);
  });

  it('misses nothing: what was deleted and added meanwhile arrives afterwards', async () => {
    way.cut();
    await world.remove('mcpauthpolicy', 'default/mine');
    await world.remove('service', 'default/first');
    await world.apply(tool('second'));
    way.heal();
    const held = await heldBy(node, (held) => targets(held).includes('default/second'));
    expect(targets(held)).toEqual(['default/second']);
    await heldBy(node, (held) => configs(held).length === 0);
  });

  it('notices that it was another object when one was made anew under its name', async () => {
    way.cut();
    await world.remove('mcpauthpolicy', 'default/mine');
    await world.apply(policy('default/mine', 'gw', 'you'));
    way.heal();
    await heldBy(node, (held) => JSON.stringify(held.configs).includes('sub is you'));
  });

  it('does not serve before it has read everything, and then does without being started again', async () => {
    way.cut();
    const late = await world.replica({ through: way.port });
    const ended = (): Promise<{ readonly code: string; readonly message: string }> => {
      const client = createAdsClient(formatHostPort(late.app.listening.xds));
      const stream = client.open().request(targetType, { node: nodeOf('default/gw') });
      return stream.ended().finally(() => client.close());
    };
    expect(await ended()).toMatchObject({ code: 'UNAVAILABLE' });
    expect((await late.get('metrics', '/readyz')).status).toBe(503);
    expect((await late.get('metrics', '/healthz')).status).toBe(200);
    way.heal();
    await late.synced;
    expect((await late.get('metrics', '/readyz')).status).toBe(200);
    expect(await late.node('default/gw').settled()).toEqual(await node.settled());
  });
});

describe.skipIf(skipped)('an API server that comes back', () => {
  it('is missed in one line for all kinds, and welcomed in one, however long it was away', async () => {
    way.cut();
    await until(() => count('lost: ') === 1);
    const before = await failures();
    await until(async () => (await failures()) >= before + 2 * kinds);
    way.heal();
    await until(() => count('tells of changes of every kind again') === 1);
    expect(count('lost: ')).toBe(1);
  });

  it('is asked everything anew when etcd has forgotten meanwhile', async () => {
    way.cut();
    await world.remove('mcpauthpolicy', 'default/mine');
    for (let at = 0; at < 20; at += 1)
      await world.api.kubectl(['annotate', '--overwrite', 'service', 'first', `at=${at}`]);
    await world.api.compactEtcd();
    // What it watches from is forgotten by the API server, too, which starts with what etcd has.
    await world.api.restartApiServer();
    await world.apply(tool('second'));
    way.heal();
    await heldBy(node, (held) => targets(held).includes('default/second') && configs(held).length === 0);
  });

  it('is agreed with again when it was killed in the middle of many changes', { timeout: 120_000 }, async () => {
    let [changing, next] = [true, 0];
    const churn = async (): Promise<void> => {
      while (changing) {
        next += 1;
        const name = `churn-${next % 40}`;
        const how = next % 7 === 0 ? ['delete', 'service', name] : ['apply', '-f', '-'];
        await world.api.kubectl.try([...how, '--request-timeout=2s'], { stdin: tool(name, 1000 + next) });
      }
    };
    const churning = Promise.all([churn(), churn()]);
    for (let round = 0; round < 2; round += 1) {
      await world.api.kill9ApiServer();
      await world.api.restartApiServer();
    }
    changing = false;
    await churning;
    const stored = await world.api.kubectl(['get', 'services', '-l', 'made=here', '-o', jsonPath]);
    await heldBy(
      node,
      (held) =>
        sorted(Object.entries(held.targets).map(([name, at]) => `${name} ${at}`)) === sorted(stored.trim().split('\n')),
    );
  });

  it('is followed, however often it is killed', async () => {
    for (let round = 0; round < 3; round += 1) {
      await world.api.kill9ApiServer();
      expect(targets(await node.settled())).toContain('default/first');
      await world.api.restartApiServer();
      await world.apply(tool(`after-${round}`));
      await heldBy(node, (held) => targets(held).includes(`default/after-${round}`));
    }
  });
});

/** How many kinds are watched. */
const kinds = 6;

function count(text: string): number {
  return replica.log.lines.filter(({ message }) => message.includes(text)).length;
}

async function failures(): Promise<number> {
  const { body } = await replica.get('metrics', '/metrics');
  const lines = body.split('\n').filter((line) => line.startsWith('gatehouse_source_watch_failures_total{'));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  await polled(
    async () => ((await holds()) ? true : undefined),
    () => `it never happened: ${holds}; the log: ${replica.log.text()}`,
  );
}
