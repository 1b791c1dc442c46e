import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDockerfile } from '../../scripts/install-check/dockerfile.ts';
import { kubeAssets } from '../support/cluster/assets.ts';
import { deploy, type Manifests, rendered, shipped } from '../support/cluster/deployed.ts';

const readme = readFileSync(join(deploy, 'README.md'), 'utf8');
const assets = kubeAssets();
const kubectl = join(assets ?? '', 'kubectl');

/** The files of each overlay in the page, in order: path and text. */
function overlays(): readonly (readonly (readonly [string, string])[])[] {
  const found: (readonly [string, string])[][] = [];
  for (const [, path = '', text = ''] of readme.matchAll(/```yaml\n# (my-gatehouse\/\S+?yaml)[^\n]*\n(.*?)```/gs)) {
    if (path === 'my-gatehouse/kustomization.yaml') found.push([]);
    found.at(-1)?.push([path, text]);
  }
  return found;
}

/** @param more text to append to the first file */
function render(files: readonly (readonly [string, string])[] = [], more = ''): Manifests {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'));
  try {
    symlinkSync(deploy, join(folder, 'deploy'));
    for (const [index, [path, text]] of files.entries()) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), index === 0 ? text + more : text);
    }
    return rendered(kubectl, join(folder, 'my-gatehouse'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const argumentsOf = (manifests: Manifests): readonly string[] =>
  manifests.only('Deployment').spec.template.spec.containers[0].args;

describe.skipIf(assets === undefined)('an overlay of deploy/README.md', () => {
  const [own, anotherNamespace, secured, ...others] = overlays();

  it('is one of the three that this test renders', () => {
    expect(others).toEqual([]);
  });

  it('sets an image, a flag and a NetworkPolicy', () => {
    const manifests = render(own);
    expect(argumentsOf(manifests)).toEqual(['serve', '--external-name-services=false']);
    const [container] = manifests.only('Deployment').spec.template.spec.containers;
    expect(container.image).toBe('registry.example.com/gatehouse:0.2.0');
    expect(manifests.all.map(({ kind }) => kind)).toContain('NetworkPolicy');
  });

  it('admits only the namespaces of gateways', () => {
    const patch = /```yaml\npatches:\n(- target: \{ kind: NetworkPolicy.*?)```/s.exec(readme)?.[1];
    expect(patch).toBeDefined();
    expect(render(own, patch).all.find(({ kind }) => kind === 'NetworkPolicy')).toMatchObject({
      spec: {
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'team-a' } } }] },
          { ports: [{ port: 'metrics' }] },
        ],
      },
    });
  });

  it('adds a watched namespace with a Role for the same service account', () => {
    const manifests = render(anotherNamespace);
    expect(argumentsOf(manifests)).toEqual(['serve', '--namespace=default', '--namespace=team-a']);
    const bindings = manifests.of('RoleBinding').filter(({ metadata }) => metadata.name === 'gatehouse');
    expect(bindings.map(({ metadata }) => metadata.namespace)).toEqual(['default', 'team-a']);
    for (const { subjects } of bindings) expect(subjects[0]?.namespace).toBe('kgateway-system');
  });

  it('secures the port of the gateways', () => {
    const manifests = render(secured);
    expect(argumentsOf(manifests)).toEqual(expect.arrayContaining(['--xds-tls=on', '--xds-auth=token']));
    expect(manifests.all.map(({ kind }) => kind)).toContain('Certificate');
  });
});

describe('deploy/README.md', () => {
  it('names folders, files and pages that exist', () => {
    const commands = [...readme.matchAll(/-[kf] (deploy\S*?)[\s`]/g)].map(([, path = '']) => join(deploy, '..', path));
    const links = [...readme.matchAll(/\]\((?!http|#)([^)]+)\)/g)].map(([, path = '']) =>
      join(deploy, path.replace(/#.*/, '')),
    );
    expect(commands.length).toBeGreaterThan(5);
    expect(links.length).toBeGreaterThan(2);
    expect([...commands, ...links].filter((path) => !existsSync(path))).toEqual([]);
  });

  it('builds and pushes every image under its name in the manifests', () => {
    const built = new Map(
      Array.from(readme.matchAll(/docker build --target (\S+) +((?:-t \S+ )+)\./g), ([, target = '', tags = '']) => [
        target,
        tags.match(/[^\s:]\S+:\S+/g) ?? [],
      ]),
    );
    const imageIn = (file: string): string => shipped(file).only('Deployment').spec.template.spec.containers[0].image;
    expect(Object.fromEntries(built)).toEqual({
      gatehouse: [imageIn('base/deployment.yaml')],
      'mcp-gateway': [imageIn('examples/deployments/mcp-gateway.yaml'), imageIn('examples/guide/4-mcp-gateway.yaml')],
      'mcp-tool': [imageIn('examples/deployments/mcp-tool.yaml'), imageIn('examples/guide/5-mcp-tool.yaml')],
    });
    const stages = parseDockerfile(readFileSync('Dockerfile', 'utf8'));
    expect([...built.keys()].filter((target) => !stages.has(target))).toEqual([]);
    const pushed = Array.from(readme.matchAll(/^docker push (\S+)$/gm), ([, tag]) => tag);
    expect(pushed).toEqual([...built.values()].flat());
    const named = readdirSync(deploy, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yaml') && !file.startsWith('helm'))
      .flatMap((file) => readFileSync(join(deploy, file), 'utf8').match(/(?<=image: )ctlptl-registry\S+/g) ?? []);
    expect(new Set(named), 'every image of a manifest is one of them').toEqual(new Set(pushed));
  });

  it('says first that the base replaces kgateway', () => {
    expect(readme.split('\n')[2]).toMatch(/^\*\*`kubectl apply -k deploy` takes kgateway's place\.\*\*/);
  });
});
