import { GatewayNode } from '../../../support/nodes/gateway-node.ts';
import { type HonestClients, type Probe, timed, untilServed } from './honest.ts';
import { send } from './http-client.ts';
import { mcpTarget, writeManifest } from './manifest-folder.ts';
import type { Victim } from './model.ts';

/** New nodes in one round, before the change and the probe of the kubelet. */
const nodesPerRound = 5;

/**
 * Honest nodes: in each round some connect anew and wait for everything that they are served, one that stays connected
 * waits for a change of a file, and the kubelet asks for health.
 */
export async function nodeClients(victim: Victim): Promise<HonestClients> {
  const address = `127.0.0.1:${victim.xds}`;
  await untilServed({ probe: async () => [await timed(() => ask(victim, '/readyz'))], close: () => Promise.resolve() });
  const staying = new GatewayNode(address, 'default/gw').connect();
  let changes = 0;

  const connect = async (): Promise<string | undefined> => {
    const node = new GatewayNode(address, 'default/gw').connect();
    try {
      return JSON.stringify(await node.settled()).includes('default/honest') ? undefined : 'a snapshot without targets';
    } finally {
      await node.close();
    }
  };
  const change = async (): Promise<string | undefined> => {
    changes += 1;
    const name = `default/change-${changes}`;
    writeManifest(victim.folder, 'change.yaml', mcpTarget(name));
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline) {
      if (JSON.stringify(await staying.settled()).includes(name)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return 'a change did not arrive';
  };
  const clients: HonestClients = {
    async probe() {
      const probes: Probe[] = [];
      for (let index = 0; index < nodesPerRound; index += 1) probes.push(await timed(connect));
      return [...probes, await timed(change), await timed(() => ask(victim, '/healthz'))];
    },
    close: () => staying.close(),
  };
  await untilServed(clients);
  return clients;
}

/** The kubelet's probe alone, for a control plane that has no cluster to read from. */
export function healthClients(victim: Victim): HonestClients {
  return {
    probe: async () => [await timed(() => ask(victim, '/healthz'))],
    close: () => Promise.resolve(),
  };
}

async function ask({ metrics: port }: Victim, path: '/healthz' | '/readyz'): Promise<string | undefined> {
  const { status } = await send({ port, path, timeout: 5_000 });
  return status === 200 ? undefined : `${path}: status ${status}`;
}
