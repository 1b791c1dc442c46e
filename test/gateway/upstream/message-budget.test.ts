import { describe, expect, it } from 'vitest';
import { MessageBudget, type UnfinishedMessage } from '../../../src/gateway/upstream/message-budget.ts';

/** A budget of 100 bytes, and a function that begins a message of a target; it says whether there was room. */
function rig() {
  const budget = new MessageBudget(100, 3 / 8);
  const evicted: string[] = [];
  const begin = (target: string, bytes: number): boolean => {
    const message: UnfinishedMessage = { target, held: 0, evict: () => evicted.push(`${target} ${bytes}`) };
    return budget.grow(message, bytes);
  };
  return { budget, evicted, begin };
}

describe('without room for a message', () => {
  it('the target that holds the most loses its largest one', () => {
    const { begin, evicted } = rig();
    for (const [target, bytes] of Object.entries({ 'a/one': 10, 'a/two': 30, 'a/three': 35 })) begin(target, bytes);
    expect([begin('a/three', 2), begin('a/one', 20), begin('a/four', 5)]).toEqual([true, true, true]);
    expect(evicted).toEqual(['a/three 35']);
  });

  it('the namespace that holds the most gives way, however little each of its targets holds', () => {
    const { begin, evicted } = rig();
    for (let index = 0; index < 100; index += 1) begin(`many/${index}`, 1);
    expect([begin('few/one', 20), begin('few/two', 10), begin('other/one', 35)]).toEqual([true, true, true]);
    expect(new Set(evicted.map((message) => message.replace(/\d+ /, '')))).toEqual(new Set(['many/1']));
    expect(evicted).toHaveLength(65);
  });

  it('it is refused when no other namespace, and no other target of its own, holds more', () => {
    const { begin, evicted } = rig();
    for (const target of ['a/one', 'a/two', 'b/one', 'b/two']) begin(target, 25);
    expect(begin('a/one', 5)).toBe(false);
    expect(begin('c/one', 35)).toBe(true);
    expect(begin('c/two', 35)).toBe(false);
    expect(evicted).toHaveLength(2);
  });
});
