import { describe, expect, it } from 'vitest';
import { conditionsOf, enumerate, quote, recount } from '../../../src/translate/status/conditions.ts';

const identity = { namespace: 'default', name: 'a', generation: undefined };

describe('a condition', () => {
  it('carries the generation when there is one', () => {
    const condition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'Yes.' };
    expect(conditionsOf(identity)('Accepted', 'True', 'Accepted', 'Yes.')).toEqual(condition);
    expect(conditionsOf({ ...identity, generation: 3 })('Accepted', 'True', 'Accepted', 'Yes.')).toEqual({
      ...condition,
      observedGeneration: 3,
    });
  });

  it('has no longer message than the API server takes, and no half character at its end', () => {
    const say = conditionsOf(identity);
    expect(say('A', 'True', 'B', 'a'.repeat(32_768)).message).toHaveLength(32_768);
    expect(say('A', 'True', 'B', 'a'.repeat(32_769)).message).toBe(`${'a'.repeat(32_767)}…`);
    expect(say('A', 'True', 'B', `${'a'.repeat(32_766)}😀😀`).message).toBe(`${'a'.repeat(32_766)}…`);
  });
});

describe('a message', () => {
  const names = [...Array(22).keys()].map((at) => `n${at}`);

  it('names as many as people read', () => {
    expect(enumerate(['a', 'b'])).toBe('a, b');
    expect(enumerate(names)).toBe(`${names.slice(0, 20).join(', ')} and 2 more`);
  });

  it('is made of sentences', () => {
    expect(recount(['One.', 'Two', 'Three?'])).toBe('One. Two. Three?');
    expect(recount(names)).toBe(`${names.slice(0, 20).join('. ')}. And 2 more.`);
  });

  it('keeps what a user wrote on its line', () => {
    expect(quote('a\n"b"')).toBe('"a\\n\\"b\\""');
    expect(quote('a'.repeat(101))).toBe(`"${'a'.repeat(100)}…"`);
  });
});
