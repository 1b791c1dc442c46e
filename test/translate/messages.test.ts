import { describe, expect, it } from 'vitest';
import { joinNames, joinSentences } from '../../src/translate/messages.ts';

describe('a message', () => {
  const names = [...Array(22).keys()].map((position) => `n${position}`);

  it('lists at most 20 names', () => {
    expect(joinNames(['a', 'b'])).toBe('a, b');
    expect(joinNames(names)).toBe(`${names.slice(0, 20).join(', ')} and 2 more`);
  });

  it('joins at most 20 sentences, each with a full stop', () => {
    expect(joinSentences(['One.', 'Two', 'Three?'])).toBe('One. Two. Three?');
    expect(joinSentences(names)).toBe(`${names.slice(0, 20).join('. ')}. And 2 more.`);
  });

  it('shortens a name that is very long', () => {
    expect(joinNames(['a'.repeat(1024)])).toHaveLength(200);
  });
});
