import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Collection, Derived, Graph, Index, Source } from '../../src/graph/model.ts';

interface Fixture {
  readonly graph: Graph;
  readonly people: Source<Person>;
  readonly byTeam: Index<Person>;
  readonly teams: Collection<string>;
  /** The teams whose members `names` derives. */
  readonly watched: Source<string>;
  /** Team → the names of its members. */
  readonly names: Derived<string>;
}

interface Person {
  readonly name: string;
  readonly teams: readonly string[];
}

function createTeams(): Fixture {
  const graph = createGraph();
  const people = graph.source<Person>({ name: 'people' });
  const byTeam = graph.index(people, ({ teams }) => teams, { name: 'people-by-team' });
  const teams = graph.indexValues(byTeam, { name: 'teams' });
  const watched = graph.source<string>({ name: 'watched' });
  const names = graph.derive(
    watched,
    (_, context, team) =>
      context
        .by(byTeam, team)
        .map(({ name }) => name)
        .join(' '),
    { name: 'names' },
  );
  graph.commit(() => {
    for (const team of ['red', 'blue', 'green']) watched.set(team, '');
  });
  return { graph, people, byTeam, teams, watched, names };
}

describe('by', () => {
  it('returns the members in the order of their keys', () => {
    const { graph, people, names } = createTeams();
    for (const key of ['c', 'a', 'b']) graph.commit(() => people.set(key, { name: `${key}!`, teams: ['red'] }));
    expect(names.get('red')).toBe('a! b! c!');
    graph.commit(() => people.set('b', { name: 'new', teams: ['red'] }));
    expect(names.get('red')).toBe('a! new c!');
  });

  it('makes the readers of the values that a member loses, gains and keeps run again, and no others', () => {
    const { graph, people, names } = createTeams();
    graph.commit(() => people.set('a', { name: 'A', teams: ['red', 'blue'] }));
    expect(graph.commit(() => people.set('a', { name: 'A', teams: ['blue', 'green'] })).runs).toBe(3);
    expect([...names.entries()]).toEqual([
      ['red', ''],
      ['blue', 'A'],
      ['green', 'A'],
    ]);
    expect(graph.commit(() => people.set('a', { name: 'B', teams: ['blue', 'green'] })).runs).toBe(2);
    expect(graph.commit(() => people.set('b', { name: 'X', teams: ['unwatched'] })).runs).toBe(0);
    expect(graph.commit(() => people.delete('a')).runs).toBe(2);
  });

  it('ignores a value that the index function returns twice', () => {
    const { graph, people, names } = createTeams();
    graph.commit(() => people.set('a', { name: 'A', teams: ['red', 'red'] }));
    expect(names.get('red')).toBe('A');
    graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    graph.commit(() => people.delete('a'));
    expect(names.get('red')).toBe('');
  });

  it('returns the same frozen list until a member changes', () => {
    const { graph, people, byTeam, watched } = createTeams();
    const seen: (readonly Person[])[] = [];
    const reads = graph.derive(watched, (_, context) => seen.push(context.by(byTeam, 'red')), { name: 'reads' });
    graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    seen.length = 0;
    graph.commit(() => watched.set('another', ''));
    graph.commit(() => watched.set('one-more', ''));
    expect(reads.size).toBe(5);
    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]).toSatisfy(Object.isFrozen);
  });

  it('rejects an index of another graph', () => {
    const other = createTeams();
    const { graph, watched } = createTeams();
    const derived = graph.derive(watched, (_, context) => context.by(other.byTeam, 'red'), { name: 'derived' });
    graph.commit(() => undefined);
    expect(derived.failures.get('red')?.error.message).toBe('"people-by-team" is not an index of this graph.');
    expect(() => graph.indexValues(other.byTeam, { name: 'index-values' })).toThrow('is not an index of this graph');
  });
});

describe('index values', () => {
  it('change only when a value gets its first or loses its last member', () => {
    const { graph, people, teams } = createTeams();
    const first = graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    expect(first.changes(teams)).toEqual([{ key: 'red', before: undefined, after: 'red' }]);
    const second = graph.commit(() => people.set('b', { name: 'B', teams: ['red'] }));
    expect(second.changes(teams)).toEqual([]);
    const third = graph.commit(() => people.delete('a'));
    expect(third.changes(teams)).toEqual([]);
    const last = graph.commit(() => people.set('b', { name: 'B', teams: ['blue'] }));
    expect(last.changes(teams)).toEqual([
      { key: 'red', before: 'red', after: undefined },
      { key: 'blue', before: undefined, after: 'blue' },
    ]);
  });

  it('do not change when the last member is replaced within one commit', () => {
    const { graph, people, teams } = createTeams();
    graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    const commit = graph.commit(() => {
      people.delete('a');
      people.set('b', { name: 'B', teams: ['red'] });
    });
    expect(commit.changes(teams)).toEqual([]);
  });
});

describe('an index function that throws', () => {
  const indexFunction = (value: string): readonly string[] => {
    if (value === 'bad') throw new Error('A bad value.');
    return [value];
  };

  it('removes its member from the index, and is a failure until it succeeds', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const index = graph.index(source, indexFunction, { name: 'index' });
    const values = graph.indexValues(index, { name: 'index-values' });
    graph.commit(() => source.set('a', 'good'));
    const commit = graph.commit(() => source.set('a', 'bad'));
    expect(commit.failures).toMatchObject([{ collection: 'index', key: 'a', error: { message: 'A bad value.' } }]);
    expect(index.failures.get('a')?.error.message).toBe('A bad value.');
    expect(values.size).toBe(0);
    graph.commit(() => source.set('a', 'better'));
    expect(index.failures.size).toBe(0);
    expect([...values.entries()]).toEqual([['better', 'better']]);
  });

  it('also fails when it returns a string, whose letters would be index values', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const index = graph.index(source, (value) => value, { name: 'index' });
    graph.commit(() => source.set('a', 'word'));
    expect(index.failures.get('a')?.error.message).toContain('returned the string "word", not a list');
  });
});
