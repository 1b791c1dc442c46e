import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { serveFlags } from '../../src/cli/flags/serve-flags.ts';
import { deploy, shipped } from '../support/cluster/deployed.ts';

const guide = 'examples/guide';
const files = readdirSync(join(deploy, guide));
const everything = shipped(...files.map((file) => join(guide, file)));

it("the guide's folder has only manifests that kubectl and serve accept", () => {
  expect(files.filter((file) => !/^\d-[a-z-]+\.yaml$/.test(file))).toEqual([]);
  expect(everything.all.map(({ kind }) => kind)).not.toContain('Kustomization');
});

it("the guide's gateway connects to the base's Service", () => {
  const config: { readonly data: Readonly<Record<string, string>> } = JSON.parse(
    JSON.stringify(everything.all.find(({ kind }) => kind === 'ConfigMap')),
  );
  const { xds_address }: { xds_address: string } = JSON.parse(config.data['config.json'] ?? '');
  const { metadata, spec } = shipped('base/service.yaml').only('Service');
  const domain = serveFlags.find(({ name }) => name === 'cluster-domain')?.default;
  expect(xds_address).toBe(`http://${metadata.name}.${metadata.namespace}.svc.${domain}:${spec.ports[0]?.port}`);
});

it("the guide's class names the base's controller", () => {
  expect(everything.all.find(({ kind }) => kind === 'GatewayClass')).toMatchObject({
    spec: { controllerName: serveFlags.find(({ name }) => name === 'controller-name')?.default },
  });
});
