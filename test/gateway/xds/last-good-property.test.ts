import { chmodSync, cpSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide } from '../../../src/authz/authz.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';
import { type LastGoodRig, startLastGood } from '../../support/gateway/last-good-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { config, target } from './resources.ts';

const targetNames = ['a/x', 'a/y', 'a/z'];
const configNames = ['a.p', 'a.q', 'a.r'];
const subjects = ['me', 'you'];
const ids = ['*', ...targetNames.map((name) => `${name}:tool`)];

const rules = fc.array(
  fc.record({
    value: fc.constantFrom(...subjects),
    resource: fc.constantFrom(...ids).map((id) => ({ id, type: 0 as const })),
  }),
  { minLength: 1, maxLength: 3 },
);

/** What happens to a process: answers of the control plane, time, turns of the event loop, and its end. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('Config' as const),
      put: fc.uniqueArray(fc.tuple(fc.constantFrom(...configNames), rules), {
        selector: ([name]) => name,
        maxLength: 2,
      }),
      remove: fc.subarray(configNames, { maxLength: 1 }),
    }),
    fc.record({
      kind: fc.constant('Target' as const),
      put: fc.uniqueArray(fc.tuple(fc.constantFrom(...targetNames), fc.integer({ min: 1, max: 3 })), {
        selector: ([name]) => name,
        maxLength: 2,
      }),
      remove: fc.subarray(targetNames, { maxLength: 1 }),
    }),
    fc.record({ kind: fc.constant('time' as const), seconds: fc.constantFrom(1, 5) }),
    fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('crash' as const) }),
  ),
  { minLength: 1, maxLength: 25 },
);

/** Every request that is allowed, with the address that it goes to. */
function allowed({ store: { config: world } }: LastGoodRig): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, { host, port }] of world.targets) {
    for (const sub of subjects) {
      const use = { kind: 'tool', name: `${name}:tool` } as const;
      if (decide(world.rules, { sub }, use).allowed) found.add(`${sub} ${use.name} ${host}:${port}`);
    }
  }
  return found;
}

it('after a crash at any moment, nothing is allowed that was not allowed in that moment', async () => {
  const folders = temporaryFolder();
  let number = 0;
  let restored = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const clock = createManualClock();
      const next = (): string => {
        number += 1;
        return join(folders, String(number));
      };
      let folder = next();
      let rig = await startLastGood({ folder, clock });
      rig.answer('Target', { resources: targetNames.map((name) => target(name)) });
      rig.answer('Config', { resources: [config('a.p', [{ value: 'me' }]), config('a.q', [{ value: 'you' }])] });
      clock.advance(1_000);
      await rig.happened('written');
      for (const step of sequence) {
        if (step.kind === 'Config') {
          const resources = step.put.map(([name, own]) => config(name, own));
          rig.answer('Config', { resources, removedResources: [...step.remove] });
        } else if (step.kind === 'Target') {
          const resources = step.put.map(([name, port]) => target(name, { port }));
          rig.answer('Target', { resources, removedResources: [...step.remove] });
        } else if (step.kind === 'time') {
          clock.advance(step.seconds * 1_000);
        } else if (step.kind === 'turns') {
          // Each goes to the disk and back, as the parts of a write do.
          for (let turn = 0; turn < step.count; turn += 1) await stat(folder);
        } else {
          const before = allowed(rig);
          const copy = next();
          // What a crash leaves: also what a write that goes on meanwhile has not finished.
          cpSync(folder, copy, { recursive: true });
          chmodSync(copy, 0o700);
          await rig.state.stop();
          folder = copy;
          rig = await startLastGood({ folder, clock });
          const after = allowed(rig);
          restored += after.size;
          expect([...after].filter((request) => !before.has(request))).toEqual([]);
        }
      }
      await rig.state.stop();
    }),
    { numRuns: 150 },
  );
  // The runs would prove nothing if no state were ever used.
  expect(restored).toBeGreaterThan(0);
});
