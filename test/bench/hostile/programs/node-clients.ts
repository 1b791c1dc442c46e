import { GatewayNode } from '../../../support/nodes/gateway-node.ts';
import { type HonestClients, type Probe, timed, untilServed } from './honest.ts';
import { send } from './http-client.ts';
import { mcpTarget, writeManifest } from './manifest-folder.ts';
import type { Victim } from './model.ts';

/** New nodes in one round, before the change and the probe of the kubelet. */
const nodesPerRound = 5;

/** The Gateway whose targets and policies the attackers' join, and one in a namespace of which they have nothing. */
const gateways = { shared: 'default/gw', own: 'own/gw' } as const;

/**
 * Honest nodes: in each round some connect anew and wait for everything that they are served, one that stays connected
 * waits for a change of a file, and the kubelet asks for health. The same for nodes of a Gateway of their own.
 */
export async function nodeClients(victim: Victim): Promise<HonestClients> {
  const address = `127.0.0.1:${victim.xds}`;
  await untilServed({ probe: async () => [await timed(() => ask(victim, '/readyz'))], close: () => Promise.resolve() });
  const shared = nodesOf(address, victim.folder, gateways.shared);
  const own = nodesOf(address, victim.folder, gateways.own);
  const clients: HonestClients = {
    async probe() {
      const probes: Probe[] = [];
      for (let index = 0; index < nodesPerRound; index += 1) probes.push(await timed(shared.connect, 'connect'));
      probes.push(await timed(shared.change, 'change'), await timed(() => ask(victim, '/healthz'), 'health'));
      probes.push({ ...(await timed(own.connect, 'connect to another Gateway')), isApart: true });
      probes.push({ ...(await timed(own.change, 'change of another Gateway')), isApart: true });
      return probes;
    },
    close: async () => void (await Promise.all([shared.close(), own.close()])),
  };
  await untilServed(clients);
  return clients;
}

/** The nodes of one Gateway. Both requests resolve with what was wrong. */
function nodesOf(address: string, folder: string, gateway: string) {
  const [namespace = ''] = gateway.split('/');
  const staying = new GatewayNode(address, gateway).connect();
  let changes = 0;
  return {
    close: () => staying.close(),
    async connect(): Promise<string | undefined> {
      const node = new GatewayNode(address, gateway).connect();
      try {
        const all = JSON.stringify(await node.settled());
        return all.includes(`${namespace}/honest`) ? undefined : 'a snapshot without targets';
      } finally {
        await node.close();
      }
    },
    async change(): Promise<string | undefined> {
      changes += 1;
      const name = `${namespace}/change-${changes}`;
      writeManifest(folder, `change-${namespace}.yaml`, mcpTarget(name));
      const deadline = performance.now() + 10_000;
      while (performance.now() < deadline) {
        if (JSON.stringify(await staying.settled()).includes(name)) return undefined;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return 'a change did not arrive';
    },
  };
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
