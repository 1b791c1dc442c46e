import { setTimeout as pause } from 'node:timers/promises';
import { kinds } from '../../../../src/resources/resources.ts';
import { ApiServer } from '../../../support/api-server/api-server.ts';
import type { ReceivedRequest } from '../../../support/api-server/faults.ts';
import { GatewayNode } from '../../../support/nodes/gateway-node.ts';
import { send } from '../programs/http-client.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { until } from '../programs/repeat.ts';

/** Milliseconds without an API server: the waits for it have grown by then. */
const outage = { full: 6_000, short: 1_000 } as const;
/**
 * Milliseconds from the server's first answer until a deletion must have arrived. It takes a tenth of a second, on a
 * machine that is busy a little more; beyond, somebody waits for a retry.
 */
const maxDelay = 5_000;

/** What was revoked while the API server was away. The amount is that of outages; what arrives too late is counted. */
export const outageAttacks: readonly Attack[] = [
  ofOutages('deletions during outages', () => {}),
  ofOutages('deletions during outages, of a server that forbids at first', (server) => {
    server.injectFault(({ verb }) => verb !== 'get', { does: 'answer', status: 403 }, 6);
  }),
  ofOutages('deletions during outages, of a server that has forgotten its history', (server) => {
    server.store.compact();
  }),
  ofOutages('deletions during outages, of a server that serves one kind before the others', (server) => {
    const others = ({ path, verb }: ReceivedRequest): boolean => verb !== 'get' && !path.endsWith('/services');
    server.injectFault(others, { does: 'answer', status: 503 }, 5);
  }),
];

function ofOutages(name: string, returned: (server: ApiServer) => void): Attack {
  return {
    name,
    row: 16,
    program: 'serve',
    amount: { full: 5, short: 1 },
    seconds: 45,
    world: { input: 'cluster' },
    trace: { metric: 'gatehouse_source_watch_failures_total', line: undefined },
    start: (victim, outages) => deleteDuringOutages(victim, outages, returned),
  };
}

async function deleteDuringOutages(
  { apiServer, xds, metrics }: Victim,
  outages: number,
  returned: (server: ApiServer) => void,
): Promise<StopAttack> {
  // Its versions are higher than those of any other server that the control plane has seen, and it knows none of theirs.
  const server = new ApiServer({ port: apiServer, version: Date.now() });
  server.put('GatewayClass', { name: 'mcp', spec: { controllerName: 'kgateway.dev/kgateway' } });
  server.put('Gateway', { name: 'gw', spec: { gatewayClassName: 'mcp', listeners: [listener] } });
  server.store.compact();
  await server.up();
  await until(async () => (await send({ port: metrics, path: '/readyz' })).status === 200);
  const node = new GatewayNode(`127.0.0.1:${xds}`, 'default/gw').connect();
  const holds = (name: string): boolean => JSON.stringify(node.holds()).includes(`"default.${name}"`);
  let got = 0;
  const run = async (): Promise<void> => {
    for (let at = 1; at <= outages; at += 1) {
      const name = `doomed-${at}`;
      server.put('MCPAuthPolicy', { name, spec: policySpec });
      if (!(await until(() => holds(name)))) throw new Error('a policy did not arrive');
      await server.down();
      await pause(outages > 1 ? outage.full : outage.short);
      server.store.remove('MCPAuthPolicy', `default/${name}`);
      returned(server);
      await server.up();
      // A list or a watch of some kind was answered, and not with a fault.
      await until(() => Object.values(kinds).some(({ kind }) => server.watches(kind).length > 0));
      if (!(await until(() => !holds(name), maxDelay))) got += 1;
      server.clearFaults();
    }
  };
  const done = run();
  return async () => {
    await done;
    await node.close();
    await server.down();
    return got;
  };
}

const listener = {
  name: 'mcp',
  port: 8080,
  protocol: 'kgateway.dev/mcp',
  allowedRoutes: { namespaces: { from: 'All' } },
};

const policySpec = {
  targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }],
  rules: [{ matches: [{ type: 'JWT', jwt: { claim: 'sub', value: 'me' } }], resource: { kind: 'tool', name: '*' } }],
};
