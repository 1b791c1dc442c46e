import { expect, it } from 'vitest';
import { indexRules } from '../../../../src/authz/authz.ts';
import { listKinds } from '../../../../src/gateway/session/lists/list-collector.ts';
import { ListWork } from '../../../../src/gateway/session/lists/list-turns.ts';
import { visibleEntries } from '../../../../src/gateway/session/lists/visible-entries.ts';
import { FairTurns } from '../../../../src/rate/fair-turns.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

/** The tools that a caller may see of so many, what was decided in each turn, and what happens in a turn. */
function create(count: number, text: (name: string) => string) {
  const decided: number[] = [];
  const state = {
    rules: indexRules(new Map()),
    targets: new Map([['a', { name: 'a', host: 'a', port: 80, path: '/mcp' }]]),
    isAllowed: true,
    turn: (_: number): void => {},
  };
  const entries = Array.from({ length: count }, (_, index) => {
    const name = `t${index}`;
    return { target: 'a', name, exposed: `a:${name}`, json: { name }, text: text(name) };
  });
  const turn = async (): Promise<void> => {
    decided.push(0);
    state.turn(decided.length);
  };
  const parts = {
    authorization: {
      isVisible() {
        decided.push((decided.pop() ?? 0) + 1);
        return state.isAllowed;
      },
    },
    names: { distinct: () => 'x' },
    config: state,
    clock: createManualClock(),
    shared: { budget: { turns: new FairTurns() } },
  };
  const caller = { kind: 'anonymous', reason: 'stdio' } as const;
  const work = new ListWork(turn, new AbortController().signal);
  const list = () => visibleEntries(parts, listKinds['tools/list'], caller, { entries, work });
  return { decided, state, list };
}

it('entries are decided on and renamed in turns, and written as their target has written them but for the name', async () => {
  const { decided, list } = create(5_000, (name) => `{"n":1.0, "name": "${name}"}`);
  const { shown } = await list();
  expect(decided.length).toBeGreaterThan(4);
  expect(Math.max(...decided)).toBeLessThanOrEqual(2_000);
  expect(decided.reduce((sum, count) => sum + count)).toBe(5_000);
  expect(shown.slice(0, 2).map(({ text }) => text)).toEqual(['{"n":1.0, "name": "a:t0"}', '{"n":1.0, "name": "a:t1"}']);
});

it.each(['first', 'last'])('rules that change after the %s turn hold for the whole list', async (which) => {
  const { state, list } = create(5_000, (name) => `{"name":"${name}"}`);
  let last = 0;
  state.turn = (turn) => {
    last = turn;
  };
  expect((await list()).shown).toHaveLength(5_000);
  const revoked = create(5_000, (name) => `{"name":"${name}"}`);
  revoked.state.turn = (turn) => {
    if (turn !== (which === 'first' ? 2 : last)) return;
    revoked.state.isAllowed = false;
    revoked.state.rules = indexRules(new Map());
  };
  expect(await revoked.list()).toEqual({ shown: [], list: [] });
});

it.each([2, 4])('a list has nothing of a target that is removed in turn %i of its making', async (removed) => {
  const { state, list } = create(5_000, (name) => `{"name":"${name}"}`);
  state.turn = (turn) => {
    if (turn === removed) state.targets.delete('a');
  };
  expect(await list()).toEqual({ shown: [], list: [] });
});

it('a name that occurs twice in an entry occurs once for clients', async () => {
  const { list } = create(1, (name) => `{"name":"other","name":"${name}"}`);
  expect((await list()).shown.map(({ text }) => text)).toEqual(['{"name":"a:t0"}']);
});
