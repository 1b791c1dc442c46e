import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { deriveMcpBackends, mcpBackendScope } from '../../src/app/encoding/mcp-backends.ts';
import { createGraph } from '../../src/graph/graph.ts';
import type { Commit } from '../../src/graph/model.ts';
import { createInputs, translate } from '../../src/translate/translate.ts';
import { mcpClass, mcpGateway, mcpService } from '../support/worlds/manifests.ts';
import { defaultSettings, readManifest } from '../support/worlds/translated-world.ts';

/** A translation with the lists of targets of agentgateway's dialect, which have room for a few entries. */
function createLists(limit: number) {
  const graph = createGraph({ check: true });
  const inputs = createInputs(graph);
  const translation = translate(graph, inputs, defaultSettings);
  const { backends, crowded } = deriveMcpBackends(graph, translation, { limit });
  const encodedIn = (commit: Commit): number =>
    commit.changes(backends).filter(({ after }) => after !== undefined).length;
  return {
    apply: (...documents: readonly string[]) =>
      graph.commit(() => {
        inputs.unlistedNamespaces.set('', 'named');
        for (const text of documents) inputs.apply(readManifest(parse(text)));
      }),
    /** Commits a part of a change, or its end; returns how many lists are encoded. */
    part: (document: string) =>
      encodedIn(graph.commit(() => inputs.apply(readManifest(parse(document))), { partial: true })),
    end: () => encodedIn(graph.commit(() => undefined)),
    remove: (gateway: string) => graph.commit(() => inputs.resources.Gateway.delete(gateway)),
    crowded: () => crowded.size,
    /** The number of targets in the list of a Gateway. */
    listOf: (gateway: string) => {
      const scope = mcpBackendScope(translation.gateways.get(gateway));
      const bytes = scope.kind === 'shards' ? backends.get(scope.shards[0] ?? '')?.resource.deltaField : undefined;
      return new Set(bytes?.toString('latin1').match(/tool-[a-d]/g)).size;
    },
  };
}

const named = (...names: readonly string[]): string =>
  `from: Selector, selector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [${names.join(', ')}] }] }`;
const services = ['a', 'b', 'c', 'd'].map((namespace) => mcpService(`${namespace}/tool-${namespace}`));

it('a namespace whose Gateways have longer lists than there is room for has empty ones, and others have theirs', () => {
  const lists = createLists(8);
  lists.apply(
    mcpClass,
    ...services,
    mcpGateway('modest/gw', named('a', 'b')),
    mcpGateway('greedy/one', named('c', 'd')),
  );
  expect(['modest/gw', 'greedy/one'].map(lists.listOf)).toEqual([2, 2]);
  lists.apply(mcpGateway('greedy/two', named('a', 'b', 'c', 'd')), mcpGateway('greedy/three', named('b', 'c')));
  expect(lists.crowded()).toBe(1);
  expect(['modest/gw', 'greedy/one', 'greedy/two', 'greedy/three'].map(lists.listOf)).toEqual([2, 2, 0, 2]);
  lists.remove('greedy/three');
  lists.remove('greedy/one');
  expect(lists.crowded()).toBe(0);
  expect(['modest/gw', 'greedy/two'].map(lists.listOf)).toEqual([2, 4]);
});

it('lists of one namespace, and of all, take no room', () => {
  const lists = createLists(1);
  lists.apply(
    mcpClass,
    ...services,
    mcpGateway('x/all'),
    mcpGateway('x/a', named('a')),
    mcpGateway('b/same', 'from: Same'),
  );
  expect(lists.crowded()).toBe(0);
  expect(['x/all', 'x/a', 'b/same'].map(lists.listOf)).toEqual([4, 1, 1]);
});

it('lists are encoded once for a change in parts', () => {
  const lists = createLists(100);
  lists.apply(mcpClass, mcpGateway('x/all'), mcpGateway('x/several', named('a', 'b', 'c')));
  expect(services.map(lists.part)).toEqual([0, 0, 0, 0]);
  expect(lists.end()).toBe(2);
  expect(['x/all', 'x/several'].map(lists.listOf)).toEqual([4, 3]);
});
