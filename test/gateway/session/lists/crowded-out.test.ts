import { expect, it } from 'vitest';
import { CrowdedOut } from '../../../../src/gateway/session/lists/crowded-out.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

it('targets that had no room in a list of a caller are left out of it for ten seconds', () => {
  const clock = createManualClock();
  const crowdedOut = new CrowdedOut(clock);
  crowdedOut.leftOut('me', 'tools/list', new Set(['a']));
  const found = (): readonly boolean[] => [
    crowdedOut.has('me', 'tools/list', 'a'),
    crowdedOut.has('me', 'tools/list', 'b'),
    crowdedOut.has('me', 'prompts/list', 'a'),
    crowdedOut.has('you', 'tools/list', 'a'),
  ];
  expect(found()).toEqual([true, false, false, false]);
  clock.advance(9_999);
  crowdedOut.leftOut('me', 'tools/list', new Set(['b']));
  expect(found()).toEqual([true, true, false, false]);
  clock.advance(1);
  expect(found()).toEqual([false, false, false, false]);
});

it('when one of them is changed or removed, there may be room for the others at once', () => {
  const crowdedOut = new CrowdedOut(createManualClock());
  crowdedOut.leftOut('me', 'tools/list', new Set(['a', 'b']));
  crowdedOut.leftOut('you', 'tools/list', new Set(['b']));
  crowdedOut.forget('a');
  expect(crowdedOut.has('me', 'tools/list', 'b')).toBe(false);
  expect(crowdedOut.has('you', 'tools/list', 'b')).toBe(true);
});
