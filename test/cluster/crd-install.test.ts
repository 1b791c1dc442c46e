import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectsOf } from '../../src/json/json.ts';
import { type Manifest, parseManifest } from '../../src/source/files/manifest/parse-manifest.ts';
import { policySummary } from '../../src/status/conditions/policy-summary.ts';
import { type KubeApiServer, kubeAssets, startKubeApiServer } from '../support/cluster/kube-apiserver.ts';

const guide = fileURLToPath(new URL('../../deploy/examples/guide', import.meta.url));
const policy = '/apis/gateway.kgateway.dev/v1alpha1/namespaces/default/mcpauthpolicies/mcp-jq-auth';

let cluster: KubeApiServer;

describe.skipIf(kubeAssets() === undefined)('an API server with our CRDs', () => {
  beforeAll(async () => {
    cluster = await startKubeApiServer();
    await cluster.installOwnCrds();
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  takesObjects();
  showsAndKeepsStatus();
});

function takesObjects(): void {
  // The second version is installed over the first, as in an upgrade.
  it.each(['v1.0.0', 'v1.6.1'] as const)(
    "takes the guide's objects as they are, with the Gateway API %s",
    async (version) => {
      await cluster.installGatewayApi(version);
      await cluster.kubectl(['apply', '--validate=strict', `--filename=${guide}`]);
      const again = await cluster.kubectl(['apply', `--filename=${guide}`]);
      expect(
        again
          .trim()
          .split('\n')
          .map((line) => line.split(' ').at(-1)),
      ).toEqual(Array(9).fill('unchanged'));
      expect(await cluster.kubectl(['diff', `--filename=${guide}`])).toBe('');
      expect(await stored('gateway/mcp-gateway', '{.spec.listeners[*].protocol}')).toBe('kgateway.dev/mcp');
    },
  );

  it("gives the guide's objects back as a file that means the same", async () => {
    const everything = 'gatewayclasses,gateways,gatewayparameters,mcpauthpolicies,services';
    const exported = parseManifest(await cluster.kubectl(['get', everything, '--output=yaml']), []);
    if (!exported.ok) throw new Error(exported.reason);
    expect(exported.diagnostics).toEqual([]);
    const found = exported.objects.flatMap(({ content }) => (content.type === 'resource' ? [content.resource] : []));
    expect(found.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'Gateway mcp-gateway',
      'GatewayClass mcp',
      'GatewayParameters kgateway',
      'MCPAuthPolicy mcp-jq-auth',
      'Service kubernetes',
      'Service mcp-gateway',
      'Service mcp-tool',
    ]);
    const written = parseManifest(readFileSync(`${guide}/6-mcpauthpolicy.yaml`, 'utf8'), []);
    expect(found.find(({ kind }) => kind === 'MCPAuthPolicy')).toEqual(resourceOf(written, 1));
  });

  it('keeps what is inside selfManaged', async () => {
    const spec = { selfManaged: { some: { thing: [1, null] } } };
    const parameters = {
      apiVersion: 'gateway.kgateway.dev/v1alpha1',
      kind: 'GatewayParameters',
      metadata: { name: 'kept' },
      spec,
    };
    await cluster.kubectl(['apply', '--filename=-'], { stdin: JSON.stringify(parameters) });
    expect(await stored('gwp/kept', '{.spec}')).toBe(JSON.stringify(spec));
  });
}

function showsAndKeepsStatus(): void {
  it('shows the state of a policy in columns', async () => {
    await writeStatus([ancestor('mcp-gateway', 'All of it.')]);
    expect(await table([])).toEqual([
      ['NAME', 'GATEWAY', 'ACCEPTED', 'REASON', 'GRANTS', 'ALLOWS', 'MESSAGE', 'AGE'],
      ['mcp-jq-auth', 'mcp-gateway', 'True', 'Accepted', '3', grants.allows, 'All of it.', expect.any(String)],
    ]);
    expect(await table(['--output=wide'])).toEqual([
      ['NAME', 'GATEWAY', 'ACCEPTED', 'REASON', 'GRANTS', 'ALLOWS', 'MESSAGE', 'DROPPED', 'AGE'],
      ['mcp-jq-auth', 'mcp-gateway', 'True', 'Accepted', '3', grants.allows, 'All of it.', 'True', expect.any(String)],
    ]);
    expect(await cluster.kubectl(['get', 'kgateway', '--output=name'])).toContain('/mcp-jq-auth\n');
  });

  it('shows at how many of several Gateways a policy is accepted, and where it is not', async () => {
    await writeStatus([ancestor('a', 'Yes.'), ancestor('b', 'Yes.'), ancestor('c', 'No.', 2, 'False')]);
    const [, row] = await table([]);
    expect(row?.slice(0, 4)).toEqual(['mcp-jq-auth', 'a, b, c', '2 of 3', 'Denied']);
    expect(row?.at(-2)).toBe('c: No. a, b: Yes.');
  });

  it('keeps status and spec apart', async () => {
    const before = await writeStatus([ancestor('mcp-gateway', 'Before.')]);
    const answer = await cluster.request(policy, {
      method: 'PATCH',
      type: 'application/merge-patch+json',
      body: { spec: { rules: [] }, status: { ancestors: [] } },
    });
    expect(answer.json).toMatchObject({
      metadata: { generation: before + 1 },
      status: { ancestors: [{ conditions: [{ message: 'Before.' }, { type: 'kgateway.dev/PartiallyInvalid' }] }] },
    });
    expect(await writeStatus([ancestor('mcp-gateway', 'After.')])).toBe(before + 1);
  });

  it('has room for sixteen ancestors, each with eight conditions', async () => {
    const sixteen = Array.from({ length: 16 }, (_, position) => ancestor(`gateway-${position}`, 'x'.repeat(1000), 8));
    await writeStatus(sixteen);
    await expect(writeStatus([...sixteen, ancestor('one-too-many')])).rejects.toThrow('at most 16 items');
    await expect(writeStatus([ancestor('g', '', 9)])).rejects.toThrow('at most 8 items');
  });
}

/** The only object of a file, as the API server has it: with its generation. */
function resourceOf(manifest: Manifest, generation: number): unknown {
  const content = manifest.ok ? manifest.objects[0]?.content : undefined;
  if (content?.type !== 'resource') throw new Error('The file has no object.');
  const { resource } = content;
  return { ...resource, metadata: { ...resource.metadata, namespace: 'default', generation } };
}

/** What a JSONPath finds in an object. */
function stored(object: string, path: string): Promise<string> {
  return cluster.kubectl(['get', object, `--output=jsonpath=${path}`]);
}

/** What `kubectl get` prints, cell by cell. */
async function table(options: readonly string[]): Promise<readonly (readonly string[])[]> {
  const text = await cluster.kubectl(['get', 'mcpauth', 'mcp-jq-auth', ...options]);
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

/** What a controller writes about three rules. */
const grants = { grants: 3, allows: 'sub=me: tool default/mcp-tool:convert_to_markdown and 2 more' };

function ancestor(name: string, message = '', conditions = 2, status: 'True' | 'False' = 'True'): unknown {
  const types = [
    'Accepted',
    'kgateway.dev/PartiallyInvalid',
    ...Array.from({ length: 8 }, (_, extra) => `a.b/C${extra}`),
  ];
  const reason = status === 'True' ? 'Accepted' : 'Denied';
  const condition = { status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' };
  return {
    ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
    controllerName: 'kgateway.dev/kgateway',
    conditions: types.slice(0, conditions).map((type) => ({ ...condition, type, observedGeneration: 1 })),
  };
}

/** Returns the policy's generation. */
async function writeStatus(ancestors: readonly unknown[]): Promise<number> {
  const answer = await cluster.request(`${policy}/status`, {
    method: 'PATCH',
    type: 'application/merge-patch+json',
    body: { status: { ...grants, summary: policySummary(objectsOf(ancestors)), ancestors } },
  });
  if (answer.status !== 200) throw new Error(answer.text);
  const { metadata }: { metadata: { generation: number } } = JSON.parse(answer.text);
  return metadata.generation;
}
