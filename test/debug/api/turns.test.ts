import { setImmediate as nextIteration } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { explainView } from '../../../src/debug/api/explain-view.ts';
import type { Clock } from '../../../src/edges.ts';
import { answerInSteps } from '../../../src/explain/explain.ts';
import { inTurns } from '../../../src/rate/turns.ts';
import { systemClock } from '../../support/edges/system-clock.ts';
import { createFreshWorld } from '../../support/worlds/fresh-world.ts';
import { isSubject, openGateway, policyWith, together } from '../../support/worlds/manifests.ts';

/** A clock that goes on by a millisecond whenever it is read: the turns are those of the number of steps. */
function steppingClock(): Clock & { readonly reads: () => number } {
  let now = 0;
  return { ...systemClock, monotonic: () => (now += 1), reads: () => now };
}

describe('work in turns', () => {
  it('is interrupted after some milliseconds, however many steps it has', async () => {
    function* hundred(): Generator<undefined, string> {
      for (let step = 0; step < 100; step += 1) yield undefined;
      return 'done';
    }
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    expect(await inTurns(hundred(), steppingClock(), pause)).toBe('done');
    expect(pauses).toBeGreaterThanOrEqual(15);
  });

  it('ends with the error of a step', async () => {
    // biome-ignore lint/correctness/useYield: it fails before its first step
    function* failing(): Generator<undefined, string> {
      throw new Error('a bug');
    }
    await expect(inTurns(failing(), systemClock, () => Promise.resolve())).rejects.toThrow('a bug');
  });
});

/** 40 policies with 50 rules of 5 matches each. */
const rules = (policy: number): string =>
  Array.from({ length: 50 }, (_, rule) => {
    const matches = Array.from({ length: 5 }, (__, match) => isSubject(`caller-${policy}-${rule}-${match}`));
    return `{ matches: [${matches.join(', ')}], resource: { kind: tool, name: "default/tool-${rule}:run" } }`;
  }).join(', ');
const policies = Array.from({ length: 40 }, (_, at) =>
  policyWith(`default/p-${at}`, '[{ name: gw }]', `[${rules(at)}]`),
);
const { pipeline } = createFreshWorld({ 'world.yaml': together(openGateway, ...policies) });

it.each([
  ['a verdict', { claims: { sub: 'nobody' }, request: { kind: 'tool', name: 'default/tool-7:run' } }],
  ['the rules for a caller', { claims: { sub: 'nobody' } }],
])('%s among 10,000 matches takes many short turns', async (_, question) => {
  const clock = steppingClock();
  let turns = 0;
  const answering = explainView(
    {
      answer: (asked) => answerInSteps(pipeline.explainer, asked, 1_000),
      placesOf: (places) => Promise.resolve(places.map(() => undefined)),
      problems: () => [],
      resources: { MCPAuthPolicy: new Map() },
      clock,
    },
    question,
    nextIteration,
  );
  const answered = answering.then(() => true);
  const turn = (): Promise<false> =>
    new Promise((resolve) => {
      setImmediate(() => resolve(false));
    });
  while (!(await Promise.race([answered, turn()]))) turns += 1;
  expect(clock.reads(), 'a step for each match').toBeGreaterThanOrEqual(10_000);
  expect(turns).toBeGreaterThan(500);
  const { grants, reasons } = (await answering) as {
    readonly grants?: readonly object[];
    readonly reasons?: readonly object[];
  };
  expect((grants ?? reasons ?? []).length).toBe(grants === undefined ? 20 : 0);
});
