import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryRequest } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { type ReadRequest, type Reported, ReportReader } from '../../src/serve/reported.ts';
import type { View } from '../../src/snapshot/model.ts';
import { createHandMadeWorld, targetType } from '../support/hand-made-world.ts';

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
const encode = (fields: Parameters<typeof DeltaDiscoveryRequest.fromPartial>[0]): Buffer =>
  Buffer.from(DeltaDiscoveryRequest.encode(DeltaDiscoveryRequest.fromPartial(fields)).finish());
const read = (bytes: Buffer): ReadRequest => {
  const request = new ReportReader().read(bytes);
  if (request === undefined) throw new Error('not read');
  return request;
};
/** One entry of the map, of fields that are given in this order. */
const entry = (...fields: readonly (readonly [field: number, text: string])[]): Buffer => {
  const content = Buffer.concat(
    fields.map(([field, text]) => Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)])),
  );
  return Buffer.concat([Buffer.from([(5 << 3) | 2, content.length]), content]);
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
    const { message, reported } = read(encode({ typeUrl: 'a', responseNonce: '1' }));
    expect(reported).toBeUndefined();
    expect(message).toMatchObject({ typeUrl: 'a', responseNonce: '1' });
  });

  it('is compared with a View, and what is not so is told apart', () => {
    const { reported } = read(encode({ initialResourceVersions: { 'a/0': zero, 'a/1': 'old', 'a/gone': 'v' } }));
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
      encode({ typeUrl: 'a', resourceNamesSubscribe: ['x'] }),
      entry([1, 'a/1'], [2, one]),
      encode({ responseNonce: '7' }),
    ]);
    const { message, reported } = read(bytes);
    expect(message).toEqual(
      DeltaDiscoveryRequest.fromPartial({ typeUrl: 'a', resourceNamesSubscribe: ['x'], responseNonce: '7' }),
    );
    expect(reported?.compare(view).same).toBe(2);
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
    const { reported } = read(Buffer.concat(entries));
    expect([...(reported?.entries() ?? [])]).toEqual([expected]);
  });

  it('counts a name once that is reported twice, and the last time counts', () => {
    const twice = read(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, zero])]));
    expect(shown(twice.reported)).toEqual(comparison([true, false, false], []));
    const corrected = read(Buffer.concat([entry([1, 'a/0'], [2, 'old']), entry([1, 'a/0'], [2, zero])]));
    expect(shown(corrected.reported)).toEqual(comparison([true, false, false], []));
    const spoilt = read(Buffer.concat([entry([1, 'a/0'], [2, zero]), entry([1, 'a/0'], [2, 'old'])]));
    expect(shown(spoilt.reported)).toEqual(comparison([false, false, false], [['a/0', 'old']]));
  });

  it.each([
    ['is cut off', entry([1, 'a/0'], [2, zero]).subarray(0, -1)],
    ['claims to be longer than the message', Buffer.from([(5 << 3) | 2, 100, (1 << 3) | 2, 1])],
    ['has a length that does not end', Buffer.from([(5 << 3) | 2, 0xff, 0xff])],
  ])('is no request when it %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow();
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
        const bytes = encode({ typeUrl, initialResourceVersions });
        const { message, reported } = read(bytes);
        const whole = DeltaDiscoveryRequest.decode(bytes);
        expect(message).toEqual({ ...whole, initialResourceVersions: {} });
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
        const compared = read(bytes).reported?.compare(large.view);
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

  it('is read or refused, never misread, when the bytes are garbage', () => {
    const outcome = (decode: () => DeltaDiscoveryRequest): DeltaDiscoveryRequest | 'refused' => {
      try {
        return decode();
      } catch {
        return 'refused';
      }
    };
    const bytes = fc.array(fc.oneof(fc.constantFrom(42, 10, 18, 2, 3, 0), fc.nat(255)), { maxLength: 24 });
    fc.assert(
      fc.property(bytes, (values) => {
        const garbage = Buffer.from(values);
        const mine = outcome(() => {
          const { message, reported } = read(garbage);
          return { ...message, initialResourceVersions: Object.fromEntries(reported?.entries() ?? []) };
        });
        expect(mine).toEqual(outcome(() => DeltaDiscoveryRequest.decode(garbage)));
      }),
      { numRuns: 2000 },
    );
  });
});
