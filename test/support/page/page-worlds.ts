import { formatHostPort } from '../../../src/net/host-port.ts';
import { createAdsClient } from '../nodes/ads-client.ts';
import type { Files } from '../worlds/fresh-world.ts';
import { configType, targetType } from '../worlds/hand-made-world.ts';
import {
  isSubject,
  mcpClass,
  mcpGateway,
  mcpService,
  namespace,
  policy,
  policyWith,
  serviceWith,
  together,
} from '../worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../worlds/running-world.ts';

/** Three Gateways, five targets, four policies. */
const healthy: Files = {
  'platform.yaml': together(
    mcpClass,
    mcpGateway('default/mcp-gateway'),
    mcpGateway('research/agents', 'from: Same'),
    mcpGateway('support/assistant', 'from: Selector, selector: { matchLabels: { shared: "true" } }'),
    namespace('default', '{ shared: "true" }'),
    namespace('research'),
    namespace('support', '{ shared: "true" }'),
  ),
  'servers.yaml': together(
    mcpService('default/mcp-tool', '10.96.4.11'),
    mcpService('default/calendar', '10.96.4.12'),
    mcpService('research/papers', '10.96.7.21'),
    mcpService('research/notebooks', '10.96.7.22'),
    mcpService('support/tickets', '10.96.9.31'),
  ),
  'access.yaml': together(
    policy('default/everybody', 'mcp-gateway', 'me', '{ kind: tool, name: "default/mcp-tool:convert_to_markdown" }'),
    policyWith(
      'default/calendar',
      '[{ name: mcp-gateway }]',
      `[{ matches: [${isSubject('me')}, ${isSubject('assistant')}], resource: { kind: tool, name: "default/calendar:list_events" } }]`,
    ),
    policy('research/researchers', 'agents', 'researcher'),
    policy('support/agents', 'assistant', 'agent', '{ kind: tool, name: "support/tickets:search" }'),
  ),
};

/** The same with what people mistype: a class, a Gateway, a namespace, a tool, an app protocol, and a file. */
const broken: Files = {
  ...healthy,
  'mistakes.yaml': together(
    mcpGateway('default/staging').replace('gatewayClassName: mcp,', 'gatewayClassName: mpc,'),
    policy('default/oncall', 'mcp-gatewy', 'oncall'),
    policyWith(
      'default/typos',
      '[{ name: mcp-gateway }]',
      `[{ matches: [${isSubject('me')}], resource: { kind: toll, name: "*" } }, { matches: [${isSubject('you')}], resource: { kind: tool, name: "default/mcp-tol:convert" } }]`,
    ),
    serviceWith('default/weather', '{ clusterIP: "10.96.4.14", ports: [{ port: 80, appProtocol: kgateway.dev/mpc }] }'),
    policy('default/weather', 'mcp-gateway', 'me', '{ kind: tool, name: "default/weather:forecast" }'),
    serviceWith(
      'default/local',
      '{ type: ExternalName, externalName: localhost, ports: [{ port: 80, appProtocol: kgateway.dev/mcp }] }',
    ),
  ),
  'half-written.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: "unfinished',
};

export const pageWorlds: Readonly<Record<'healthy' | 'broken' | 'empty', Files>> = { healthy, broken, empty: {} };

/** A running control plane with its page. */
export interface PageWorld extends AsyncDisposable {
  readonly world: RunningWorld;
  readonly url: string;
  /** Connects a node that acknowledges everything, or refuses what it is sent; settles once it has answered twice. */
  connect(gateway: string, pod: string, refuses?: boolean): Promise<void>;
  /** Reads an endpoint. */
  read<T>(path: string): Promise<T>;
}

/** @param inside see `startWorld` */
export async function startPageWorld(files: Files, inside = false): Promise<PageWorld> {
  const world = await startWorld(files, { inside });
  const address = formatHostPort(world.app.listening.xds);
  const clients: { close(): void }[] = [];
  return {
    world,
    url: `http://${formatHostPort(world.app.listening.debug)}/`,
    read: async (path) => JSON.parse((await world.get('debug', path)).body),
    connect: async (gateway, pod, refuses = false) => {
      const [space, name] = gateway.split('/');
      const id = `mcpgw~10.244.0.${clients.length + 7}~${pod}.${space}~${space}.svc.cluster.local`;
      const node = { id, metadata: { role: `${space}~${name}` } };
      const client = createAdsClient(address);
      clients.push(client);
      const stream = client.open().request(configType, { node }).request(targetType, { node });
      for (let answered = 0; answered < 2; answered += 1) {
        const response = await stream.next();
        if (refuses && response.typeUrl === configType)
          stream.nack(response, 'default.calendar: rule 1 has no resource');
        else stream.ack(response);
      }
      await stream.silence();
      void (async () => {
        for (;;) stream.ack(await stream.next());
      })().catch(() => undefined);
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
