import { describe, expect, it } from 'vitest';
import { createSessionTable } from '../../../src/gateway/downstream/session-table.ts';
import type { Caller } from '../../../src/gateway/model.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const someone = (identity: string): Caller => ({ kind: 'principal', claims: {}, identity, expiresAt: 0 });
const me = someone('me');

function table(max: number) {
  const clock = createManualClock();
  const closed: string[] = [];
  const sessions = createSessionTable<{ close(): Promise<void> }>({ clock, max, idleMilliseconds: 1_000 });
  const open = (caller: Caller = me): string | undefined =>
    sessions.open(caller, (id) => ({
      close() {
        closed.push(id);
        return Promise.resolve();
      },
    }))?.id;
  return { clock, closed, sessions, open };
}

describe('the table of sessions', () => {
  it('knows whose a session is', () => {
    const { sessions, open } = table(9);
    const id = open() ?? '';
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(open()).not.toBe(id);
    expect(sessions.find(id, me).kind).toBe('found');
    expect(sessions.find(id, someone('you')).kind).toBe('foreign');
    expect(sessions.find(id, { kind: 'anonymous', why: 'no authn configured' }).kind).toBe('foreign');
    expect(sessions.find('other', me).kind).toBe('unknown');
    const nobodys = open({ kind: 'anonymous', why: 'no authn configured' }) ?? '';
    expect(sessions.find(nobodys, someone('anonymous')).kind).toBe('foreign');
  });

  it('makes room by closing the session that is idle longest, and none that is in use', () => {
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

  it('takes no more when all are in use', () => {
    const { closed, sessions, open } = table(1);
    sessions.hold(open() ?? '');
    expect(open()).toBeUndefined();
    expect(closed).toEqual([]);
  });

  it('closes what was not held for the idle time, counted from the end of the last use', () => {
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

  it('closes each session once, and all of them at the end', async () => {
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
