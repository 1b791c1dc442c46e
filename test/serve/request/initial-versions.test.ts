import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryRequest } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import type { Reported } from '../../../src/serve/request/initial-versions.ts';
import type { View } from '../../../src/snapshot/model.ts';
import { deltaRequest, lengthDelimited, readDelta, reportedIn } from '../../support/nodes/requests.ts';
import { createHandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';

/** A View of `a/0`, `a/1`…, and the versions that it has. */
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
/** One entry of the map, of fields that are given in this order. */
const entry = (...fields: readonly (readonly [field: number, text: string])[]): Buffer => {
  const content = Buffer.concat(fields.map(([field, text]) => lengthDelimited(field, Buffer.from(text))));
  return lengthDelimited(5, content);
};
const shown = (reported: Reported | undefined): object | undefined => {
  const compared = reported?.compare(view);
  return compared && { ...compared, holds: [...view.resources()].map(({ name }) => compared.holds(name)) };
};
const comparison = (holds: readonly boolean[], others: readonly (readonly [string, string])[]): object => ({
  holds,
  same: holds.filter(Boolean).length,
  others: new Map(others),
});

describe('what a node reports', () => {
  it('is nothing when the request has no versions', () => {
    expect(reportedIn(deltaRequest({ typeUrl: 'a', responseNonce: '1' }))).toBeUndefined();
  });

  it('is compared with a View, and what is not so is told apart', () => {
    const initialResourceVersions = { 'a/0': zero, 'a/1': 'old', 'a/gone': 'v' };
    const reported = reportedIn(deltaRequest({ initialResourceVersions }));
    const others: [string, string][] = [
      ['a/1', 'old'],
      ['a/gone', 'v'],
    ];
    expect(shown(reported)).toEqual(comparison([true, false, false], others));
    expect(reported?.compare(view).holds('a/gone')).toBe(false);
  });

  it('leaves the rest of the request as it was, wherever the versions stand in it', () => {
    const bytes = Buffer.concat([
      entry([1, 'a/0'], [2, zero]),
      deltaRequest({ typeUrl: 'a', resourceNamesSubscribe: ['x'] }),
      entry([1, 'a/1'], [2, one]),
      deltaRequest({ responseNonce: '7' }),
    ]);
    expect(readDelta(bytes)).toMatchObject({ typeUrl: 'a', wanted: ['x'], nonce: '7' });
    expect(reportedIn(bytes)?.compare(view).same).toBe(2);
  });
});

describe('an entry of what a node reports', () => {
  it.each([
    ['the version first', [entry([2, zero], [1, 'a/0'])], ['a/0', zero]],
    ['a version twice', [entry([1, 'a/0'], [2, 'old'], [2, zero])], ['a/0', zero]],
    ['a field that nobody knows', [entry([1, 'a/0'], [2, zero], [3, 'x'])], ['a/0', zero]],
    ['no version', [entry([1, 'a/0'])], ['a/0', '']],
    ['no name', [entry([2, 'v'])], ['', 'v']],
    ['nothing in it', [entry()], ['', '']],
  ])('is read with %s', (_, entries, expected) => {
    const reported = reportedIn(Buffer.concat(entries));
    expect([...(reported?.entries() ?? [])]).toEqual([expected]);
  });

  it('counts a name once that is reported twice, and the last time counts', () => {
    const twice = reportedIn(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, zero])]));
    expect(shown(twice)).toEqual(comparison([true, false, false], []));
    const corrected = reportedIn(Buffer.concat([entry([1, 'a/0'], [2, 'old']), entry([1, 'a/0'], [2, zero])]));
    expect(shown(corrected)).toEqual(comparison([true, false, false], []));
    const spoilt = reportedIn(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, 'old'])]));
    expect(shown(spoilt)).toEqual(comparison([false, false, false], [['a/0', 'old']]));
  });

  it.each([
    ['is cut off', entry([1, 'a/0'], [2, zero]).subarray(0, -1)],
    ['claims to be longer than the message', Buffer.from([(5 << 3) | 2, 100, (1 << 3) | 2, 1])],
    ['has more fields than anybody writes', entry(...Array.from({ length: 9 }, () => [2, 'v'] as const))],
    ['has a length that does not end', Buffer.from([(5 << 3) | 2, 0xff, 0xff])],
  ])('is no request when it %s', (_, bytes) => {
    expect(() => readDelta(bytes)).toThrow();
  });
});

describe('reading what a node reports', () => {
  it('is the same as a decoder reads, whatever the bytes', () => {
    // A decoder that makes an object loses a name that every object has already.
    const any = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__');
    const text = fc.oneof(fc.constantFrom('', 'a/0', 'a/1', 'a/2', zero, one), any);
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), fc.string(), (pairs, typeUrl) => {
        const initialResourceVersions = Object.fromEntries(pairs);
        const bytes = deltaRequest({ typeUrl, initialResourceVersions });
        const reported = reportedIn(bytes);
        const whole = DeltaDiscoveryRequest.decode(bytes);
        expect(Object.fromEntries(reported?.entries() ?? [])).toEqual(whole.initialResourceVersions);
        const same = Object.entries(versions).filter(
          ([name, version]) => whole.initialResourceVersions[name] === version,
        );
        expect(reported?.compare(view).same ?? 0).toBe(same.length);
      }),
      { numRuns: 200 },
    );
  });

  it('is the same however long the stretches are that say what a View says', () => {
    const large = worldOf(600);
    const names = Object.keys(large.versions);
    const at = fc.nat(names.length - 1);
    const edit = fc.oneof(
      fc.record({ does: fc.constant('drop' as const), at, count: fc.nat(3) }),
      fc.record({ does: fc.constantFrom('repeat', 'spoil' as const), at, to: at }),
    );
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), fc.nat(names.length), (edits, turn) => {
        const said: [string, string][] = Object.entries(large.versions);
        said.unshift(...said.splice(turn));
        for (const one of edits) {
          const [name = '', version = ''] = said[one.at] ?? [];
          if (one.does === 'drop') said.splice(one.at, one.count);
          else said.splice(one.to, 0, [name, one.does === 'spoil' ? 'old' : version]);
        }
        const bytes = Buffer.concat(said.map(([name, version]) => entry([1, name], [2, version])));
        const compared = reportedIn(bytes)?.compare(large.view);
        const last = new Map(said);
        const holds = names.map((name) => last.get(name) === large.versions[name]);
        expect(names.map((name) => compared?.holds(name))).toEqual(holds);
        expect(compared?.same).toBe(holds.filter(Boolean).length);
        const others = [...last].filter(([name, version]) => large.versions[name] !== version);
        expect(new Map(compared?.others)).toEqual(new Map(others));
      }),
      { numRuns: 60 },
    );
  });
});
