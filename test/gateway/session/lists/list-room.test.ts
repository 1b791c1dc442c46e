import { expect, it } from 'vitest';
import { ListRoom } from '../../../../src/gateway/session/lists/list-room.ts';

const mebibyte = 1024 * 1024;

/** Mebibytes of each list that are read in one turn. */
const step = 1 / 4;

/** The lists of targets, of so many mebibytes, read in turns; the targets whose lists are complete. */
function readInTurns(sizes: Readonly<Record<string, number>>): {
  readonly room: ListRoom;
  readonly complete: readonly string[];
  readonly parsed: number;
} {
  const room = new ListRoom();
  const read = new Map<string, number>();
  let largestSum = 0;
  for (const target of Object.keys(sizes)) {
    room.enter(target, true, () => read.delete(target));
    read.set(target, 0);
  }
  for (let size = step; size <= Math.max(...Object.values(sizes)); size += step) {
    for (const [target, whole] of Object.entries(sizes)) {
      if (!read.has(target) || size > whole) continue;
      read.set(target, size);
      try {
        room.hold(target, { bytes: size * mebibyte, values: 1 });
      } catch {
        expect(read.has(target)).toBe(false);
      }
      largestSum = Math.max(largestSum, room.size.bytes);
    }
  }
  expect(largestSum).toBeLessThanOrEqual(10 * mebibyte);
  return { room, complete: [...read.keys()], parsed: [...read.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

it('of sixteen lists of 7 MiB none is read to its end, and nobody waits for megabytes of them', () => {
  const sizes = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`t${index}`, 7]));
  const { room, complete, parsed } = readInTurns({ ...sizes, honest: step });
  expect([complete, parsed, room.leftOut.size]).toEqual([['honest'], step, 16]);
});

it('a list of 8 MiB is read to its end beside small ones', () => {
  const { room, complete } = readInTurns({ a: 8, b: 1, c: 1 });
  expect([complete, room.size.bytes]).toEqual([['a', 'b', 'c'], 10 * mebibyte]);
});

it('of lists that are too large together, those are left that take 2 MiB', () => {
  const sizes = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`t${index}`, 1 / 2]));
  const { room, complete } = readInTurns(sizes);
  expect([complete.length, room.size.bytes]).toEqual([4, 2 * mebibyte]);
});

it('a target whose list is smaller than its part of the room stays, whatever others list and whenever', () => {
  const { complete } = readInTurns({ a: 8, b: 8, c: 8, small: step, d: 8 });
  expect(complete).toContain('small');
  const late = new ListRoom();
  const left: string[] = [];
  for (const target of ['a', 'b', 'late']) late.enter(target, true, () => left.push(target));
  late.hold('a', { bytes: 8 * mebibyte, values: 1 });
  expect(() => late.hold('b', { bytes: 8 * mebibyte, values: 1 })).toThrow('too large');
  late.hold('late', { bytes: mebibyte, values: 1 });
  expect(left).toEqual(['b', 'a']);
  expect(late.leftOut.has('late')).toBe(false);
});

it('values count as bytes do, and what a target that was left out still sends is refused', () => {
  const room = new ListRoom();
  for (const target of ['a', 'b', 'c']) room.enter(target, true, () => {});
  room.hold('a', { bytes: 1, values: 200_001 });
  expect(() => room.hold('b', { bytes: 1, values: 200_000 })).toThrow('too large');
  room.hold('c', { bytes: 1, values: 50_000 });
  expect([...room.leftOut]).toEqual(['a', 'b']);
  expect(() => room.hold('a', { bytes: 2, values: 2 })).toThrow('too large');
  expect(room.size.bytes).toBe(1);
});

it('a list that fails gives its room back, so that no other is left out for it', () => {
  const room = new ListRoom();
  for (const target of ['a', 'b', 'c']) room.enter(target, true, () => {});
  room.hold('a', { bytes: 7 * mebibyte, values: 1 });
  room.leave('a');
  room.hold('b', { bytes: 7.5 * mebibyte, values: 1 });
  room.hold('c', { bytes: 2 * mebibyte, values: 1 });
  expect([...room.leftOut]).toEqual([]);
  expect(room.size.bytes).toBe(9.5 * mebibyte);
});

it('lists of targets at which the caller may use nothing have a mebibyte, and leave the rest to others', () => {
  const room = new ListRoom();
  for (const target of ['a', 'b', 'c', 'own']) room.enter(target, target === 'own', () => {});
  room.hold('own', { bytes: 8 * mebibyte, values: 1 });
  room.hold('a', { bytes: mebibyte / 2, values: 1 });
  room.hold('b', { bytes: mebibyte / 4, values: 1 });
  room.hold('c', { bytes: mebibyte / 4, values: 1 });
  expect([...room.leftOut]).toEqual([]);
  expect(() => room.hold('b', { bytes: 7 * mebibyte, values: 1 })).toThrow('too large');
  expect([...room.leftOut]).toEqual(['b']);
  expect(room.size.bytes).toBe(8.75 * mebibyte);
});
