import { expect, it } from 'vitest';
import type { Caller } from '../../../../src/gateway/model.ts';
import { createDecisionLog } from '../../../../src/gateway/session/decisions/decision-log.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedGatewayCounters } from '../../../support/edges/recorded-gateway-counters.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';
import { startTargetRig } from '../../../support/gateway/target-rig.ts';

const callerOf = (sub: string): Caller => ({ kind: 'principal', claims: { sub }, identity: sub, expiresAt: 1e15 });

function createRig() {
  const clock = createManualClock();
  const log = createRecordedLog();
  const counters = createRecordedGatewayCounters();
  const decisions = createDecisionLog({ clock, log, counters, logCaller: 'sub' });
  return {
    clock,
    log,
    counters,
    decisions,
    deny(sub: string, times: number): void {
      for (let time = 0; time < times; time += 1) {
        const why = { reason: 'no rule matches' };
        decisions.decided({ kind: 'tool', name: 'a:t', caller: callerOf(sub), allowed: false, why });
      }
    },
    allow(sub: string, times: number): void {
      for (let time = 0; time < times; time += 1) {
        const why = { config: 'n.p', rule: 0 };
        decisions.decided({ kind: 'tool', name: 'a:t', caller: callerOf(sub), allowed: true, why });
      }
    },
    linesOf: (message: string): number => log.lines.filter((line) => line.message === message).length,
    summaries: () => log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields),
  };
}

it('a caller who is denied without end has 200 lines, then ten a second, and one a minute says how many are left out', () => {
  const { clock, deny, allow, linesOf, summaries, counters } = createRig();
  deny('flood', 10_000);
  allow('flood', 1);
  deny('other', 5);
  expect([linesOf('denied'), linesOf('allowed'), summaries()]).toEqual([205, 1, []]);
  clock.advance(60_000);
  const left = { outcome: 'denied', more: 9_800, callers: 1, caller: 'flood' };
  expect(summaries()).toEqual([left]);
  expect(counters.total('gatehouse_gateway_decisions_total', { outcome: 'denied' })).toBe(10_005);
  deny('flood', 1_000);
  expect(linesOf('denied')).toBe(405);
  clock.advance(1_000);
  deny('flood', 1_000);
  expect(linesOf('denied')).toBe(415);
  clock.advance(60_000);
  clock.advance(600_000);
  expect(summaries()).toEqual([left, { ...left, more: 1_790 }]);
  expect(clock.waiting()).toEqual([]);
});

it('all callers together have 2,000 lines of denials, which are no lines of what is allowed', () => {
  const { clock, deny, allow, linesOf, summaries } = createRig();
  for (let caller = 0; caller < 100; caller += 1) deny(`flood ${caller}`, caller === 50 ? 300 : 100);
  for (let caller = 0; caller < 5; caller += 1) allow(`honest ${caller}`, 1_000);
  expect([linesOf('denied'), linesOf('allowed')]).toEqual([2_000, 5_000]);
  clock.advance(60_000);
  expect(summaries()).toEqual([{ outcome: 'denied', more: 8_200, callers: 80, caller: 'flood 50' }]);
});

it('what is left out is said when the gateway stops, and with as little of callers as configured', () => {
  const { decisions, deny, summaries, clock } = createRig();
  deny('flood', 201);
  decisions.stop();
  decisions.stop();
  expect(summaries()).toEqual([{ outcome: 'denied', more: 1, callers: 1, caller: 'flood' }]);
  expect(clock.waiting()).toEqual([]);
});

it('a caller with many sessions has the lines of one, and each call has one line up to then', async () => {
  await using rig = await startTargetRig(() => ({ result: {} }), { clock: createManualClock() });
  const clients = await Promise.all(Array.from({ length: 5 }, () => rig.open('me')));
  const call = { name: 'a:t', arguments: {} };
  const denied = () => rig.gateway.log.lines.filter(({ message }) => message === 'denied').length;
  for (const [index, client] of clients.entries()) {
    await Promise.all(Array.from({ length: 50 }, () => client.request('tools/call', call)));
    expect(denied()).toBe(Math.min(200, 50 * (index + 1)));
  }
  rig.gateway.config.allow('n.p', 'me', 'tool', 'a:t');
  await clients[0]?.request('tools/call', call);
  expect(rig.gateway.log.lines.at(-1)).toMatchObject({ message: 'allowed', fields: { name: 'a:t' } });
});
