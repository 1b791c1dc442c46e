import { expect, it, onTestFinished } from 'vitest';
import { AgentgatewayNode } from '../support/agentgateway/node.ts';
import { operatorAt, statesOf } from '../support/nodes/operator.ts';
import { mcpService, openGateway, policy } from '../support/worlds/manifests.ts';
import { type RunningWorld, startWorld } from '../support/worlds/running-world.ts';

/** One Gateway with a node of each dialect: everything that looks at snapshots shows both. */
const resource = 'type.googleapis.com/agentgateway.dev.resource.Resource';
const address = 'type.googleapis.com/istio.workload.Address';
const target = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';
const config = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';

interface Both {
  readonly world: RunningWorld;
  readonly agentgateway: AgentgatewayNode;
}

async function startBoth(): Promise<Both> {
  const world = await startWorld({
    'a.yaml': openGateway,
    'b.yaml': mcpService('default/echo'),
    'c.yaml': policy('default/p', 'gw'),
  });
  onTestFinished(() => world[Symbol.asyncDispose]());
  await world.node('default/gw').settled();
  const agentgateway = new AgentgatewayNode(`127.0.0.1:${world.app.listening.xds.port}`, 'default/gw');
  onTestFinished(() => agentgateway.close());
  await agentgateway.connect();
  return { world, agentgateway };
}

interface SnapshotsAnswer {
  readonly gateways: readonly {
    readonly types: readonly { readonly typeUrl: string; readonly resources: readonly { readonly name: string }[] }[];
    readonly nodes: readonly { readonly synced: boolean }[];
  }[];
}

interface NodesAnswer {
  readonly states: unknown;
  readonly nodes: readonly { readonly dialect: string }[];
}

const ofAgentgateway = [
  'policy/sentinel:default/gw',
  'policy/jwt:default/gw',
  'policy/default/p:mcp-authorization:default/gw',
  'backend/echo.default',
  'backend/mcp/all',
  'route/8080/default/gw.mcp',
  'listener/8080/default/gw.mcp',
  'bind/8080/default/gw',
].sort();

it('CSDS lists what each node has of its own dialect', async () => {
  const { world, agentgateway } = await startBoth();
  const operator = operatorAt(`127.0.0.1:${world.app.listening.admin.port}`);
  onTestFinished(() => operator.close());
  const listed = async (): Promise<readonly Record<string, string>[]> =>
    (await operator.ask()).map(statesOf).sort((a, b) => Object.keys(a).length - Object.keys(b).length);
  expect(await listed()).toEqual([
    { 'default.p': 'SYNCED', 'default/echo': 'SYNCED' },
    Object.fromEntries([...ofAgentgateway, 'Kubernetes//Pod/default/gw-pod'].map((name) => [name, 'SYNCED'])),
  ]);
  const types = (await operator.ask()).map(({ genericXdsConfigs }) => [
    ...new Set(genericXdsConfigs.map(({ typeUrl }) => typeUrl)),
  ]);
  expect(types.map((all) => all.sort()).sort()).toEqual([[resource, address].sort(), [target, config].sort()].sort());
  agentgateway.remarks = [{ key: 'backend/mcp/all', error: 'no' }];
  await world.write({ 'd.yaml': mcpService('default/more') });
  await agentgateway.settle();
  const [, refusing] = await listed();
  expect(refusing).toMatchObject({ 'backend/mcp/all': 'ERROR', 'policy/sentinel:default/gw': 'SYNCED' });
});

it('the debug endpoints show the types, the nodes and the form of objects in both', async () => {
  const { world } = await startBoth();
  const ask = async (path: string): Promise<string> => (await world.get('debug', path)).body;
  const { gateways }: SnapshotsAnswer = JSON.parse(await ask('/snapshots/xds?gateway=default/gw'));
  const types = gateways.flatMap((gateway) => gateway.types);
  const named = types.map(({ typeUrl, resources }) => [typeUrl, resources.map(({ name }) => name).sort()]);
  expect(Object.fromEntries(named)).toEqual({
    [target]: ['default/echo'],
    [config]: ['default.p'],
    [resource]: ofAgentgateway,
  });
  expect(gateways.flatMap(({ nodes }) => nodes.map(({ synced }) => synced))).toEqual([true, true]);
  const { states, nodes }: NodesAnswer = JSON.parse(await ask('/debug/nodes'));
  expect(states).toEqual({ inSync: 2, behind: 0, refusing: 0 });
  expect(nodes.map(({ dialect }) => dialect).sort()).toEqual(['agentgateway.dev', 'mcp.kgateway.dev']);
  const service: unknown = JSON.parse(await ask('/debug/object?kind=Service&key=default/echo'));
  expect(service).toMatchObject({ wire: [{ name: 'default/echo' }, { name: 'backend/echo.default' }] });
});

it('metrics count each type by itself', async () => {
  const { world, agentgateway } = await startBoth();
  await world.write({ 'b.yaml': mcpService('default/echo', '10.0.0.9') });
  await agentgateway.settle();
  const { body } = await world.get('metrics', '/metrics');
  const value = (series: string): number =>
    Number(
      body
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length),
    );
  expect(value(`gatehouse_snapshot_resources{type="${target}"}`)).toBe(1);
  expect(value(`gatehouse_snapshot_resources{type="${resource}"}`)).toBe(ofAgentgateway.length);
  for (const type of [target, resource, address]) {
    expect(value(`gatehouse_xds_acks_total{type="${type}"}`), type).toBeGreaterThan(0);
  }
  expect(value(`gatehouse_wire_encodes_total{type="${resource}"}`)).toBe(1);
});
