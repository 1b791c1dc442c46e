import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { decodeConfig } from '../../src/gateway/config/decode.ts';
import { asJsonObject, objectIn, objectsOf, textIn } from '../../src/json/json.ts';
import { deploy } from '../support/cluster/deployed.ts';

const documents = (file: string): readonly unknown[] =>
  parseAllDocuments(readFileSync(join(deploy, file), 'utf8')).map((document): unknown => document.toJS());

it('the secured example has a configuration that the gateway accepts', () => {
  const maps = documents('examples/secured/mcp-gateway.yaml').filter(
    (object) => textIn(object, 'kind') === 'ConfigMap',
  );
  const text = textIn(objectIn(maps[0], 'data'), 'config.json') ?? '';
  const { config, warnings } = decodeConfig(JSON.parse(text), (path) => path);
  expect(warnings).toEqual([]);
  expect(config.xdsSecurity).toMatchObject({ tls: { ca: '/xds/ca.crt' }, token: '/xds/token' });
});

it('the components add arguments that serve accepts together', () => {
  const components = ['xds-tls', 'xds-auth-token', 'debug-auth-token'].map(
    (name) => documents(`components/${name}/kustomization.yaml`)[0],
  );
  const patches = components.flatMap((component) => objectsOf(asJsonObject(component)['patches']));
  const operations = patches.flatMap((patch) =>
    parseAllDocuments(textIn(patch, 'patch') ?? '').flatMap((one): unknown => one.toJS()),
  );
  const args = objectsOf(operations).flatMap(({ path, value }) =>
    String(path).endsWith('/args/-') ? [String(value)] : [],
  );
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
  expect(serveSettings(readFlags(serveFlags, args, environment), environment)).toMatchObject({
    xdsTls: { mode: 'on' },
    debugAuth: { kind: 'token' },
    xdsAuth: { kind: 'required', tokens: { audience: 'gatehouse' }, certificates: undefined },
  });
});
