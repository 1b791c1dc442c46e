import { describe, expect, it } from 'vitest';
import type { Collection, Commit } from '../../src/graph/model.ts';
import { createTranslatedWorld, type Manifest, type TranslatedWorld } from '../support/worlds/translated-world.ts';
import { gateway, gatewayClass, namespace, policy, service } from './manifests.ts';

/**
 * Counts the cost of one edit: runs of transformations, and changes of outputs. The numbers must be equal for a hundred
 * and for five hundred objects of each kind.
 */
const sizes = [100, 500];

/** `size` namespaces (of two teams), Services and policies, and ten Gateways, five for each team. */
function createLargeWorld(size: number): TranslatedWorld {
  const world = createTranslatedWorld({}, false);
  const each = [...Array(size).keys()];
  const gateways = [...Array(10).keys()];
  world.apply(
    gatewayClass,
    ...gateways.map((at) => gatewayOf(`gateway-${at}`, teamOf(at))),
    ...each.map((at) => namespace(`ns-${at}`, { team: teamOf(at) })),
    ...each.map((at) => service(`ns-${at}`, 80)),
    ...each.map((at) =>
      policy(`policy-${at}`, { gateway: `gateway-${at % 10}`, tool: `ns-${at}/tool:run`, subject: 'me' }),
    ),
  );
  return world;
}

function teamOf(at: number): string {
  return at % 2 === 0 ? 'even' : 'odd';
}

/** A Gateway that allows the namespaces of one team. */
function gatewayOf(name: string, team: string, port?: number): Manifest {
  return gateway(name, { from: 'Selector', selector: { matchLabels: { team } } }, port);
}

/** The number of changed entries by output; outputs without a change are left out. */
function changesIn({ translation }: TranslatedWorld, commit: Commit): Readonly<Record<string, number>> {
  const { deriveListeners, attachedPolicies, attachedGateways, ...outputs } = translation;
  const collections: Readonly<Record<string, Collection<unknown>>> = outputs;
  const counts = Object.entries(collections).map(([name, output]) => [name, commit.changes(output).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

describe.each(sizes)('with %i Services, namespaces and policies', (size) => {
  it('an edited Service costs four runs and changes one target', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(service('ns-7', 81));
    expect(changesIn(world, commit)).toEqual({ targets: 1 });
    expect(commit.runs).toBe(4);
  });

  it('a Service without MCP costs at most one run per change, and changes nothing', () => {
    const world = createLargeWorld(size);
    const web = (port: number): Manifest => service('ns-7', port, { name: 'web', appProtocol: 'http' });
    const commits = [world.apply(web(80)), world.apply(web(81)), world.remove('Service', 'ns-7/web')];
    expect(commits.map((commit) => changesIn(world, commit))).toEqual([{}, {}, {}]);
    // The decoder drops the port of such a Service: the two Services are equal.
    expect(commits.map(({ runs }) => runs)).toEqual([1, 0, 0]);
  });

  it('an equal object costs nothing', () => {
    const world = createLargeWorld(size);
    expect(
      world.apply(service('ns-7', 80), gatewayOf('gateway-1', 'odd'), namespace('ns-7', { team: 'odd' })).runs,
    ).toBe(0);
  });

  it('a relabelled namespace changes the Gateways whose selectors match differently, and policies that name its targets', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(namespace('ns-7', { team: 'even' }));
    expect(changesIn(world, commit)).toEqual({ gateways: 10, policyStatuses: 1 });
    // Its labels; two selectors, and how many namespaces each looks at; ten Gateways, one policy.
    expect(commit.runs).toBe(1 + 2 * 2 + 10 + 1);
  });

  it('a label that no selector uses changes nothing', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(namespace('ns-7', { team: 'odd', phase: 'test' }));
    expect(changesIn(world, commit)).toEqual({});
    // Its labels, the selector that selects it with its number of namespaces, and the policy that names its target.
    expect(commit.runs).toBe(4);
  });

  it('a namespace without targets costs nothing', () => {
    const world = createLargeWorld(size);
    expect(world.apply(namespace('empty', { team: 'odd' })).runs).toBe(0);
  });

  it('a new target changes the status of the policies that name it', () => {
    const world = createLargeWorld(size);
    world.remove('Service', 'ns-7/tool');
    const commit = world.apply(service('ns-7', 80));
    expect(changesIn(world, commit)).toEqual({ targets: 1, gateways: 5, policyStatuses: 1 });
    // The Service's four, the namespace's labels, one selector with its number of namespaces, five Gateways, one policy.
    expect(commit.runs).toBe(4 + 1 + 2 + 5 + 1);
  });

  it('a second target in a namespace runs no Gateway', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(service('ns-7', 80, { name: 'second' }));
    expect(changesIn(world, commit)).toEqual({ targets: 1 });
    expect(commit.runs).toBe(4);
  });
});

describe.each(sizes)('with %i policies', (size) => {
  it('an edited policy changes its Config and its own status, and neither a Gateway nor an attachment', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(policy('policy-7', { gateway: 'gateway-7', tool: 'ns-7/tool:run', subject: 'you' }));
    expect(changesIn(world, commit)).toEqual({ configs: 1, policyStatuses: 1 });
    expect(commit.runs).toBe(6);
  });

  it('a policy that moves to another Gateway changes two attachments', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(policy('policy-7', { gateway: 'gateway-8', tool: 'ns-8/tool:run', subject: 'me' }));
    expect(changesIn(world, commit)).toMatchObject({ configs: 1, attachments: 2 });
    expect(commit.changes(world.translation.gateways)).toEqual([]);
    expect(commit.runs).toBe(10);
  });

  it('a Gateway whose listener moves to another port changes no output that is served', () => {
    const world = createLargeWorld(size);
    const commit = world.apply(gatewayOf('gateway-1', 'odd', 9090));
    expect(changesIn(world, commit)).toEqual({});
    expect(commit.runs).toBe(2);
  });
});

/** A Gateway with fifty listeners whose selectors only exclude, so that any namespace may be selected. */
function excludingGateway(name: string): Manifest {
  const listeners = Array.from({ length: 50 }, (_, at) => {
    const selector = { matchExpressions: [{ key: `${name}-${at}`, operator: 'DoesNotExist' }] };
    const allowedRoutes = { namespaces: { from: 'Selector', selector } };
    return { name: `l${at}`, port: 1_000 + at, protocol: 'kgateway.dev/mcp', allowedRoutes };
  });
  return { ...gateway(name, undefined), spec: { gatewayClassName: 'mcp', listeners } };
}

describe.each(sizes)('with %i namespaces, and Gateways with many listeners that only exclude', (size) => {
  it('a change of a namespace runs each such Gateway once', () => {
    const world = createLargeWorld(size);
    world.apply(excludingGateway('one'), excludingGateway('two'));
    const commit = world.apply(namespace('ns-7', { team: 'odd', phase: 'test' }));
    expect(changesIn(world, commit)).toEqual({});
    // The labels, the selector that selects it, the policy that names its target, and the two Gateways; the numbers of
    // namespaces that the three look at.
    expect(commit.runs).toBe(3 + 2 + 3);
  });

  it('such a Gateway that is added runs no other Gateway', () => {
    const world = createLargeWorld(size);
    world.apply(excludingGateway('one'));
    const commit = world.apply(excludingGateway('two'));
    // Each of the nine transformations of a Gateway, and each of the four of what it may select, at most once.
    expect(commit.runs).toBeLessThanOrEqual(9 + 4);
  });
});
