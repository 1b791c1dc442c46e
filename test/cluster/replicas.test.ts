import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHostPort } from '../../src/net/host-port.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { type ClusterWorld, type Replica, startClusterWorld } from '../support/cluster/world.ts';
import { createAdsClient } from '../support/nodes/ads-client.ts';
import { type GatehouseProcess, gatehouse } from '../support/processes/gatehouse-process.ts';
import { listens } from '../support/processes/guide-programs.ts';
import { configType, targetType } from '../support/worlds/hand-made-world.ts';
import { mcpGateway, mcpPort, openGateway, policy, serviceWith, together } from '../support/worlds/manifests.ts';
import { nodeOf } from '../support/worlds/served-world.ts';

const lease = 'kgateway-system/gatehouse-leader';

let world: ClusterWorld;

beforeAll(async () => {
  if (kubeAssets() === undefined) return;
  world = await startClusterWorld();
  const service = serviceWith('default/tool', `{ ports: [${mcpPort(80)}] }`);
  await world.apply(together(openGateway, service, policy('default/mine', 'gw')));
});
afterAll(() => world?.[Symbol.asyncDispose]());

const holder = async (): Promise<string> => {
  const { holderIdentity = '' } = (await world.read('lease', lease))?.spec ?? {};
  return String(holderIdentity);
};

const isCurrent = ({ status }: { readonly status?: { readonly conditions?: readonly object[] } }): boolean =>
  (status?.conditions ?? []).some((condition) => 'observedGeneration' in condition);

describe.skipIf(kubeAssets() === undefined)('two replicas', () => {
  let one: Replica;
  let other: Replica;
  beforeAll(async () => {
    [one, other] = await Promise.all([world.replica({ replica: 'one' }), world.replica({ replica: 'other' })]);
    await Promise.all([one.synced, other.synced]);
  });
  afterAll(async () => {
    for (const replica of [one, other]) await replica[Symbol.asyncDispose]();
  });

  it('serve the same versions', async () => {
    const held = await Promise.all([one, other].map((replica) => replica.node('default/gw').settled()));
    expect(Object.keys(held[0]?.versions ?? {})).toEqual(['default.mine', 'default/tool']);
    expect(held[1]).toEqual(held[0]);
  });

  it('tell a node that moves from one to the other nothing that it holds', async () => {
    const first = createAdsClient(formatHostPort(one.app.listening.xds));
    const held = new Map<string, Readonly<Record<string, string>>>();
    const stream = first.open();
    for (const type of [targetType, configType]) {
      stream.request(type, { node: nodeOf('default/gw') });
      const { versions } = await stream.accept();
      held.set(type, versions);
    }
    first.close();
    const second = createAdsClient(formatHostPort(other.app.listening.xds));
    const moved = second.open();
    for (const [type, initial] of held) {
      moved.request(type, { node: nodeOf('default/gw'), initial });
      expect(await moved.accept()).toMatchObject({ names: [], removed: [] });
    }
    await moved.silence();
    second.close();
  });

  it('write each status once', async () => {
    await world.apply(mcpGateway('default/once'));
    await world.until('gateway', 'default/once', isCurrent);
    const writes = await Promise.all([one, other].map(writesOf));
    expect(writes.filter((count) => count > 0)).toHaveLength(1);
  });

  it('hand the Lease over when the leader stops, without waiting for its end', async () => {
    const leader = (await holder()).startsWith('one') ? one : other;
    const heir = leader === one ? 'other' : 'one';
    await leader[Symbol.asyncDispose]();
    await world.until('lease', lease, ({ spec }) => String(spec?.['holderIdentity']).startsWith(heir));
    await world.apply(mcpGateway('default/after'));
    await world.until('gateway', 'default/after', isCurrent);
  });
});

async function writesOf(replica: Replica): Promise<number> {
  const { body } = await replica.get('metrics', '/metrics');
  const lines = body.split('\n').filter((line) => line.startsWith('gatehouse_status_writes_total{'));
  return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe.skipIf(kubeAssets() === undefined)('a leader that is killed', () => {
  it('is succeeded by another replica once its Lease is over, and nobody notices on the wire', {
    timeout: 120_000,
  }, async () => {
    const kubeconfig = await world.kubeconfig();
    const start = (name: string): GatehouseProcess =>
      gatehouse(['serve', `--kubeconfig=${kubeconfig}`, ...listens()], {
        POD_NAME: name,
        POD_NAMESPACE: 'kgateway-system',
      });
    await using killed = start('killed');
    await world.until('lease', lease, ({ spec }) => String(spec?.['holderIdentity']).startsWith('killed'));
    await using survivor = start('survivor');
    await survivor.line('synced: everything');
    killed.signal('SIGKILL');
    await killed.ended();
    await world.apply(mcpGateway('default/orphan'));
    await world.until('lease', lease, ({ spec }) => String(spec?.['holderIdentity']).startsWith('survivor'));
    await world.until('gateway', 'default/orphan', isCurrent);
  });
});
