import { expect, it } from 'vitest';
import { ListRoom } from '../../../../src/gateway/session/lists/list-room.ts';

const mebibyte = 1024 * 1024;

/** The lists of targets, read in turns by one mebibyte each; the targets whose lists are complete. */
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
  for (let turn = 1; turn <= Math.max(...Object.values(sizes)); turn += 1) {
    for (const [target, size] of Object.entries(sizes)) {
      if (!read.has(target) || turn > size) continue;
      read.set(target, turn);
      try {
        room.hold(target, { bytes: turn * mebibyte, values: 1 });
      } catch {
        expect(read.has(target)).toBe(false);
      }
      largestSum = Math.max(largestSum, room.bytes);
    }
  }
  expect(largestSum).toBeLessThanOrEqual(16 * mebibyte);
  return { room, complete: [...read.keys()], parsed: [...read.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

it('of sixteen lists of 7 MiB, two are read to their end', () => {
  const sizes = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`t${index}`, 7]));
  const { room, complete, parsed } = readInTurns(sizes);
  expect([complete.length, parsed, room.leftOut.size]).toEqual([2, 14, 14]);
});

it('a target whose list is smaller than its part of the room stays, whatever others list and whenever', () => {
  const { complete } = readInTurns({ a: 8, b: 8, c: 8, small: 3, d: 8 });
  expect(complete).toContain('small');
  const late = new ListRoom();
  const left: string[] = [];
  for (const target of ['a', 'b', 'late']) late.enter(target, true, () => left.push(target));
  for (const target of ['a', 'b']) late.hold(target, { bytes: 8 * mebibyte, values: 1 });
  late.hold('late', { bytes: mebibyte, values: 1 });
  expect(left).toHaveLength(1);
  expect(late.leftOut.has('late')).toBe(false);
});

it('values count as bytes do, and what a target that was left out still sends is refused', () => {
  const room = new ListRoom();
  for (const target of ['a', 'b', 'c']) room.enter(target, true, () => {});
  room.hold('a', { bytes: 1, values: 200_000 });
  room.hold('b', { bytes: 1, values: 150_000 });
  room.hold('c', { bytes: 1, values: 100_000 });
  expect([...room.leftOut]).toEqual(['a']);
  expect(() => room.hold('a', { bytes: 2, values: 2 })).toThrow('too large');
  expect(room.bytes).toBe(2);
});

it('a list that fails gives its room back, so that no other is left out for it', () => {
  const room = new ListRoom();
  for (const target of ['a', 'b', 'c']) room.enter(target, true, () => {});
  room.hold('a', { bytes: 7 * mebibyte, values: 1 });
  room.leave('a');
  room.hold('b', { bytes: 7.5 * mebibyte, values: 1 });
  room.hold('c', { bytes: 2 * mebibyte, values: 1 });
  expect([...room.leftOut]).toEqual([]);
  expect(room.bytes).toBe(9.5 * mebibyte);
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
  expect(room.bytes).toBe(8.75 * mebibyte);
});
