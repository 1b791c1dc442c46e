import { describe, expect, it } from 'vitest';
import { conditionWriter } from '../../../src/translate/status/conditions.ts';

describe('a condition', () => {
  it('carries the generation of an object that has one', () => {
    const expected = { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'Yes.' };
    expect(conditionWriter({ generation: undefined })('Accepted', 'True', 'Accepted', 'Yes.')).toEqual(expected);
    expect(conditionWriter({ generation: 3 })('Accepted', 'True', 'Accepted', 'Yes.')).toEqual({
      ...expected,
      observedGeneration: 3,
    });
  });

  it('has a message of at most 32,768 UTF-16 units, without half a surrogate pair at its end', () => {
    const condition = conditionWriter({ generation: undefined });
    expect(condition('A', 'True', 'B', 'a'.repeat(32_768)).message).toHaveLength(32_768);
    expect(condition('A', 'True', 'B', 'a'.repeat(32_769)).message).toBe(`${'a'.repeat(32_767)}…`);
    expect(condition('A', 'True', 'B', `${'a'.repeat(32_766)}😀😀`).message).toBe(`${'a'.repeat(32_766)}…`);
  });
});
