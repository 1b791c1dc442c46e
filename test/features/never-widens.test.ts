import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFreshWorld, type Files } from '../support/worlds/fresh-world.ts';
import { grantsOf } from '../support/worlds/grants.ts';
import { base, type Manifest, more } from './worlds/base-manifests.ts';
import { corrupted, meaningless, textOf } from './worlds/garbage.ts';

/** One file per manifest, with names that sort before those of added files. */
function filesOf(manifests: readonly Manifest[]): Files {
  return Object.fromEntries(manifests.map((manifest, n) => [`a${n + 10}.yaml`, textOf(manifest)]));
}

/** Each run translates hundreds of sets of manifests. */
const patient = { timeout: 60_000 };

const files = filesOf(base);
const before = grantsOf(createFreshWorld(files));

/** The grants of the files beyond `allowed`. */
function beyond(changed: Files, allowed: ReadonlySet<string>): readonly string[] {
  return [...grantsOf(createFreshWorld(changed))].filter((grant) => !allowed.has(grant));
}

it('the manifests of these tests allow something, and each added object would allow more if it were valid', () => {
  expect(before.size).toBe(8);
  for (const manifest of more)
    expect(beyond({ ...files, 'z.yaml': textOf(manifest) }, before), textOf(manifest)).not.toEqual([]);
});

describe('garbage that is added to manifests', () => {
  it('grants nothing, and adds no target to a Gateway', patient, () => {
    const garbage = fc.array(fc.array(meaningless, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
    const property = fc.property(garbage, (added) => {
      const named = added.map((documents, n) => [`z${n}.yaml`, documents.join('\n---\n')]);
      expect(beyond({ ...files, ...Object.fromEntries(named) }, before)).toEqual([]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('grants nothing in a file that was valid', patient, () => {
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

describe('a corrupted object', () => {
  it('grants no more than the valid one', patient, () => {
    for (const manifest of more) {
      const allowed = grantsOf(createFreshWorld({ ...files, 'z.yaml': textOf(manifest) }));
      const property = fc.property(corrupted(manifest), (text) => {
        expect(beyond({ ...files, 'z.yaml': text }, allowed), text).toEqual([]);
      });
      fc.assert(property, { numRuns: 100 });
    }
  });

  it('grants no more than the valid one that it replaces', patient, () => {
    // A Service restricts nothing; a Namespace whose kind is corrupted is like a deleted one.
    const narrowing = [...base.entries()].filter(([, { kind }]) => kind !== 'Service');
    const place = fc.constantFrom(...narrowing).chain(([n, manifest]) => {
      const worse = corrupted(manifest).filter((text) => manifest.kind !== 'Namespace' || text.includes('"Namespace"'));
      return fc.tuple(fc.constant(n), worse);
    });
    const property = fc.property(place, ([n, text]) => {
      expect(beyond({ ...files, [`a${n + 10}.yaml`]: text }, before), text).toEqual([]);
    });
    fc.assert(property, { numRuns: 400 });
  });

  it('grants no more as a second copy', patient, () => {
    const property = fc.property(fc.constantFrom(...base).chain(corrupted), (text) => {
      expect(beyond({ ...files, 'z.yaml': text }, before), text).toEqual([]);
    });
    fc.assert(property, { numRuns: 200 });
  });
});
