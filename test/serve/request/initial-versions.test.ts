import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import type { InitialVersions } from '../../../src/serve/request/initial-versions.ts';
import type { View } from '../../../src/snapshot/model.ts';
import { decodeDelta, deltaRequest, initialVersionsIn, lengthDelimited } from '../../support/nodes/requests.ts';
import { createHandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';

/** Creates a View of `a/0`, `a/1`…, with the versions of its resources. */
function worldOf(size: number): { readonly view: View; readonly versions: Record<string, string> } {
  const world = createHandMadeWorld();
  world.commit((edit) => {
    edit.gateway('default/gw');
    for (let index = 0; index < size; index += 1) edit.target(`a/${index}`);
  });
  const view = world.snapshots.of('default/gw').views.get(targetType);
  if (view === undefined) throw new Error('no view');
  return { view, versions: Object.fromEntries([...view.resources()].map(({ name, version }) => [name, version])) };
}

const { view, versions } = worldOf(3);
const [zero = '', one = ''] = Object.values(versions);
/** Encodes one entry of the map, with its fields in this order. */
const entry = (...fields: readonly (readonly [field: number, text: string])[]): Buffer => {
  const content = Buffer.concat(fields.map(([field, text]) => lengthDelimited(field, Buffer.from(text))));
  return lengthDelimited(5, content);
};
const shown = (reported: InitialVersions | undefined): object | undefined => {
  const compared = reported?.compare(view);
  return compared && { ...compared, isCurrent: [...view.resources()].map(({ name }) => compared.isCurrent(name)) };
};
const comparison = (isCurrent: readonly boolean[], differing: readonly (readonly [string, string])[]): object => ({
  isCurrent,
  currentCount: isCurrent.filter(Boolean).length,
  differing: new Map(differing),
});

describe('the initial versions of a request', () => {
  it('are undefined in a request without entries', () => {
    expect(initialVersionsIn(deltaRequest({ typeUrl: 'a', responseNonce: '1' }))).toBeUndefined();
  });

  it('are compared with a View: current entries, outdated ones and unknown names', () => {
    const initialResourceVersions = { 'a/0': zero, 'a/1': 'old', 'a/gone': 'v' };
    const reported = initialVersionsIn(deltaRequest({ initialResourceVersions }));
    const differing: [string, string][] = [
      ['a/1', 'old'],
      ['a/gone', 'v'],
    ];
    expect(shown(reported)).toEqual(comparison([true, false, false], differing));
    expect(reported?.compare(view).isCurrent('a/gone')).toBe(false);
  });

  it('may lie anywhere between the other fields of the request', () => {
    const bytes = Buffer.concat([
      entry([1, 'a/0'], [2, zero]),
      deltaRequest({ typeUrl: 'a', resourceNamesSubscribe: ['x'] }),
      entry([1, 'a/1'], [2, one]),
      deltaRequest({ responseNonce: '7' }),
    ]);
    expect(decodeDelta(bytes)).toMatchObject({ typeUrl: 'a', subscribe: ['x'], nonce: '7' });
    expect(initialVersionsIn(bytes)?.compare(view).currentCount).toBe(2);
  });
});

describe('an entry of the initial versions', () => {
  it.each([
    ['the version first', [entry([2, zero], [1, 'a/0'])], ['a/0', zero]],
    ['a version twice', [entry([1, 'a/0'], [2, 'old'], [2, zero])], ['a/0', zero]],
    ['an unknown field', [entry([1, 'a/0'], [2, zero], [3, 'x'])], ['a/0', zero]],
    ['no version', [entry([1, 'a/0'])], ['a/0', '']],
    ['no name', [entry([2, 'v'])], ['', 'v']],
    ['no field', [entry()], ['', '']],
  ])('is decoded with %s', (_, entries, expected) => {
    const reported = initialVersionsIn(Buffer.concat(entries));
    expect([...(reported?.entries() ?? [])]).toEqual([expected]);
  });

  it('for a name that is reported twice: the last one counts', () => {
    const twice = initialVersionsIn(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, zero])]));
    expect(shown(twice)).toEqual(comparison([true, false, false], []));
    const corrected = initialVersionsIn(Buffer.concat([entry([1, 'a/0'], [2, 'old']), entry([1, 'a/0'], [2, zero])]));
    expect(shown(corrected)).toEqual(comparison([true, false, false], []));
    const outdated = initialVersionsIn(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, 'old'])]));
    expect(shown(outdated)).toEqual(comparison([false, false, false], [['a/0', 'old']]));
  });

  it.each([
    ['is truncated', entry([1, 'a/0'], [2, zero]).subarray(0, -1)],
    ['is longer than the message', Buffer.from([(5 << 3) | 2, 100, (1 << 3) | 2, 1])],
    ['has more than eight fields', entry(...Array.from({ length: 9 }, () => [2, 'v'] as const))],
    ['has a length without an end', Buffer.from([(5 << 3) | 2, 0xff, 0xff])],
  ])('makes the request malformed when it %s', (_, bytes) => {
    expect(() => decodeDelta(bytes)).toThrow();
  });
});

describe('decoding initial versions', () => {
  it('returns what the generated decoder returns, for any entries', () => {
    // The generated decoder creates an object, which cannot have a member of this name.
    const any = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
    const text = fc.oneof(fc.constantFrom('', 'a/0', 'a/1', 'a/2', zero, one), any);
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), fc.string(), (pairs, typeUrl) => {
        const initialResourceVersions = Object.fromEntries(pairs);
        const bytes = deltaRequest({ typeUrl, initialResourceVersions });
        const reported = initialVersionsIn(bytes);
        const whole = DeltaDiscoveryRequest.decode(bytes);
        expect(Object.fromEntries(reported?.entries() ?? [])).toEqual(whole.initialResourceVersions);
        const current = Object.entries(versions).filter(
          ([name, version]) => whole.initialResourceVersions[name] === version,
        );
        expect(reported?.compare(view).currentCount ?? 0).toBe(current.length);
      }),
      { numRuns: 200 },
    );
  });

  it('returns the same for runs of entries of any length', () => {
    const large = worldOf(600);
    const names = Object.keys(large.versions);
    const at = fc.nat(names.length - 1);
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('drop' as const), at, count: fc.nat(3) }),
      fc.record({ kind: fc.constantFrom('repeat', 'outdate' as const), at, to: at }),
    );
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(names.length), (edits, turn) => {
        const entries: [string, string][] = Object.entries(large.versions);
        entries.unshift(...entries.splice(turn));
        for (const one of edits) {
          const [name = '', version = ''] = entries[one.at] ?? [];
          if (one.kind === 'drop') entries.splice(one.at, one.count);
          else entries.splice(one.to, 0, [name, one.kind === 'outdate' ? 'old' : version]);
        }
        const bytes = Buffer.concat(entries.map(([name, version]) => entry([1, name], [2, version])));
        const compared = initialVersionsIn(bytes)?.compare(large.view);
        const last = new Map(entries);
        const isCurrent = names.map((name) => last.get(name) === large.versions[name]);
        expect(names.map((name) => compared?.isCurrent(name))).toEqual(isCurrent);
        expect(compared?.currentCount).toBe(isCurrent.filter(Boolean).length);
        const differing = [...last].filter(([name, version]) => large.versions[name] !== version);
        expect(new Map(compared?.differing)).toEqual(new Map(differing));
      }),
      { numRuns: 60 },
    );
  });
});
