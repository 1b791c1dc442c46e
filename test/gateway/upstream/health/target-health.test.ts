import { describe, expect, it } from 'vitest';
import { AnswerBudgetError } from '../../../../src/gateway/upstream/answer-limits.ts';
import { createTargetFailures } from '../../../../src/gateway/upstream/health/target-failures.ts';
import { createTargetHealth } from '../../../../src/gateway/upstream/health/target-health.ts';
import { createTargetStates, SlowListError } from '../../../../src/gateway/upstream/health/target-states.ts';
import { HttpStatusError } from '../../../../src/gateway/upstream/transport/http-exchange.ts';
import { DeadlineExceededError } from '../../../../src/net/deadline.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';

const late = new DeadlineExceededError(5_000);
const list = ['a', 'tools/list'] as const;

function createRig({ passesHeaders = false } = {}) {
  const clock = createManualClock();
  const log = createRecordedLog();
  const probed: string[] = [];
  const doubted: boolean[] = [];
  const recovered: string[] = [];
  const answer = { with: (): Promise<unknown> => Promise.reject(late) };
  const health = createTargetHealth({
    clock,
    random: () => 1,
    failures: createTargetFailures(clock, log, createTargetStates(clock), passesHeaders),
    probe(target, method, isDoubted) {
      probed.push(`${target} ${method}`);
      doubted.push(isDoubted);
      return answer.with();
    },
    recovered: (target, method) => recovered.push(`${target} ${method}`),
  });
  /** Lets what was started settle. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, log, probed, doubted, recovered, answer, health, settled };
}

describe('a list that there was no room for', () => {
  it('is asked for again: callers who ask for many large lists do not keep the target from others', () => {
    const { health } = createRig();
    health.failed(...list, new AnswerBudgetError());
    expect(health.isLeftOut(...list)).toBe(false);
  });
});

describe('a list that is not answered in time', () => {
  it('is left out at once, tried again beside requests less and less often, and is back when it is answered', async () => {
    const { clock, log, probed, recovered, answer, health, settled } = createRig();
    expect(health.isLeftOut(...list)).toBe(false);
    health.failed(...list, late);
    expect(health.isLeftOut(...list)).toBe(true);
    expect(health.isLeftOut('a', 'prompts/list')).toBe(false);

    const delays: number[] = [];
    for (let probes = 1; probes <= 8; probes += 1) {
      await settled();
      expect(probed).toHaveLength(probes);
      // A client that asks meanwhile changes nothing.
      health.failed(...list, late);
      delays.push(clock.next());
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);

    await settled();
    answer.with = () => Promise.resolve([]);
    clock.next();
    await settled();
    expect(health.isLeftOut(...list)).toBe(false);
    expect(recovered).toEqual(['a tools/list']);
    expect(log.lines.map(({ message }) => message)).toEqual(['target does not answer', 'target answers again']);
    expect(clock.waiting()).toEqual([]);
  });

  it('and fails again soon after it was back is probed after a delay of at most ten seconds', async () => {
    const { clock, probed, answer, health, settled } = createRig();
    answer.with = () => Promise.resolve([]);
    health.failed(...list, late);
    expect(probed).toHaveLength(1);
    await settled();
    const delays: number[] = [];
    for (let relapses = 0; relapses < 5; relapses += 1) {
      health.failed(...list, late);
      expect(clock.waiting()).toHaveLength(1);
      delays.push(clock.next());
      await settled();
      expect(health.isLeftOut(...list)).toBe(false);
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 10_000]);

    clock.advance(60_000);
    expect(probed).toHaveLength(6);
    health.failed(...list, late);
    expect(probed).toHaveLength(7);
  });
});

it('a list that clients have waited for again soon after it was well is doubted for a minute, and then believed', async () => {
  const { clock, doubted, answer, health, settled } = createRig();
  answer.with = () => (doubted.at(-1) === true ? Promise.reject(new SlowListError()) : Promise.resolve([]));
  health.listed(...list, 1_500);
  await settled();
  expect([doubted, health.isLeftOut(...list)]).toEqual([[false], false]);
  health.listed(...list, 1_500);
  for (let trials = 1; trials <= 6; trials += 1) {
    await settled();
    expect([doubted, health.isLeftOut(...list)]).toEqual([[false, ...new Array(trials).fill(true)], true]);
    clock.next();
  }
  await settled();
  expect([doubted.at(-1), health.isLeftOut(...list), clock.waiting()]).toEqual([false, false, []]);
});

it.each([true, false])(
  'a list that timed out is asked for again when the target refuses the gateway itself, if clients have headers: %s',
  async (passesHeaders) => {
    const { answer, health, settled } = createRig({ passesHeaders });
    answer.with = () => Promise.reject(new HttpStatusError('answered with status 401', 401, true));
    health.failed(...list, late);
    expect(health.isLeftOut(...list)).toBe(true);
    await settled();
    expect(health.isLeftOut(...list)).toBe(!passesHeaders);
  },
);

it('a list has one trial at a time, although it works for a client and fails again during one that hangs', async () => {
  const { clock, probed, recovered, answer, health, settled } = createRig();
  const trial = Promise.withResolvers<unknown>();
  answer.with = () => trial.promise;
  health.failed(...list, late);
  expect(probed).toHaveLength(1);
  for (let relapses = 0; relapses < 5; relapses += 1) {
    health.listed(...list, 0);
    health.failed(...list, late);
    clock.advance(10_000);
    await settled();
    expect(probed).toHaveLength(1);
  }
  // What it finds out counts, and the next one follows as after any other.
  trial.reject(late);
  await settled();
  answer.with = () => Promise.resolve([]);
  expect(clock.waiting()).toEqual([1_000]);
  clock.next();
  await settled();
  expect([probed.length, recovered.length, health.isLeftOut(...list)]).toEqual([2, 6, false]);
});

it.each([
  ['an error', new Error('refused'), true],
  ['no room', new AnswerBudgetError(), false],
])(
  'a list that the gateway itself gets late, as %s, is left out, unless that is no fault of its target',
  async (_, error, isLeftOut) => {
    const { clock, answer, health, settled } = createRig();
    const trial = Promise.withResolvers<never>();
    answer.with = () => trial.promise;
    health.failed(...list, error);
    clock.advance(300);
    trial.reject(error);
    await settled();
    expect(health.isLeftOut(...list)).toBe(isLeftOut);
  },
);

describe('a list that fails at once', () => {
  it('is not left out, and clients are told when it is answered, whoever asked', async () => {
    const { recovered, health, settled } = createRig();
    health.failed(...list, new Error('refused'));
    await settled();
    expect(health.isLeftOut(...list)).toBe(false);
    health.listed(...list, 0);
    health.listed(...list, 0);
    expect(recovered).toEqual(['a tools/list']);
  });
});

it('a target that was changed is forgotten, also while it is probed', async () => {
  const { clock, probed, recovered, answer, health, settled } = createRig();
  answer.with = () => Promise.resolve([]);
  health.failed(...list, late);
  health.forget('a');
  expect(health.failing('a')).toEqual([]);
  await settled();
  expect([probed.length, recovered, clock.waiting()]).toEqual([1, [], []]);
});

it('few targets are probed at the same time, however many fail', async () => {
  const { probed, answer, health, settled } = createRig();
  answer.with = () => new Promise(() => {});
  for (let target = 0; target < 100; target += 1) health.failed(`t${target}`, 'tools/list', late);
  await settled();
  expect(probed).toHaveLength(4);
});

it('lists that are not answered leave their places to others after a second', async () => {
  const { clock, probed, recovered, answer, health, settled } = createRig();
  answer.with = () => (probed.at(-1)?.startsWith('good') === true ? Promise.resolve([]) : new Promise(() => {}));
  for (let target = 0; target < 4; target += 1) health.failed(`hangs-${target}`, 'tools/list', late);
  health.failed('good', 'tools/list', late);
  await settled();
  expect(recovered).toEqual([]);
  clock.advance(1_000);
  await settled();
  expect(recovered).toEqual(['good tools/list']);
});

describe('targets that have never listed', () => {
  it('are asked beside requests while new ones of their namespace keep clients waiting, and back when they answer', async () => {
    const { clock, probed, recovered, answer, health, settled } = createRig();
    health.listed('ns/old', 'tools/list', 10);
    expect(health.isLeftOut('ns/1', 'tools/list')).toBe(false);
    health.waitedInVain('ns/1', 5_000);
    health.failed('ns/1', 'tools/list', late);
    health.forget('ns/1');

    answer.with = () => Promise.resolve([]);
    expect(['ns/2', 'ns/old', 'other/2'].map((target) => health.isLeftOut(target, 'tools/list'))).toEqual([
      true,
      false,
      false,
    ]);
    expect(probed.at(-1)).toBe('ns/2 tools/list');
    await settled();
    expect(recovered).toEqual(['ns/2 tools/list']);
    expect(health.isLeftOut('ns/2', 'tools/list')).toBe(false);
    expect(health.isLeftOut('ns/2', 'prompts/list')).toBe(false);

    clock.advance(60_000);
    expect(health.isLeftOut('ns/3', 'tools/list')).toBe(false);
  });

  it('are doubted, too, when one went away while a client waited for it', () => {
    const { health } = createRig();
    health.waitedInVain('ns/1', 250);
    expect(health.isLeftOut('ns/2', 'tools/list')).toBe(false);
    health.waitedInVain('ns/1', 251);
    expect(health.isLeftOut('ns/3', 'tools/list')).toBe(true);
  });

  it('stay doubted as long as new ones do not answer the gateway itself', async () => {
    const { clock, answer, health, settled } = createRig();
    health.waitedInVain('ns/1', 5_000);
    clock.advance(59_000);
    const trial = Promise.withResolvers<never>();
    answer.with = () => trial.promise;
    expect(health.isLeftOut('ns/2', 'tools/list')).toBe(true);
    clock.advance(5_000);
    trial.reject(late);
    await settled();
    clock.advance(59_000);
    expect(health.isLeftOut('ns/3', 'tools/list')).toBe(true);
  });
});
