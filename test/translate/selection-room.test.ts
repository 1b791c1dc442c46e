import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { UnresolvedGateway } from '../../src/translate/gateway/allowed-namespaces.ts';
import { maxSelectedNamespaces, selectorClaimOf } from '../../src/translate/gateway/allowed-namespaces.ts';
import { type LabelledNamespace, labelIndexValues } from '../../src/translate/gateway/namespace-selector.ts';
import { selectorSetFromKey, selectorSetKey } from '../../src/translate/gateway/selector-set.ts';
import { deriveCrowdedClaims, deriveSelectorClaims } from '../../src/translate/selection-room.ts';
import { createTranslatedWorld, type Manifest } from '../support/worlds/translated-world.ts';
import { gateway, gatewayClass, namespace, service } from './manifests.ts';

/** A Gateway `<namespace>/<name>` that selects a team; `+` after it adds its own namespace. */
interface SelectingGateway {
  readonly key: string;
  readonly team: string;
  readonly withOwn?: boolean;
}

/** Gateways that select namespaces by their team, in a graph of its own. */
function createRoom(limit: number) {
  const graph = createGraph({ check: true });
  const namespaces = graph.source<LabelledNamespace>({ name: 'namespaces' });
  const byLabel = graph.index(namespaces, labelIndexValues, { name: 'by-label' });
  const gateways = graph.source<UnresolvedGateway>({ name: 'gateways' });
  const claims = deriveSelectorClaims(graph, gateways);
  const sets = graph.derive(graph.indexValues(claims.bySelectors, { name: 'keys' }), selectorSetFromKey, {
    name: 'sets',
  });
  const crowded = deriveCrowdedClaims(graph, claims, sets, { indexed: { namespaces, byLabel }, limit });
  const unresolved = ({ key, team, withOwn }: SelectingGateway): UnresolvedGateway => {
    const [namespace = ''] = key.split('/');
    const selectors = selectorSetKey([{ requirements: [{ operator: 'In', key: 'team', values: [team] }] }]);
    return {
      kind: 'served',
      allowed: { kind: 'some', namespace, own: withOwn === true ? namespace : undefined, selectors },
    };
  };
  return {
    /** Makes a team of some namespaces. */
    team: (team: string, size: number) =>
      graph.commit(() => {
        for (let at = 0; at < size; at += 1) {
          const name = `${team}-${at}`;
          namespaces.set(name, { name, labels: new Map([['team', team]]) });
        }
      }),
    add: (...added: readonly SelectingGateway[]) =>
      graph.commit(() => {
        for (const gateway of added) gateways.set(gateway.key, unresolved(gateway));
      }),
    remove: (key: string) => graph.commit(() => gateways.delete(key)),
    /** The keys of the Gateways without room. */
    crowded: () =>
      [...gateways.entries()].flatMap(([key, gateway]) => {
        const claim = selectorClaimOf(gateway);
        return claim !== undefined && crowded.get(claim) === true ? [key] : [];
      }),
    counted: () => graph.dump().find(({ name }) => name === 'selections/sizes')?.size,
  };
}

describe('the room of what Gateways select', () => {
  it('has no owners as long as all together fit, and then nothing is counted', () => {
    const room = createRoom(16);
    room.team('red', 8);
    room.team('blue', 8);
    room.add({ key: 'a/red', team: 'red' }, { key: 'b/blue', team: 'blue' });
    expect(room.crowded()).toEqual([]);
    expect(room.counted()).toBe(0);
  });

  it('is an equal part for each namespace beyond that: those that select most in theirs give way', () => {
    const room = createRoom(16);
    room.team('red', 8);
    room.team('blue', 2);
    room.team('green', 4);
    room.add({ key: 'greedy/red', team: 'red' }, { key: 'greedy/green', team: 'green' });
    room.add({ key: 'modest/red', team: 'red' }, { key: 'greedy/blue', team: 'blue' });
    expect(room.crowded()).toEqual([]);
    room.team('violet', 8);
    room.add({ key: 'greedy/violet', team: 'violet' });
    expect(room.crowded()).toEqual(['greedy/red', 'greedy/violet']);
    room.remove('greedy/violet');
    expect(room.crowded()).toEqual([]);
  });

  it('counts a scope once however many namespaces share it, and one with its own namespace for each', () => {
    const room = createRoom(16);
    room.team('red', 8);
    for (const namespace of ['a', 'b', 'c']) room.add({ key: `${namespace}/gw`, team: 'red' });
    expect(room.crowded()).toEqual([]);
    for (const namespace of ['a', 'b', 'c']) room.add({ key: `${namespace}/own`, team: 'red', withOwn: true });
    expect(room.crowded()).toHaveLength(6);
  });
});

describe('what gives way', () => {
  it('is enough, is nothing of who has no more than an equal part, and depends on no order', () => {
    const gateway = fc.record({
      key: fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: 3 })).map(([namespace, at]) => `${namespace}/${at}`),
      team: fc.constantFrom('t1', 't2', 't4', 't8'),
      withOwn: fc.boolean(),
    });
    const sizeOf = ({ team }: SelectingGateway): number => Number(team.slice(1));
    const limit = 12;
    fc.assert(
      fc.property(
        fc.uniqueArray(gateway, { selector: ({ key }) => key, maxLength: 10 }),
        fc.nat(),
        (gateways, seed) => {
          const make = (order: readonly SelectingGateway[]) => {
            const room = createRoom(limit);
            for (const size of [1, 2, 4, 8]) room.team(`t${size}`, size);
            for (const one of order) room.add(one);
            return room.crowded().sort();
          };
          const crowded = make(gateways);
          const turned = gateways.length === 0 ? 0 : seed % gateways.length;
          expect(make([...gateways.slice(turned), ...gateways.slice(0, turned)])).toEqual(crowded);

          const claimOf = ({ key, team, withOwn }: SelectingGateway) => `${withOwn ? key.slice(0, 1) : ''} ${team}`;
          const kept = new Map(
            gateways.filter(({ key }) => !crowded.includes(key)).map((one) => [claimOf(one), sizeOf(one)] as const),
          );
          expect([...kept.values()].reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limit);

          const namespaces = new Set(gateways.map(({ key }) => key.slice(0, 1)));
          for (const namespace of namespaces) {
            const own = gateways.filter(({ key }) => key.startsWith(namespace));
            const all = new Map(own.map((one) => [`${one.withOwn} ${one.team}`, sizeOf(one)] as const));
            if ([...all.values()].reduce((sum, size) => sum + size, 0) > limit / namespaces.size) continue;
            expect(own.filter(({ key }) => crowded.includes(key))).toEqual([]);
          }
        },
      ),
    );
  });
});

describe('a namespace whose Gateways select more than all have room for', () => {
  it('is served no target at them, which they say, and another namespace is served what it was', () => {
    const world = createTranslatedWorld({}, false);
    const names = Array.from({ length: 1_024 }, (_, at) => `n${at}`);
    world.apply(
      gatewayClass,
      ...names.flatMap((name) => [namespace(name, { 'kubernetes.io/metadata.name': name }), service(name, 80)]),
    );
    /** A Gateway that excludes a value that no namespace has, so that it selects all, as no other Gateway does. */
    const excluding = (inNamespace: string, name: string): Manifest => {
      const selector = { matchExpressions: [{ key: 'absent', operator: 'NotIn', values: [name] }] };
      return { ...gateway(name, { from: 'Selector', selector }), metadata: { name, namespace: inNamespace } };
    };
    const stateOf = (key: string) => world.translation.gateways.get(key);
    const programmed = (key: string) =>
      world.translation.gatewayStatuses.get(key)?.conditions.find(({ type }) => type === 'Programmed');

    world.apply(excluding('modest', 'gw'));
    const before = stateOf('modest/gw');
    expect(before).toMatchObject({ scope: { namespaces: names.toSorted() } });
    const greedy = Array.from({ length: maxSelectedNamespaces / names.length }, (_, at) => `g${at}`);
    world.apply(...greedy.map((name) => excluding('greedy', name)));
    expect(stateOf('modest/gw')).toBe(before);
    expect(programmed('modest/gw')).toMatchObject({ status: 'True' });
    expect(stateOf('greedy/g0')).toEqual({ kind: 'served', scope: { kind: 'none' } });
    expect(programmed('greedy/g0')).toMatchObject({ status: 'False', reason: 'NoResources' });

    world.remove('Gateway', 'greedy/g1');
    world.remove('Gateway', 'greedy/g2');
    expect(stateOf('greedy/g0')).toMatchObject({ scope: { namespaces: names.toSorted() } });
    expect(programmed('greedy/g0')).toMatchObject({ status: 'True' });
  });
});
