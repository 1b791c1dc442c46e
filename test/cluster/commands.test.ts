import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeAssets } from '../support/cluster/kube-apiserver.ts';
import { polled } from '../support/cluster/poll.ts';
import { type ClusterWorld, type Replica, startClusterWorld } from '../support/cluster/world.ts';
import { type CliRun, cli } from '../support/processes/terminal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  gatewayWith,
  mcpClass,
  mcpGateway,
  mcpPort,
  namespace,
  policy,
  serviceWith,
  together,
} from '../support/worlds/manifests.ts';

/** The commands that read a cluster once, and the page, in a cluster in which everybody has made a mistake. */

const listener = (more: string): string => `[{ name: mcp, port: 8080, protocol: kgateway.dev/mcp${more} }]`;
const labelled = ', allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { mcp: open } } } }';
const ofClass = (key: string, name: string): string =>
  gatewayWith(key, listener('')).replace('gatewayClassName: mcp', `gatewayClassName: ${name}`);

const faults = together(
  mcpClass,
  mcpClass.replace('name: mcp', 'name: other').replace('kgateway.dev/kgateway', 'kgateway.dev/kgatewy'),
  namespace('red'),
  mcpGateway('default/gw', 'from: Same'),
  gatewayWith('default/selecting', listener(labelled)),
  ofClass('default/typo', 'mpc'),
  ofClass('default/foreign', 'other'),
  serviceWith('default/tool', `{ ports: [${mcpPort(80)}] }`),
  serviceWith('default/plain', '{ ports: [{ port: 80 }] }'),
  serviceWith('default/misspelt', '{ ports: [{ port: 80, appProtocol: kgateway.dev/mpc }] }'),
  serviceWith('red/far', `{ ports: [${mcpPort(80)}] }`),
  policy('default/fine', 'gw', 'me', '{ kind: tool, name: "default/tool:run" }'),
  policy('default/far', 'gw', 'me', '{ kind: tool, name: "red/far:run" }'),
  policy('default/unmade', 'gw', 'me', '{ kind: tool, name: "default/misspelt:run" }'),
  policy('default/nowhere', 'gateway'),
  policy('default/elsewhere', 'foreign'),
);

const skipped = kubeAssets() === undefined;
let world: ClusterWorld;
let replica: Replica;
let access: readonly string[];

beforeAll(async () => {
  if (skipped) return;
  world = await startClusterWorld();
  await world.apply(faults);
  access = ['--cluster', `--kubeconfig=${await world.kubeconfig()}`];
  replica = await world.replica();
  await replica.synced;
}, 120_000);
afterAll(async () => world?.[Symbol.asyncDispose]());

const run = (...args: readonly string[]): Promise<CliRun> => cli([...args, ...access]);

/** What is said, by the path of the object that it is about. */
const told: readonly (readonly [at: string, message: RegExp])[] = [
  ['gateways/typo', /no GatewayClass "mpc"\. The nearest class of this controller is "mcp"/],
  ['gatewayclasses/other', /controllerName of its GatewayClass "other" is "kgateway\.dev\/kgatewy".*Correct it/],
  ['gateways/selecting', /would select "default" if that Namespace had the label mcp=open/],
  ['mcpauthpolicies/far', /no listener allows the namespace "red".*would allow it with "from: All"/],
  ['services/misspelt', /is "kgateway\.dev\/mpc".*write "kgateway\.dev\/mcp"/],
  ['mcpauthpolicies/nowhere', /no Gateway "gateway" in the namespace "default": the nearest is "gw"/],
  ['mcpauthpolicies/elsewhere', /Gateway default\/foreign is not of this controller/],
];

interface Said {
  readonly place: string;
  readonly message: string;
}

/** Requires exactly what {@link told} lists. */
function expectTold(said: readonly Said[]): void {
  const paths = (places: readonly string[]): readonly string[] => [...new Set(places)].sort();
  expect(paths(said.map(({ place }) => place.split('/').slice(-2).join('/')))).toEqual(paths(told.map(([at]) => at)));
  for (const [at, message] of told) {
    const about = said.filter(({ place }) => place.endsWith(`/${at}`)).map((one) => one.message);
    expect(about).toContainEqual(expect.stringMatching(message));
  }
}

function checked(): void {
  it('is an Event on the Gateway or the policy', async () => {
    const about = ['typo', 'selecting', 'far', 'nowhere', 'elsewhere'];
    const names = await polled(
      async () => {
        const { json } = await world.api.request('/apis/events.k8s.io/v1/namespaces/default/events');
        const { items } = json as { readonly items: readonly Readonly<Record<string, unknown>>[] };
        const hints = items.filter(({ reason }) => reason === 'PossibleMistake');
        const found = new Set(hints.map(({ regarding }) => String(Object(regarding).name)));
        return about.every((name) => found.has(name)) ? found : undefined;
      },
      () => 'not an Event for each',
    );
    expect(names).not.toContain('fine');
  });

  it('names each mistake by the path of its object, with the remedy, and nothing that is right', async () => {
    const { code, stdout, stderr } = await run('check', '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly (Said & { file: string })[] };
    expectTold(diagnostics.map(({ file, message }) => ({ place: file, message })));
  });

  it('fails for a warning when it is to be strict', async () => {
    expect((await run('check', '--strict')).code).toBe(1);
  });

  it('needs no right but to list', async () => {
    const { stdout } = await run('check');
    const rights = await world.api.kubectl(['get', 'clusterrole', 'gatehouse', '-o', 'json']);
    expect(stdout).toContain('; 0 errors');
    expect(rights).not.toContain('secrets');
  });

  it('says which right is missing, and to whom', async () => {
    const token = await world.api.serviceAccountToken('default', 'default');
    const kubeconfig = world.api.kubeconfig({ token });
    const { code, stderr } = await cli(['check', '--cluster', `--kubeconfig=${kubeconfig}`]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringMatching(/forbidden.*default:default/s) });
  });
}

const me = '--claims={"sub":"me"}';

function explained(): void {
  it.each([
    [['--gateway=gw', '--tool=default/tool:run'], /^allowed: .*\n {2}by MCPAuthPolicy default\/fine/],
    [['--gateway=gw', '--tool=red/far:run'], /it would fail nevertheless:\n.*would allow it with "from: All"/],
    [['--gateway=gw', '--tool=default/misspelt:run'], /services\/misspelt: .*Write "kgateway\.dev\/mcp"/],
    [['--gateway=gw', '--tool=default/plain:run'], /services\/plain: .*has no appProtocol\. Write "appProtocol: /],
    [
      ['--gateway=gw', '--tool=default/tool:walk'],
      /^denied: (?:.*\n)+.*policies\/fine: .*is for the tool "default\/tool:run"/,
    ],
    [
      ['--gateway=typo', '--tool=default/tool:run'],
      /1\. .*gateways\/typo: .*nearest class of this controller is "mcp"/,
    ],
    [['--gateway=gv'], /no Gateway .*nearest.*default\/gw/],
  ])('answers with the path of what decides: %j', async (asked, words) => {
    const { code, stdout } = await run('explain', me, ...asked);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(words) });
  });
}

function translated(): void {
  it('writes what a node of that cluster would be sent', async () => {
    const { code, stdout, stderr } = await run('translate', '--gateway=gw', '--dialect=mcp.kgateway.dev', '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { gateways } = JSON.parse(stdout) as Translated;
    const written = gateways[0]?.types.flatMap(({ resources }) =>
      resources.map(({ name, version }) => [name, version]),
    );
    const { targets, configs } = await replica.node('default/gw').settled();
    const held = Object.entries({ ...targets, ...configs }).map(([name]) => name);
    expect(written?.map(([name]) => name).sort()).toEqual(held.sort());
    expect(held).toContain('default/tool');
  });

  it('shows what a change of files would give to whom in the cluster', async () => {
    const file = join(temporaryFolder(), 'more.yaml');
    const stored = await world.api.kubectl(['get', 'services', 'tool', '-o', 'jsonpath={.spec.clusterIP}']);
    const tool = serviceWith('default/tool', `{ clusterIP: ${stored}, ports: [${mcpPort(80)}] }`);
    await writeFile(
      file,
      together(mcpClass, mcpGateway('default/gw', 'from: Same'), tool, policy('default/all', 'gw')),
    );
    const { code, stdout } = await run('translate', '--gateway=gw', '--exit-code', `--diff=${file}`);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining('callers whose "sub" is "me" may now call every tool of every target on Gateway'),
    });
  });
}

interface Translated {
  readonly gateways: readonly {
    readonly types: readonly { readonly resources: readonly { readonly name: string; readonly version: string }[] }[];
  }[];
}

function shown(): void {
  it('lists the same mistakes as check', async () => {
    const { body } = await replica.get('debug', '/debug/problems?limit=1000');
    const { items } = JSON.parse(body) as { readonly items: readonly Said[] };
    expectTold(items);
  });

  it('shows an object without what only programs read, and long annotations by their beginning', async () => {
    const long = `begin ${'x'.repeat(100_000)}`;
    const service = serviceWith('default/long', `{ ports: [${mcpPort(80)}] }`, `annotations: { note: "${long}" }`);
    await world.api.kubectl(['apply', '--server-side', '-f', '-'], { stdin: service });
    const body = await polled(
      async () => {
        const answer = await replica.get('debug', '/debug/object?kind=Service&key=default/long');
        return answer.status === 200 ? answer.body : undefined;
      },
      () => 'the Service is never known',
    );
    const { manifest } = JSON.parse(body) as { readonly manifest: string };
    expect(manifest).toContain('appProtocol: kgateway.dev/mcp');
    expect(manifest).toMatch(/note: .*begin/);
    expect(manifest).not.toMatch(/managedFields|resourceVersion/);
    expect(manifest.length).toBeLessThan(3_000);
  });

  it('shows what was applied once, and no Secret', async () => {
    const { body } = await replica.get('debug', '/debug/object?kind=Service&key=default/tool');
    const { manifest, place } = JSON.parse(body) as { readonly manifest: string; readonly place: string };
    expect(place).toBe('/api/v1/namespaces/default/services/tool');
    expect(manifest).not.toContain('last-applied');
    await world.apply('{ apiVersion: v1, kind: Secret, metadata: { name: hidden }, stringData: { key: precious } }');
    const secret = await replica.get('debug', '/debug/object?kind=Secret&key=default/hidden');
    expect(secret.status).toBe(400);
    expect(secret.body).not.toContain('precious');
  });
}

describe.skipIf(skipped)('check --cluster', checked);
describe.skipIf(skipped)('explain --cluster', explained);
describe.skipIf(skipped)('translate --cluster', translated);
describe.skipIf(skipped)('the page of a control plane of that cluster', shown);
