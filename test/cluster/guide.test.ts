import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../../src/demo/control-plane.ts';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { type ClusterWorld, startClusterWorld } from '../support/cluster/world.ts';
import { freePort } from '../support/gateway/everything-server.ts';
import { type GatehouseProcess, gatehouse } from '../support/processes/gatehouse-process.ts';
import { connect, listens, startGateway } from '../support/processes/guide-programs.ts';

/** The guide, step by step, word for word, with kubectl; gatehouse under the token of its own ServiceAccount. */

const tool = 'default/mcp-tool:convert_to_markdown';
const uri = 'data:text/html,<h1>We the People</h1>';
const steps = 'deploy/examples/guide';

let world: ClusterWorld;
let folder: string;
let control: GatehouseProcess;
let programs: readonly GatehouseProcess[] = [];
let client: Client;
let kubeconfig: string;
let xdsPort: number;
let version: string | undefined;

const serve = (): GatehouseProcess =>
  gatehouse(['serve', `--kubeconfig=${kubeconfig}`, ...listens({ xds: xdsPort })], {
    POD_NAMESPACE: 'kgateway-system',
  });

/** Settles once the gateway has acknowledged what came of it. */
async function change(act: () => Promise<unknown>): Promise<void> {
  await act();
  const view = controlPlane(await control.listening('debug'), 'default/mcp-gateway');
  ({ version } = await view.acknowledged(version));
}

const apply = (file: string): Promise<string> => world.api.kubectl(['apply', '-f', `${steps}/${file}`]);
const call = (): ReturnType<Client['callTool']> => client.callTool({ name: tool, arguments: { uri } });

/** What the kubelet would mount, and where the Services would lead. */
async function startDataPlane(): Promise<void> {
  const config: { readonly data: Readonly<Record<string, string>> } = JSON.parse(
    await world.api.kubectl(['get', 'configmap', 'mcp-gateway-config', '-o', 'json']),
  );
  const port = await freePort();
  for (const [name, text] of Object.entries(config.data)) {
    await writeFile(
      join(folder, name),
      name === 'config.json' ? text.replace('"port": 8080', `"port": ${port}`) : text,
    );
  }
  const mcpTool = gatehouse(['mcp-tool', '--sse', '--host=127.0.0.1', '--port=0']);
  const ip = await world.api.kubectl(['get', 'service', 'mcp-tool', '-o', 'jsonpath={.spec.clusterIP}']);
  const gateway = startGateway(folder, [
    `kgateway.kgateway-system.svc.cluster.local:9977=127.0.0.1:${xdsPort}`,
    `${ip}:8080=${await mcpTool.listening('mcp')}`,
  ]);
  programs = [gateway, mcpTool];
  await gateway.listening('mcp');
  client = await connect(`http://127.0.0.1:${port}`, '/sse');
}

beforeAll(async () => {
  if (kubeAssets() === undefined) return;
  world = await startClusterWorld();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-guide-'));
  [kubeconfig, xdsPort] = await Promise.all([world.kubeconfig(), freePort()]);
  control = serve();
});
afterAll(async () => {
  if (kubeAssets() === undefined) return;
  await client?.close();
  await Promise.all([control, ...programs].map((program) => program?.[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true, force: true });
  await world[Symbol.asyncDispose]();
});

describe.skipIf(kubeAssets() === undefined)('the guide, in a cluster', () => {
  it('denies the tool before there is a policy', { timeout: 120_000 }, async () => {
    for (const file of ['1-gatewayparameters', '2-gatewayclass', '3-gateway', '4-mcp-gateway', '5-mcp-tool']) {
      await apply(`${file}.yaml`);
    }
    await change(startDataPlane);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([tool]);
    await expect(call()).rejects.toThrow('not allowed');
  });

  it('allows it with the policy, and says so on the policy', { timeout: 120_000 }, async () => {
    await change(() => apply('6-mcpauthpolicy.yaml'));
    expect((await call()).content).toEqual([{ type: 'text', text: expect.stringContaining('# We the People') }]);
    await world.until('mcpauthpolicy', 'default/mcp-jq-auth', ({ status }) =>
      (status?.ancestors ?? []).some(({ conditions }) => conditions[0]?.reason === 'Accepted'),
    );
  });

  it('denies it again without the policy', { timeout: 120_000 }, async () => {
    await change(() => world.api.kubectl(['delete', '-f', `${steps}/6-mcpauthpolicy.yaml`]));
    await expect(call()).rejects.toThrow('not allowed');
  });

  it('denies it when the policy went while the control plane was dead', { timeout: 120_000 }, async () => {
    await change(() => apply('6-mcpauthpolicy.yaml'));
    control.signal('SIGKILL');
    await control.ended();
    await world.api.kubectl(['delete', '-f', `${steps}/6-mcpauthpolicy.yaml`]);
    expect((await call()).content).toEqual([{ type: 'text', text: expect.stringContaining('# We the People') }]);
    await change(async () => {
      control = serve();
    });
    await expect(call()).rejects.toThrow('not allowed');
  });
});
