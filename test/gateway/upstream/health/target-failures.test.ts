import { expect, it } from 'vitest';
import { AnswerBudgetError } from '../../../../src/gateway/upstream/answer-limits.ts';
import { createTargetFailures } from '../../../../src/gateway/upstream/health/target-failures.ts';
import { createTargetStates } from '../../../../src/gateway/upstream/health/target-states.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';
import { createRecordedLog } from '../../../support/edges/recorded-log.ts';

it('a failing target is logged once per reason and method, until it responds again', () => {
  const log = createRecordedLog();
  const failures = createTargetFailures(createManualClock(), log, createTargetStates(createManualClock()));
  failures.succeeded('a', 'tools/list');
  for (const reason of ['refused', 'refused', 'misdirected', 'refused']) {
    failures.failed('a', 'tools/list', new Error(reason));
  }
  failures.failed('a', 'tools/call', new Error('refused'));
  failures.succeeded('a', 'tools/list');
  failures.failed('a', 'tools/list', new Error('refused'));
  expect(log.lines.map(({ message, fields }) => [message, fields['request'], fields['reason']])).toEqual([
    ['target does not answer', 'tools/list', 'refused'],
    ['target does not answer', 'tools/list', 'misdirected'],
    ['target does not answer', 'tools/call', 'refused'],
    ['target answers again', 'tools/list', undefined],
    ['target does not answer', 'tools/list', 'refused'],
  ]);
});

it('a target that fails and answers in turn is logged a few times, and then twice a minute', () => {
  const clock = createManualClock();
  const log = createRecordedLog();
  const failures = createTargetFailures(clock, log, createTargetStates(clock));
  const alternate = (): void => {
    failures.failed('a', 'tools/call', new Error('refused'));
    failures.succeeded('a', 'tools/call');
  };
  for (let times = 0; times < 100; times += 1) alternate();
  expect(log.lines).toHaveLength(16);
  clock.advance(60_000);
  for (let times = 0; times < 100; times += 1) alternate();
  expect(log.lines).toHaveLength(18);
});

it('dozens of targets that fail at once have two dozen lines, one that says that there are more, and six a minute', () => {
  const clock = createManualClock();
  const log = createRecordedLog();
  const failures = createTargetFailures(clock, log, createTargetStates(clock));
  const fail = (from: number): void => {
    for (let target = from; target < from + 50; target += 1)
      failures.failed(`t${target}`, 'tools/list', new Error('x'));
  };
  fail(0);
  expect(log.lines.map(({ message }) => message)).toEqual([
    ...Array.from({ length: 24 }, () => 'target does not answer'),
    'failures of targets are not all logged: see /targets',
  ]);
  for (let target = 0; target < 50; target += 1) failures.succeeded(`t${target}`, 'tools/list');
  expect(log.lines).toHaveLength(25);
  clock.advance(60_000);
  fail(50);
  expect(log.lines).toHaveLength(31);
});

it('a target that no request reached is logged by the first request that is not sent, and once', () => {
  const log = createRecordedLog();
  const failures = createTargetFailures(createManualClock(), log, createTargetStates(createManualClock()));
  failures.unreachable('a', new Error('refused'));
  for (let calls = 0; calls < 10; calls += 1) failures.skipped('a', 'tools/call', new Error('refused'));
  failures.succeeded('a', 'tools/call');
  failures.failed('a', 'tools/list', new Error('refused'));
  failures.skipped('a', 'tools/call', new Error('refused'));
  expect(log.lines.map(({ message, fields }) => [message, fields['request'], fields['reason']])).toEqual([
    ['target does not answer', 'tools/call', 'refused'],
    ['target answers again', 'tools/call', undefined],
    ['target does not answer', 'tools/list', 'refused'],
  ]);
});

it('the reasons of a failing target are limited in number and length', () => {
  const log = createRecordedLog();
  const failures = createTargetFailures(createManualClock(), log, createTargetStates(createManualClock()));
  for (let calls = 0; calls < 100; calls++) {
    failures.failed('a', 'tools/call', new Error(`${calls}: \u001b[2J<html>\n${'x'.repeat(1_000_000)}`));
  }
  expect(log.lines).toHaveLength(4);
  expect(log.lines[0]?.fields['reason']).toMatch(/^0: \[2J<html> x{180}/);
  expect(log.text().length).toBeLessThan(1_500);
});

it('what concerns many targets at once is one line, and no failure of theirs', () => {
  const log = createRecordedLog();
  const states = createTargetStates(createManualClock());
  const failures = createTargetFailures(createManualClock(), log, states);
  for (let lists = 0; lists < 3; lists += 1) {
    failures.leftOut(['a', 'b'], 'tools/list', 'too large');
    for (const target of ['a', 'b', 'c']) failures.failed(target, 'tools/call', new AnswerBudgetError());
    expect(states.of('a')).toMatchObject({ state: lists === 0 ? 'never connected' : 'answers', lastError: null });
    for (const target of ['a', 'b', 'c']) failures.succeeded(target, 'tools/list');
  }
  expect(log.lines.map(({ message, fields }) => [message, fields['targets'] ?? fields['target']])).toEqual([
    ['a list is made without some targets', 'a, b'],
    ['answers of targets are given up', 'a'],
  ]);
  expect(states.of('b').requests.limit).toBe(6);
  expect(states.of('c').requests.limit).toBe(3);
});
