import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGraph } from '../../../src/graph/graph.ts';
import type { LabelRequirement, LabelSelector } from '../../../src/resources/model.ts';
import {
  compileSelector,
  type LabelledNamespace,
  labelIndexValues,
  matches,
} from '../../../src/translate/gateway/namespace-selector.ts';
import {
  countNamespaces,
  selectNamespaces,
  selectorSetFromKey,
  selectorSetKey,
} from '../../../src/translate/gateway/selector-set.ts';
import { anyLabels, anySelector } from './selectors.ts';

/** Sets of selectors over labelled namespaces, in a graph of their own. */
function createSelections(check = true) {
  const graph = createGraph({ check });
  const namespaces = graph.source<LabelledNamespace>({ name: 'namespaces' });
  const keys = graph.source<string>({ name: 'keys' });
  const byLabel = graph.index(namespaces, labelIndexValues, { name: 'by-label' });
  const sets = graph.derive(keys, selectorSetFromKey, { name: 'sets' });
  const indexed = { namespaces, byLabel };
  const room = graph.source<true>({ name: 'room' });
  const selected = graph.derive(
    sets,
    selectNamespaces(indexed, (set, context) => context.get(room, set) === true),
    { name: 'selected' },
  );
  const asked = graph.source<true>({ name: 'asked' });
  const count = countNamespaces(indexed, (context) => context.get(asked, '') === true);
  const counted = graph.derive(sets, count, { name: 'counted' });
  return {
    addSet: (name: string, ...selectors: readonly LabelSelector[]) =>
      graph.commit(() => {
        keys.set(name, selectorSetKey(selectors) ?? '[]');
        room.set(name, true);
      }),
    setRoom: (name: string, hasRoom: boolean) =>
      graph.commit(() => (hasRoom ? room.set(name, true) : room.delete(name))),
    label: (name: string, labels: ReadonlyMap<string, string> | undefined) =>
      graph.commit(() => (labels === undefined ? namespaces.delete(name) : namespaces.set(name, { name, labels }))),
    selectedBy: (name: string) => selected.get(name),
    ask: () => graph.commit(() => asked.set('', true)),
    countOf: (name: string) => counted.get(name),
    all: () => [...namespaces.entries()].map(([, namespace]) => namespace),
  };
}

describe('the index values of labels', () => {
  const valuesOf = (key: string, value = ''): readonly string[] =>
    labelIndexValues({ name: 'n', labels: new Map([[key, value]]) });

  it('are bounded, whatever labels there are', () => {
    const labels = new Map(Array.from({ length: 100_000 }, (_, at) => [`invented-${at}`, `${at}`]));
    expect(new Set(labelIndexValues({ name: 'n', labels })).size).toBeLessThanOrEqual(65_536);
  });

  it('may be shared, and a selector matches its own label nevertheless', () => {
    const keys = new Map<string | undefined, string>();
    let shared: readonly [string, string] | undefined;
    for (let at = 0; shared === undefined; at += 1) {
      const [value] = valuesOf(`k${at}`);
      const other = keys.get(value);
      if (other !== undefined) shared = [other, `k${at}`];
      keys.set(value, `k${at}`);
    }
    const [wanted, other] = shared;
    const world = createSelections();
    world.addSet('set', { requirements: [{ operator: 'Exists', key: wanted }] });
    world.label('a', new Map([[other, '']]));
    expect(world.selectedBy('set')).toEqual([]);
    world.label('b', new Map([[wanted, '']]));
    world.label(
      'a',
      new Map([
        [other, ''],
        [wanted, ''],
      ]),
    );
    expect(world.selectedBy('set')).toEqual(['a', 'b']);
    world.label('a', new Map([[other, '']]));
    expect(world.selectedBy('set')).toEqual(['b']);
  });
});

describe('a set of selectors', () => {
  it('has the same key in another order, and with a selector twice', () => {
    const [a, b]: LabelSelector[] = [{ requirements: [] }, { requirements: [{ operator: 'Exists', key: 'a' }] }];
    if (a === undefined || b === undefined) throw new Error('two selectors');
    expect(selectorSetKey([b, a, b])).toBe(selectorSetKey([a, b]));
    expect(selectorSetKey([a])).not.toBe(selectorSetKey([a, b]));
    expect(selectorSetKey([])).toBeUndefined();
  });

  it('selects what one of its selectors matches, after any changes of the namespaces', () => {
    const name = fc.constantFrom('k', 'm', 'z', 'A', 'é');
    const change = fc.tuple(name, fc.option(anyLabels, { nil: undefined }));
    fc.assert(
      fc.property(
        fc.array(anySelector, { minLength: 1, maxLength: 3 }),
        fc.array(change, { maxLength: 12 }),
        (selectors, changes) => {
          const selections = createSelections();
          selections.ask();
          selections.addSet('set', ...selectors);
          const compiled = selectors.map(compileSelector);
          for (const [changed, labels] of changes) {
            selections.label(changed, labels);
            const expected = selections.all().filter((each) => compiled.some((one) => matches(one, each.labels)));
            expect(selections.selectedBy('set')).toEqual(expected.map((each) => each.name).sort());
            expect(selections.countOf('set')).toBe(expected.length);
          }
        },
      ),
    );
  });

  it('selects nothing while it has no room, and all that it matches afterwards', () => {
    const selections = createSelections();
    selections.label('a', new Map([['team', 'red']]));
    selections.addSet('set', { requirements: [{ operator: 'Exists', key: 'team' }] });
    expect(selections.selectedBy('set')).toEqual(['a']);
    selections.setRoom('set', false);
    selections.ask();
    selections.label('b', new Map([['team', 'blue']]));
    expect(selections.selectedBy('set')).toEqual([]);
    expect(selections.countOf('set')).toBe(2);
    selections.setRoom('set', true);
    expect(selections.selectedBy('set')).toEqual(['a', 'b']);
  });

  it('with more values than are worth an index entry each selects the same', () => {
    const names = Array.from({ length: 300 }, (_, at) => `n${at}`).sort();
    const selections = createSelections();
    for (const name of names) selections.label(name, new Map([['name', name]]));
    const [first = '', ...others] = names.slice(0, 200);
    selections.addSet('set', { requirements: [{ operator: 'In', key: 'name', values: [first, ...others] }] });
    expect(selections.selectedBy('set')).toEqual(names.slice(0, 200));
  });
});

/** Labels that count how often somebody looked at them. */
class CountedLabels extends Map<string, string> {
  static looks = 0;

  override [Symbol.iterator](): MapIterator<[string, string]> {
    CountedLabels.looks += 1;
    return super[Symbol.iterator]();
  }
}

/** The number of evaluations of a selector on a namespace, of those that only exclude. */
function evaluationsIn(change: () => unknown): number {
  const before = CountedLabels.looks;
  change();
  return CountedLabels.looks - before;
}

/** A selector of keys that no namespace has: it excludes nothing, or never matches because of the last requirement. */
function excluding(id: string, never: boolean): LabelSelector {
  const absent = Array.from(
    { length: 60 },
    (_, at): LabelRequirement => ({ operator: 'DoesNotExist', key: `${id}-${at}` }),
  );
  return { requirements: never ? [...absent, { operator: 'NotIn', key: 'a', values: ['x', 'y'] }] : absent };
}

describe.each([100, 500])('with %i namespaces and twenty sets of selectors that only exclude', (size) => {
  const createLarge = () => {
    const selections = createSelections(false);
    for (let at = 0; at < size; at += 1) selections.label(`n${at}`, new CountedLabels([['a', 'x']]));
    const selectorsOf = (set: number) => Array.from({ length: 10 }, (_, at) => excluding(`${set}-${at}`, true));
    for (let set = 0; set < 20; set += 1) selections.addSet(`set${set}`, ...selectorsOf(set));
    return { selections, selectorsOf };
  };

  it('a changed namespace is evaluated once by each selector, and no other namespace is', () => {
    const { selections } = createLarge();
    // Each selector once, and the index of labels once.
    expect(evaluationsIn(() => selections.label('n7', new CountedLabels([['a', 'y']])))).toBeLessThanOrEqual(201);
  });

  it('a new namespace is evaluated once by each selector', () => {
    const { selections } = createLarge();
    expect(evaluationsIn(() => selections.label('new', new CountedLabels([['a', 'y']])))).toBeLessThanOrEqual(201);
  });

  it('a new set evaluates its own selectors only', () => {
    const { selections, selectorsOf } = createLarge();
    expect(evaluationsIn(() => selections.addSet('new', ...selectorsOf(20)))).toBe(10 * size);
    expect(evaluationsIn(() => selections.addSet('all', excluding('all', false)))).toBe(size);
  });
});
