import { describe, expect, it } from 'vitest';
import { Checker, type Observation } from './checker.ts';
import { type GatewayState, type Histories, History, lastIndexes, type Objects } from './history.ts';

function objects(text: string): Objects {
  return new Map(text.split(' ').flatMap((one) => (one === '' ? [] : [one.split('=') as [string, string]])));
}

function historyOf(...states: readonly string[]): History<Objects> {
  const [first = '', ...more] = states;
  const history = new History(objects(first));
  for (const state of more) history.propose(objects(state));
  return history;
}

/** A checker over three worlds of Services and two of each other kind. */
function rig(gateway: readonly [GatewayState, ...GatewayState[]] = ['all']): {
  readonly sees: (held: string, type?: Observation['type']) => string | undefined;
  readonly histories: Histories;
} {
  const history = new History<GatewayState>(gateway[0]);
  for (const state of gateway.slice(1)) history.propose(state);
  const histories: Histories = {
    services: historyOf('', 'a/s=v1', 'a/s=v2 b/t=v1', 'a/s=v2'),
    namespaces: historyOf('a=red b=blue', 'a=red b=red'),
    gateway: history,
    policies: historyOf('p=v1', 'p=v2', ''),
  };
  const checker = new Checker(histories);
  return {
    histories,
    sees: (held, type = 'targets') => checker.check({ type, held: objects(held), upTo: lastIndexes(histories) }),
  };
}

describe('a node', () => {
  it('may skip worlds', () => {
    const { sees } = rig();
    expect(sees('a/s=v1')).toBeUndefined();
    expect(sees('a/s=v2')).toBeUndefined();
  });

  it('never goes back', () => {
    const { sees } = rig();
    expect(sees('a/s=v2')).toBeUndefined();
    expect(sees('a/s=v1')).toContain('no world');
  });

  it('never holds nothing in between', () => {
    const { sees } = rig();
    expect(sees('a/s=v1')).toBeUndefined();
    expect(sees('')).toContain('no world');
    expect(sees('default.p=v1', 'configs')).toBeUndefined();
    expect(sees('default.p=v2', 'configs')).toBeUndefined();
    expect(sees('', 'configs')).toBeUndefined();
    expect(sees('default.p=v2', 'configs')).toContain('no world');
  });

  it('never holds a part of a world', () => {
    const { sees } = rig();
    expect(sees('b/t=v1')).toContain('no world');
  });

  it('may see kinds in any order, each of them in its own', () => {
    const { sees } = rig(['absent', 'red', 'all']);
    expect(sees('a/s=v2')).toBeUndefined();
    // The Gateway allows red namespaces, and b is red by now, or it allows all.
    expect(sees('a/s=v2 b/t=v1')).toBeUndefined();
    expect(sees('')).toContain('no world');
  });

  it('never sees what was not written yet', () => {
    const { sees, histories } = rig();
    histories.services.propose(objects('a/s=v9'));
    histories.services.withdraw();
    expect(sees('a/s=v9')).toContain('no world');
  });
});
