import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/gateway/model.ts';
import { coalesceListChanges } from '../../../../src/gateway/session/lists/list-changes.ts';
import type { Client, MayReceive } from '../../../../src/gateway/session/model.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { startTargetRig } from '../../../support/gateway/target-rig.ts';

const reader: Caller = { kind: 'anonymous', reason: 'no authn configured' };
const method = 'notifications/tools/list_changed';

function start() {
  const clock = createManualClock();
  const told: { readonly method: string; readonly allowed: boolean }[] = [];
  const decisions: MayReceive[] = [];
  const ended = new AbortController();
  const client: Client = {
    reader: () => reader,
    notify(notification, mayReceive) {
      told.push({ method: notification.method, allowed: mayReceive(reader) });
      decisions.push(mayReceive);
    },
    request: () => Promise.reject(new Error('none')),
  };
  const { notify } = coalesceListChanges(client, clock, ended.signal);
  return { clock, told, decisions, ended, changed: (mayReceive: MayReceive) => notify({ method }, mayReceive) };
}

it('the first change of a list is told at once, and those that follow within a second together', () => {
  const { clock, told, changed } = start();
  for (let index = 0; index < 50; index += 1) changed(() => true);
  expect(told).toHaveLength(1);
  clock.advance(1_000);
  expect(told).toHaveLength(2);
  clock.advance(1_000);
  changed(() => true);
  expect(told, 'a change after the burst').toHaveLength(3);
});

it('changes that are told together are told to whoever may know of one of them, decided when they are', () => {
  const { clock, told, changed } = start();
  let allowed = true;
  changed(() => true);
  changed(() => false);
  changed(() => allowed);
  allowed = false;
  clock.advance(1_000);
  changed(() => false);
  changed(() => true);
  clock.advance(1_000);
  expect(told.map((message) => message.allowed)).toEqual([true, false, true]);
});

it('a burst that does not end is told of every 64 changes, and leaves no timer after the session', () => {
  const { clock, told, ended, changed } = start();
  for (let index = 0; index < 1 + 64 * 3; index += 1) changed(() => true);
  expect(told).toHaveLength(4);
  changed(() => true);
  ended.abort();
  expect(clock.waiting()).toEqual([]);
});

it('changes with the same decision are told together however many there are, and with that decision', () => {
  const { clock, told, decisions, changed } = start();
  const [one, other] = [(): boolean => true, (): boolean => false];
  for (let index = 0; index < 1_000; index += 1) changed(one);
  expect(told).toHaveLength(1);
  clock.advance(1_000);
  for (let index = 0; index < 1_000; index += 1) changed(index % 2 === 0 ? one : other);
  expect(decisions).toEqual([one, one]);
  clock.advance(1_000);
  expect(told.map((message) => message.allowed)).toEqual([true, true, true]);
});

it('a target that tells of 200 changes at once is told of as one that tells of one', async () => {
  await using rig = await startTargetRig(
    (_, say) => {
      for (let index = 0; index < 200; index += 1) say(method, {});
      say('notifications/prompts/list_changed', {});
      return { result: {} };
    },
    { clock: createManualClock() },
  );
  rig.gateway.config.allowAll('n.p', 'me');
  const client = await rig.open();
  const events = await client.listen();
  await client.request('prompts/get', { name: 'a:x' });
  expect((await events.next())?.['method']).toBe(method);
  expect((await events.next())?.['method']).toBe('notifications/prompts/list_changed');
});
