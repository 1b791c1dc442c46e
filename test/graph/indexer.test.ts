import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/graph/graph.ts';
import type { Collection, Derived, Graph, Index, Source } from '../../src/graph/model.ts';

interface Team {
  readonly graph: Graph;
  /** Member → the teams it is in, and a name. */
  readonly people: Source<Person>;
  readonly byTeam: Index<Person>;
  readonly teams: Collection<string>;
  /** Team → the names of its members, for those teams that somebody watches. */
  readonly watched: Source<string>;
  readonly names: Derived<string>;
}

interface Person {
  readonly name: string;
  readonly teams: readonly string[];
}

function createTeams(): Team {
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
  it('gives the members in the order of their keys', () => {
    const { graph, people, names } = createTeams();
    for (const key of ['c', 'a', 'b']) graph.commit(() => people.set(key, { name: `${key}!`, teams: ['red'] }));
    expect(names.get('red')).toBe('a! b! c!');
    graph.commit(() => people.set('b', { name: 'new', teams: ['red'] }));
    expect(names.get('red')).toBe('a! new c!');
  });

  it('wakes the readers of the groups that a member leaves, joins and stays in, and no others', () => {
    const { graph, people, names } = createTeams();
    graph.commit(() => people.set('a', { name: 'A', teams: ['red', 'blue'] }));
    expect(graph.commit(() => people.set('a', { name: 'A', teams: ['blue', 'green'] })).runs).toBe(3);
    expect([...names.entries()]).toEqual([
      ['red', ''],
      ['blue', 'A'],
      ['green', 'A'],
    ]);
    expect(graph.commit(() => people.set('a', { name: 'B', teams: ['blue', 'green'] })).runs).toBe(2);
    expect(graph.commit(() => people.set('b', { name: 'X', teams: ['nobody-watches'] })).runs).toBe(0);
    expect(graph.commit(() => people.delete('a')).runs).toBe(2);
  });

  it('counts a value that comes twice once', () => {
    const { graph, people, names } = createTeams();
    graph.commit(() => people.set('a', { name: 'A', teams: ['red', 'red'] }));
    expect(names.get('red')).toBe('A');
    graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    graph.commit(() => people.delete('a'));
    expect(names.get('red')).toBe('');
  });

  it('gives the same list until the group changes, and nobody can change it', () => {
    const { graph, people, byTeam, watched } = createTeams();
    const seen: (readonly Person[])[] = [];
    const look = graph.derive(watched, (_, context) => seen.push(context.by(byTeam, 'red')), { name: 'look' });
    graph.commit(() => people.set('a', { name: 'A', teams: ['red'] }));
    seen.length = 0;
    graph.commit(() => watched.set('another', ''));
    graph.commit(() => watched.set('one-more', ''));
    expect(look.size).toBe(5);
    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]).toSatisfy(Object.isFrozen);
  });

  it('refuses an index of another graph', () => {
    const stranger = createTeams();
    const { graph, watched } = createTeams();
    const derived = graph.derive(watched, (_, context) => context.by(stranger.byTeam, 'red'), { name: 'derived' });
    graph.commit(() => undefined);
    expect(derived.failures.get('red')?.error.message).toBe('"people-by-team" is not an index of this graph.');
    expect(() => graph.indexValues(stranger.byTeam, { name: 'groups' })).toThrow('is not an index of this graph');
  });
});

describe('groups', () => {
  it('change only when a group appears or vanishes', () => {
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

  it('stay when the last member is replaced within one commit', () => {
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
  const forbid = (value: string): readonly string[] => {
    if (value === 'bad') throw new Error('A bad value.');
    return [value];
  };

  it('leaves its member out of every group, is reported, and heals', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const index = graph.index(source, forbid, { name: 'index' });
    const groups = graph.indexValues(index, { name: 'groups' });
    graph.commit(() => source.set('a', 'good'));
    const commit = graph.commit(() => source.set('a', 'bad'));
    expect(commit.failures).toMatchObject([{ collection: 'index', key: 'a', error: { message: 'A bad value.' } }]);
    expect(index.failures.get('a')?.error.message).toBe('A bad value.');
    expect(groups.size).toBe(0);
    graph.commit(() => source.set('a', 'better'));
    expect(index.failures.size).toBe(0);
    expect([...groups.entries()]).toEqual([['better', 'better']]);
  });

  it('does so too when it returns a string, which would be read letter by letter', () => {
    const graph = createGraph();
    const source = graph.source<string>({ name: 'source' });
    const index = graph.index(source, (value) => value, { name: 'index' });
    graph.commit(() => source.set('a', 'word'));
    expect(index.failures.get('a')?.error.message).toContain('returned the string "word", not a list');
  });
});
