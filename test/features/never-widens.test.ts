import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFreshWorld, type Files } from '../support/worlds/fresh-world.ts';
import { grantsOf } from '../support/worlds/grants.ts';
import { meaningless, spoilt, textOf } from './worlds/garbage.ts';
import { base, type Manifest, more } from './worlds/spoilable.ts';

/** One file for each manifest, named so that what is added later sorts behind. */
function filesOf(manifests: readonly Manifest[]): Files {
  return Object.fromEntries(manifests.map((manifest, n) => [`a${n + 10}.yaml`, textOf(manifest)]));
}

/** Hundreds of whole worlds. */
const patient = { timeout: 60_000 };

const files = filesOf(base);
const before = grantsOf(createFreshWorld(files));

/** What the files allow beyond `allowed`. */
function beyond(changed: Files, allowed: ReadonlySet<string>): readonly string[] {
  return [...grantsOf(createFreshWorld(changed))].filter((grant) => !allowed.has(grant));
}

it('the world that is spoilt here allows something, and each object that is added would allow more', () => {
  expect(before.size).toBe(8);
  for (const manifest of more)
    expect(beyond({ ...files, 'z.yaml': textOf(manifest) }, before), textOf(manifest)).not.toEqual([]);
});

describe('garbage that is added to a world', () => {
  it('allows nobody anything, and shows no Gateway a Service', patient, () => {
    const garbage = fc.array(fc.array(meaningless, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
    const property = fc.property(garbage, (added) => {
      const named = added.map((documents, n) => [`z${n}.yaml`, documents.join('\n---\n')]);
      expect(beyond({ ...files, ...Object.fromEntries(named) }, before)).toEqual([]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('allows nobody anything from within a file that was good', patient, () => {
    const property = fc.property(
      fc.constantFrom(...Object.keys(files)),
      meaningless,
      fc.boolean(),
      (name, added, first) => {
        const good = files[name] ?? '';
        const text = first ? `${added}\n---\n${good}` : `${good}\n---\n${added}`;
        expect(beyond({ ...files, [name]: text }, before)).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });
});

describe('a spoilt object', () => {
  it('allows no more than it would have allowed', patient, () => {
    for (const manifest of more) {
      const allowed = grantsOf(createFreshWorld({ ...files, 'z.yaml': textOf(manifest) }));
      const property = fc.property(spoilt(manifest), (text) => {
        expect(beyond({ ...files, 'z.yaml': text }, allowed), text).toEqual([]);
      });
      fc.assert(property, { numRuns: 100 });
    }
  });

  it('allows no more than the good one in its place', patient, () => {
    // A Service narrows nothing, and what does not say that it is a Namespace is like a Namespace that was deleted.
    const narrowing = [...base.entries()].filter(([, { kind }]) => kind !== 'Service');
    const place = fc.constantFrom(...narrowing).chain(([n, manifest]) => {
      const worse = spoilt(manifest).filter((text) => manifest.kind !== 'Namespace' || text.includes('"Namespace"'));
      return fc.tuple(fc.constant(n), worse);
    });
    const property = fc.property(place, ([n, text]) => {
      expect(beyond({ ...files, [`a${n + 10}.yaml`]: text }, before), text).toEqual([]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('is no better as a second copy', patient, () => {
    const property = fc.property(fc.constantFrom(...base).chain(spoilt), (text) => {
      expect(beyond({ ...files, 'z.yaml': text }, before), text).toEqual([]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
