import { describe, expect, it } from 'vitest';
import { createSessionTable } from '../../../src/gateway/downstream/session-table.ts';
import type { Caller } from '../../../src/gateway/model.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

const someone = (identity: string): Caller => ({ kind: 'principal', claims: {}, identity, expiresAt: 0 });
const me = someone('me');

function table(maxSessions: number) {
  const clock = createManualClock();
  const closed: string[] = [];
  const full: string[] = [];
  const sessions = createSessionTable<{ close(): Promise<void> }>({
    clock,
    maxSessions,
    idleTimeout: 1_000,
    full: (outcome) => full.push(outcome),
  });
  const open = (caller: Caller = me): string | undefined =>
    sessions.open(caller, (id) => ({
      close() {
        closed.push(id);
        return Promise.resolve();
      },
    }))?.id;
  return { clock, closed, full, sessions, open };
}

describe('the session table', () => {
  it('returns a session only to the identity that opened it', () => {
    const { sessions, open } = table(9);
    const id = open() ?? '';
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(open()).not.toBe(id);
    expect(sessions.find(id, me).kind).toBe('found');
    expect(sessions.find(id, someone('you')).kind).toBe('unknown');
    expect(sessions.find(id, { kind: 'anonymous', reason: 'no authn configured' }).kind).toBe('unknown');
    expect(sessions.find('other', me).kind).toBe('unknown');
    const nobodys = open({ kind: 'anonymous', reason: 'no authn configured' }) ?? '';
    expect(sessions.find(nobodys, someone('anonymous')).kind).toBe('unknown');
  });
});

describe('a full table', () => {
  it('evicts the session that is idle longest, and none that is in use', () => {
    const { closed, sessions, open } = table(3);
    const [first = '', second = '', third = ''] = [open(), open(), open()];
    const release = sessions.hold(first);
    sessions.hold(second)();
    expect(open()).toBeDefined();
    expect(closed).toEqual([third]);
    sessions.hold(second);
    open();
    for (const id of [...closed]) expect(sessions.find(id, me).kind).toBe('unknown');
    expect(sessions.find(first, me).kind).toBe('found');
    release();
    open();
    expect(sessions.find(first, me).kind).toBe('unknown');
  });

  it('lets no identity crowd out others, however many of its sessions are in use', () => {
    const { closed, full, sessions, open } = table(4);
    const mine = [open() ?? '', open() ?? '', open() ?? '', open() ?? ''];
    for (const id of mine) sessions.hold(id);
    const [you, they] = [someone('you'), someone('they')];
    const yours = open(you) ?? '';
    sessions.hold(yours);
    expect(closed).toEqual(mine.slice(0, 1));
    sessions.hold(open(they) ?? '');
    expect(closed).toEqual(mine.slice(0, 2));
    expect([open(), open(you), open(they)]).toEqual([undefined, undefined, undefined]);
    expect(full).toEqual(['evicted in use', 'evicted in use', 'refused', 'refused', 'refused']);
    expect(sessions.find(yours, you).kind).toBe('found');
  });

  it('evicts no idle session for an identity that uses more than half of it, nor for others then', () => {
    const { closed, sessions, open } = table(4);
    const [you, they] = [someone('you'), someone('they')];
    const yours = open(you) ?? '';
    const mine = [open() ?? '', open() ?? '', open() ?? ''];
    for (const id of mine) sessions.hold(id);
    expect(open()).toBeUndefined();
    const theirs = open(they) ?? '';
    expect(closed).toEqual([mine[0]]);
    expect(sessions.find(yours, you).kind).toBe('found');
    expect(sessions.find(theirs, they).kind).toBe('found');
  });

  it('evicts idle sessions of the identity with the most sessions first', () => {
    const { closed, full, open } = table(3);
    const yours = open(someone('you'));
    const mine = [open(), open()];
    open(someone('they'));
    expect(closed).toEqual(mine.slice(0, 1));
    open(someone('they'));
    expect(closed).toEqual([mine[0], yours]);
    expect(full).toEqual(['evicted idle', 'evicted idle']);
  });

  it('opens no session when all are in use', () => {
    const { closed, sessions, open } = table(1);
    sessions.hold(open() ?? '');
    expect(open()).toBeUndefined();
    expect(closed).toEqual([]);
  });
});

describe('a session', () => {
  it('is closed after the idle timeout, counted from the end of its last use', () => {
    const { clock, closed, sessions, open } = table(9);
    const id = open() ?? '';
    clock.advance(999);
    const [one, other] = [sessions.hold(id), sessions.hold(id)];
    clock.advance(5_000);
    one();
    one();
    clock.advance(5_000);
    other();
    clock.advance(999);
    expect(closed).toEqual([]);
    clock.advance(1);
    expect(closed).toEqual([id]);
    expect(clock.waiting()).toEqual([]);
  });

  it('is closed once, at the latest when the table stops', async () => {
    const { clock, closed, sessions, open } = table(9);
    const [first = '', second = ''] = [open(), open()];
    sessions.close(first);
    sessions.close(first);
    sessions.hold(second);
    await sessions.stop();
    expect(closed).toEqual([first, second]);
    expect(clock.waiting()).toEqual([]);
  });
});
