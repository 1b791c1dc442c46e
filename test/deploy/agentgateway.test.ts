import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveFlags } from '../../src/cli/flags/serve-flags.ts';
import { deploy, shipped } from '../support/cluster/deployed.ts';
import { guideJwk } from '../support/processes/guide.ts';
import { createTranslatedWorld, type Manifest } from '../support/worlds/translated-world.ts';

const folder = 'examples/agentgateway';
const files = readdirSync(join(deploy, folder)).filter((file) => file.endsWith('.yaml'));
const everything = shipped(...files.map((file) => join(folder, file)));
const guide = (file: string): unknown => shipped(join('examples/guide', file)).all;
const example = (file: string): unknown => shipped(join(folder, file)).all;

it('agentgateway is started with three settings, which lead to the control plane and the Gateway', () => {
  const deployment = everything.all.find(({ metadata }) => metadata.name === 'agentgateway');
  const { metadata, spec } = shipped('base/service.yaml').only('Service');
  const domain = serveFlags.find(({ name }) => name === 'cluster-domain')?.default;
  expect(deployment).toMatchObject({
    spec: {
      template: {
        spec: {
          containers: [
            {
              image: expect.stringMatching(/^cr\.agentgateway\.dev\/agentgateway:v1\./),
              env: [
                {
                  name: 'XDS_ADDRESS',
                  value: `http://${metadata.name}.${metadata.namespace}.svc.${domain}:${spec.ports[0]?.port}`,
                },
                { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                { name: 'GATEWAY', value: 'mcp-gateway' },
              ],
            },
          ],
        },
      },
    },
  });
});

it('the Gateway and the tool are those of the guide, and the policy but for its signers', () => {
  expect(example('2-gateway.yaml')).toEqual(guide('3-gateway.yaml'));
  expect(example('4-mcp-tool.yaml')).toEqual(guide('5-mcp-tool.yaml'));
  const [{ spec: { jwt, ...spec } = { jwt: undefined }, ...policy } = {}] = JSON.parse(
    JSON.stringify(example('5-mcpauthpolicy.yaml')),
  );
  expect(jwt).toBeDefined();
  expect([{ ...policy, spec }]).toEqual(guide('6-mcpauthpolicy.yaml'));
});

it("tokens of the guide's issuer count at the Gateway, and nothing of the example is in doubt", () => {
  const world = createTranslatedWorld();
  const read = ['GatewayClass', 'Gateway', 'Service', 'MCPAuthPolicy'];
  const manifests: readonly Manifest[] = JSON.parse(JSON.stringify(everything.all));
  world.apply(...manifests.filter(({ kind }) => read.includes(kind)));
  const { use: _, ...key } = guideJwk;
  const [provider, ...others] = world.translation.jwtProviders.get('default/mcp-gateway') ?? [];
  expect(others).toEqual([]);
  expect({ ...provider, keys: provider?.keys.map(({ json }) => JSON.parse(json)) }).toEqual({
    issuer: 'me',
    audiences: ['me.com'],
    keys: [key],
  });
  const conditions = world.translation.policyStatuses.get('default/mcp-jq-auth')?.ancestors[0]?.conditions;
  expect(conditions?.map(({ message }) => message)).toEqual(['The policy is accepted.']);
});
