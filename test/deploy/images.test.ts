import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDockerfile, type Stage } from '../../scripts/install-check/dockerfile.ts';
import { commands } from '../../src/cli/commands.ts';
import { logFlags } from '../../src/cli/flags/log-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { type Container, shipped } from '../support/cluster/deployed.ts';

const text = readFileSync('Dockerfile', 'utf8');
const stages = parseDockerfile(text);
const images = ['gatehouse', 'mcp-gateway', 'mcp-tool'];
const image = (name: string): Stage => {
  const stage = stages.get(name);
  if (stage === undefined) throw new Error(`no stage ${name}`);
  return stage;
};
/** A base by tag and digest. */
const pinned = (name: string, image: string): RegExp =>
  new RegExp(`^ARG ${name}=${image}-\\S+@sha256:[0-9a-f]{64}$`, 'm');
/** How a Dockerfile and HCL write the value of a variable. */
const variable = (name: string): string => `\${${name}}`;
const containerIn = (file: string): Container => shipped(file).only('Deployment').spec.template.spec.containers[0];

describe('the images', () => {
  it.each([
    ['gatehouse', 'base/deployment.yaml', 'gatehouse', 'serve'],
    ['mcp-gateway', 'examples/guide/4-mcp-gateway.yaml', 'mcp-gateway', 'gateway'],
    ['mcp-tool', 'examples/guide/5-mcp-tool.yaml', 'markitdown-mcp', 'mcp-tool'],
  ])('%s parses the arguments of its Deployment', (target, file, name, command) => {
    const container = containerIn(file);
    expect(container.image).toMatch(new RegExp(`^ctlptl-registry:5000/${name}:`));
    const [node, entry, ...words] = image(target).entrypoint;
    expect([node, entry]).toEqual(['/nodejs/bin/node', '/app/dist/main.js']);
    const [first, ...args] = [...words, ...container.args];
    expect(first).toBe(command);
    const known = commands.find((candidate) => candidate.name === first)?.flags ?? [];
    expect(readFlags([...known, ...logFlags], args, {}).positionals).toEqual([]);
    const ports = (container.ports ?? []).map(({ containerPort }) => containerPort);
    expect(image(target).exposed).toEqual(expect.arrayContaining(ports));
  });

  it('expose the ports that their programs listen on', () => {
    const gateway: { readonly listener: { readonly port: number } } = JSON.parse(
      JSON.parse(JSON.stringify(shipped('examples/guide/4-mcp-gateway.yaml').all.at(-1))).data['config.json'],
    );
    expect(image('mcp-gateway').exposed).toEqual([gateway.listener.port]);
    expect(image('gatehouse').exposed).toEqual([9977, 9092]);
  });

  it('run serve without arguments, and are the default target', () => {
    expect(image('gatehouse').defaultArguments).toEqual(['serve']);
    expect([...stages.keys()].at(-1)).toBe('gatehouse');
  });

  it.each(images)('%s runs as the user of the Deployment, and has labels', (name) => {
    const { runAsUser } = shipped('base/deployment.yaml').only('Deployment').spec.template.spec.securityContext;
    expect(image(name).user).toBe(`${runAsUser}:${runAsUser}`);
    expect(image(name).environment).toMatchObject({ NODE_ENV: 'production' });
    expect(image(name).labels).toMatchObject({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': variable('VERSION'),
      'org.opencontainers.image.revision': variable('REVISION'),
      'org.opencontainers.image.source': variable('SOURCE'),
      'org.opencontainers.image.description': expect.stringMatching(/\w/),
    });
  });

  it('are built with the required Node, and contain no package beside dist/', () => {
    const { engines }: { engines: { node: string } } = JSON.parse(readFileSync('package.json', 'utf8'));
    const major = engines.node.replace('>=', '');
    expect(text).toMatch(pinned('BUILD_IMAGE', `node:${major}`));
    expect(text).toMatch(pinned('RUNTIME_IMAGE', `gcr.io/distroless/nodejs${major}`));
    const npm = image('build').steps.flatMap((step) => (step.kind === 'run' ? [step.command] : []));
    expect(npm.slice(0, 2)).toEqual(['npm ci --ignore-scripts --no-audit --no-fund', 'npm run -s build']);
    const copied = image('runtime').steps.flatMap((step) => (step.kind === 'copy' ? step.sources : []));
    expect(copied).toEqual(['/app/package.json', '/app/LICENSE', '/app/dist']);
  });

  it('copy what .dockerignore does not exclude', () => {
    const copied = image('build').steps.flatMap((step) => (step.kind === 'copy' ? step.sources : []));
    const lines = readFileSync('.dockerignore', 'utf8').split('\n');
    const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(
      rules
        .slice(1)
        .map((rule) => rule.replace('!', ''))
        .toSorted(),
    ).toEqual(copied.toSorted());
  });
});

it('the image of the gateway returns the memory of large answers to the system', () => {
  const { MALLOC_MMAP_THRESHOLD_, MALLOC_ARENA_MAX } = image('mcp-gateway').environment;
  expect([MALLOC_MMAP_THRESHOLD_, MALLOC_ARENA_MAX]).toEqual(['131072', '1']);
});

it.each([
  ['gatehouse', 'base/deployment.yaml'],
  ['mcp-gateway', 'examples/deployments/mcp-gateway.yaml'],
  ['mcp-tool', 'examples/deployments/mcp-tool.yaml'],
])('the Deployment of %s repeats the NODE_OPTIONS of its image, which it replaces', (target, file) => {
  const flags = image(target).environment['NODE_OPTIONS']?.split(' ') ?? [];
  const own = containerIn(file)
    .env.find(({ name }) => name === 'NODE_OPTIONS')
    ?.value?.split(' ');
  expect(own).toEqual(expect.arrayContaining(flags));
});

describe('docker-bake.hcl', () => {
  const bake = readFileSync('docker-bake.hcl', 'utf8');

  it('builds every image under its name in the manifests', () => {
    const built = Array.from(
      bake.matchAll(/target "(\S+)" \{\n +inherits = \["image"\]\n +target +(?:= "\1")\n +tags +(= .*)/g),
      ([, target, tags]) => [target, tags],
    );
    const tag = (name: string): string => `= ["${variable('REGISTRY')}/${name}:${variable('VERSION')}"]`;
    expect(built).toEqual([
      ['gatehouse', tag('gatehouse')],
      ['mcp-gateway', tag('mcp-gateway')],
      ['mcp-tool', tag('markitdown-mcp')],
    ]);
    expect(bake).toContain(`targets = ${JSON.stringify(images).replaceAll(',', ', ')}`);
  });

  it('sets every argument of the Dockerfile, with the same bases', () => {
    const declared = Array.from(text.matchAll(/^ARG (\w+)=(\S+)$/gm), ([, name, value]) => [name, value]);
    const variables = bake.matchAll(/^variable "(\w+)" \{\s+default = "(.*)"\s/gm);
    const set = Array.from(variables, ([, name, value]) => [name, value]).filter(([name]) => name !== 'REGISTRY');
    expect(set.toSorted()).toEqual(declared.toSorted());
    for (const [name] of declared) expect(bake).toMatch(new RegExp(`^ {4}${name} += ${name}$`, 'm'));
  });
});

describe('the bases of a release', () => {
  // As in HCL: the text of the pattern is also one of JavaScript.
  const conditions = Array.from(
    readFileSync('docker-bake.hcl', 'utf8').matchAll(
      /condition +(?:= VERSION == "unknown" \|\| length\(regexall\("(.+)", (\w+)\)\) == 1)$/gm,
    ),
    ([, pattern = '', name = '']) => ({ pattern: new RegExp(pattern), name }),
  );

  it('are named by digest, or docker-bake.hcl refuses to build', () => {
    expect(conditions.map(({ name }) => name)).toEqual(['BUILD_IMAGE', 'RUNTIME_IMAGE']);
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
    for (const { pattern } of conditions) {
      expect(`node:24@${digest}`).toMatch(pattern);
      for (const wrong of ['node:24', 'node:24@', `node:24@${digest}0`, 'node:24@sha256:0', `node@${digest}:24`]) {
        expect(wrong).not.toMatch(pattern);
      }
    }
  });
});

describe('parsing a Dockerfile', () => {
  it('merges a stage with its base', () => {
    const read = parseDockerfile(
      'FROM x AS a\nWORKDIR /app\nUSER 1\nENV A=1 \\\n    B="2 3"\nENTRYPOINT ["a"]\nFROM a AS b\nEXPOSE 1 2\nCMD ["c"]',
    );
    expect(read.get('b')).toEqual({
      name: 'b',
      steps: [{ kind: 'workdir', path: '/app' }],
      user: '1',
      exposed: [1, 2],
      environment: { A: '1', B: '2 3' },
      labels: {},
      entrypoint: ['a'],
      defaultArguments: ['c'],
    });
    expect(read.get('a')?.exposed).toEqual([]);
  });

  it.each([
    ['an instruction that it does not know', 'FROM x AS a\nADD a b', 'ADD a b: teach'],
    ['a copy that it cannot follow', 'FROM x AS a\nCOPY --chown=1 a b', 'COPY --chown=1 a b: only'],
    ['a copy of nothing', 'FROM x AS a\nCOPY a', 'COPY a: only'],
    ['a shell between the container and its program', 'FROM x AS a\nENTRYPOINT node a', 'give it as a JSON list'],
    ['a stage without a name', 'FROM x', 'every stage has a name'],
    ['a step of no stage', 'RUN x', 'before the first FROM'],
  ])('refuses %s', (_what, wrong, message) => {
    expect(() => parseDockerfile(wrong)).toThrow(message);
  });
});
